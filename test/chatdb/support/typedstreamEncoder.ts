/** What an attribute may hold in these tests. */
export type Value =
  | string
  | number
  | bigint
  | Uint8Array
  | { url: string; base?: string }
  | { date: number }
  | { double: number }
  | { float: number }
  | { unknown: string }
  | { doubled: number }
  | readonly Value[]
  | ReadonlyMap<string, Value>;

export interface Run {
  /** UTF-16 code units. */
  length: number;
  attributes: ReadonlyMap<string, Value>;
}

const CLASSES: Record<string, readonly [name: string, version: number][]> = {
  NSObject: [['NSObject', 0]],
  NSAttributedString: [['NSAttributedString', 0]],
  NSMutableAttributedString: [
    ['NSMutableAttributedString', 0],
    ['NSAttributedString', 0],
  ],
  NSString: [['NSString', 1]],
  NSMutableString: [
    ['NSMutableString', 1],
    ['NSString', 1],
  ],
  NSNumber: [
    ['NSNumber', 0],
    ['NSValue', 0],
  ],
};

/** A body as Messages writes it: runs with the same Map share one dictionary, equal strings one object. */
export function encodeBody(text: string, runs: readonly Run[] = [], o: { mutable?: boolean } = {}): Buffer {
  const encoder = new TypedstreamEncoder();
  const prefix = o.mutable ? 'NSMutable' : 'NS';
  encoder.group('@');
  encoder.object(`${prefix}AttributedString`, () => {
    encoder.group('@');
    encoder.text(text, `${prefix}String`);
    const numbers = new Map<ReadonlyMap<string, Value>, number>();
    for (const run of runs) {
      const known = numbers.get(run.attributes);
      if (known === undefined) numbers.set(run.attributes, numbers.size + 1);
      encoder.group('iI');
      encoder.integer(known ?? numbers.size);
      encoder.integer(run.length, true);
      if (known === undefined) {
        encoder.group('@');
        encoder.value(run.attributes);
      }
    }
  });
  return encoder.bytes();
}

/** One run over the whole text, part 0, as a plain message has it. */
export function encodeText(text: string): Buffer {
  return encodeBody(text, text ? [{ length: text.length, attributes: attributes({ part: 0 }) }] : []);
}

export function attributes(o: {
  part?: number;
  mention?: string;
  link?: Value;
  attachment?: string;
}): Map<string, Value> {
  const map = new Map<string, Value>();
  if (o.part !== undefined) map.set('__kIMMessagePartAttributeName', o.part);
  if (o.mention !== undefined) map.set('__kIMMentionConfirmedMention', o.mention);
  if (o.link !== undefined) map.set('__kIMLinkAttributeName', o.link);
  if (o.attachment !== undefined) map.set('__kIMFileTransferGUIDAttributeName', o.attachment);
  return map;
}

/** Writes typedstreams, version 4, little endian. Independent of the reader: it shares no code with it. */
export class TypedstreamEncoder {
  readonly #out: number[] = [];
  readonly #strings = new Map<string, number>();
  readonly #classes = new Map<string, number>();
  readonly #cStrings = new Map<string, number>();
  readonly #texts = new Map<string, number>();
  #objects = 0;

  constructor() {
    this.raw([0x04, 0x0b], Buffer.from('streamtyped'), [0x81, 0xe8, 0x03]);
  }

  bytes(): Buffer {
    return Buffer.from(this.#out);
  }

  raw(...parts: (Uint8Array | readonly number[])[]): void {
    for (const part of parts) for (const byte of part) this.#out.push(byte);
  }

  integer(value: number | bigint, isUnsigned = false): void {
    const small = isUnsigned ? value >= 0 && value < 0x80 : value >= -110 && value < 0x80;
    const wide = BigInt(value);
    if (small) this.raw([Number(value) & 0xff]);
    else if (isUnsigned ? wide <= 0xffffn : wide >= -0x8000n && wide <= 0x7fffn) this.raw([0x81], little(wide, 2));
    else if (isUnsigned ? wide <= 0xffffffffn : wide >= -0x80000000n && wide <= 0x7fffffffn) {
      this.raw([0x82], little(wide, 4));
    } else this.raw([0x87], little(wide, 8));
  }

  sharedString(text: string): void {
    const known = this.#strings.get(text);
    if (known !== undefined) {
      this.reference(known);
    } else {
      this.#strings.set(text, this.#strings.size);
      this.raw([0x84]);
      this.integer(text.length, true);
      this.raw(Buffer.from(text, 'latin1'));
    }
  }

  group(encoding: string): void {
    this.sharedString(encoding);
  }

  object(className: string, contents: () => void): number {
    this.raw([0x84]);
    const number = this.#objects++;
    this.#class([...(CLASSES[className] ?? [[className, 0]]), ...(className === 'NSObject' ? [] : CLASSES.NSObject!)]);
    contents();
    this.raw([0x86]);
    return number;
  }

  reference(number: number): void {
    this.integer(number - 110);
  }

  text(text: string, className = 'NSString'): void {
    const known = className === 'NSString' ? this.#texts.get(text) : undefined;
    if (known !== undefined) {
      this.reference(known);
      return;
    }
    const number = this.object(className, () => {
      this.group('+');
      const bytes = Buffer.from(text);
      this.integer(bytes.length, true);
      this.raw(bytes);
    });
    if (className === 'NSString') this.#texts.set(text, number);
  }

  value(value: Value): void {
    if (typeof value === 'string') this.text(value);
    else if (typeof value === 'bigint') this.#number('q', () => this.integer(value));
    else if (typeof value === 'number')
      this.#number(Number.isSafeInteger(value) ? (value === (value | 0) ? 'i' : 'q') : 'd', () => this.#real(value));
    else if (value instanceof Uint8Array) this.#data(value);
    else if (value instanceof Map) this.#dictionary(value);
    else if (Array.isArray(value)) this.#array(value);
    else if ('url' in value) this.#url(value);
    else if ('date' in value) {
      this.object('NSDate', () => {
        this.group('d');
        this.#real(value.date / 1000 - 978_307_200);
      });
    } else if ('double' in value) this.#number('d', () => this.#real(value.double));
    else if ('float' in value)
      this.#number('f', () => this.raw([0x83], new Uint8Array(Float32Array.of(value.float).buffer)));
    else if ('doubled' in value) this.#doubled(value.doubled);
    else if ('unknown' in value) this.#unknown(value.unknown);
  }

  #number(encoding: string, write: () => void): void {
    this.object('NSNumber', () => {
      this.group('*');
      const known = this.#cStrings.get(encoding);
      if (known !== undefined) this.reference(known);
      else {
        this.#cStrings.set(encoding, this.#objects++);
        this.raw([0x84]);
        this.sharedString(encoding);
      }
      this.group(encoding);
      write();
    });
  }

  #real(value: number): void {
    if (Number.isSafeInteger(value)) this.integer(value);
    else this.raw([0x83], new Uint8Array(Float64Array.of(value).buffer));
  }

  #data(bytes: Uint8Array): void {
    this.object('NSData', () => {
      this.group('i');
      this.integer(bytes.length);
      this.group(`[${bytes.length}c]`);
      this.raw(bytes);
    });
  }

  #dictionary(map: ReadonlyMap<string, Value>): void {
    this.object('NSDictionary', () => {
      this.group('i');
      this.integer(map.size);
      for (const [key, value] of map) {
        this.group('@');
        this.text(key);
        this.group('@');
        this.value(value);
      }
    });
  }

  #array(values: readonly Value[]): void {
    this.object('NSArray', () => {
      this.group('i');
      this.integer(values.length);
      for (const value of values) {
        this.group('@');
        this.value(value);
      }
    });
  }

  /** A list whose every level holds the level below twice: 2^depth leaves if one walked it. */
  #doubled(depth: number): number {
    return this.object('NSArray', () => {
      this.group('i');
      this.integer(depth === 0 ? 0 : 2);
      if (depth === 0) return;
      this.group('@');
      const below = this.#doubled(depth - 1);
      this.group('@');
      this.reference(below);
    });
  }

  #url(value: { url: string; base?: string }): void {
    this.object('NSURL', () => {
      this.group('c');
      this.raw([value.base === undefined ? 0 : 1]);
      if (value.base !== undefined) {
        this.group('@');
        this.value({ url: value.base });
      }
      this.group('@');
      this.text(value.url);
    });
  }

  /** An object of a class no reader knows, with every type of value in it. */
  #unknown(className: string): void {
    this.object(className, () => {
      this.group('{_Mixed=cCsSiIlLqQfd*@#:%+[2s][3c]}');
      this.raw([0xff, 0xff, 1, 2, 3, 4, 5, 6, 7, 8], [0x83, 0, 0, 0x80, 0x3f], [9], [0x85], [0x85], [0x85]);
      this.sharedString('selector:');
      this.sharedString('shared');
      this.raw([2, 0x68, 0x69], [1, 2], [7, 8, 9]);
    });
  }

  #class(chain: readonly (readonly [name: string, version: number])[]): void {
    for (const [name, version] of chain) {
      const known = this.#classes.get(name);
      if (known !== undefined) {
        this.reference(known);
        return;
      }
      this.#classes.set(name, this.#objects++);
      this.raw([0x84]);
      this.sharedString(name);
      this.integer(version);
    }
    this.raw([0x85]);
  }
}

function little(value: bigint, size: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt.asIntN(64, value));
  return bytes.subarray(0, size);
}
