import { RESOLVE_WORK, resolvedUrl } from '../resolvedUrl.ts';
import { MAX_DEPTH, MAX_KEY_LENGTH } from './limits.ts';
import { type Kind, ObjectTable } from './ObjectTable.ts';
import { StreamDamage } from './StreamDamage.ts';
import { HEAD, type StreamReader } from './StreamReader.ts';
import { parseTypeEncoding, type TypeEncoding } from './typeEncoding.ts';

/** 2001-01-01 UTC in ms since 1970: where NSDate counts from. */
const APPLE_EPOCH_MS = 978_307_200_000;

/**
 * Reads objects: strings, numbers, Maps for dictionaries, arrays, bytes; undefined for nil and for classes that do not
 * occur in message bodies (their contents are read over).
 */
export class ObjectReader {
  readonly #stream: StreamReader;
  readonly #table: ObjectTable;
  readonly #encodings = new Map<string, TypeEncoding[]>();
  #depth = 0;

  constructor(options: { stream: StreamReader }) {
    this.#stream = options.stream;
    this.#table = new ObjectTable({ stream: options.stream });
  }

  /** Begins the root object and returns its kind; its contents are the caller's to read. */
  openRoot(): Kind | undefined {
    this.expectGroup('@');
    if (this.#stream.byte() !== HEAD.new) throw new StreamDamage('no root object');
    this.#table.begin();
    return this.#table.classOfObject().kind;
  }

  /** Begins a group that must have this encoding. */
  expectGroup(encoding: string): void {
    this.#stream.budget.charge(1);
    if (this.#stream.sharedString() !== encoding) throw new StreamDamage(`no group of type ${encoding}`);
  }

  /** An `@` value. */
  object(): unknown {
    const head = this.#stream.byte();
    if (head === HEAD.nil) return undefined;
    if (head !== HEAD.new) return this.#table.objectAt(this.#stream.reference(head));
    if (++this.#depth > MAX_DEPTH) throw new StreamDamage('objects nested too deep');
    const before = this.#stream.budget.left;
    const number = this.#table.begin();
    const value = this.#contents(this.#table.classOfObject().kind);
    while (!this.#stream.atEnd()) this.#group();
    this.#table.finish(number, value, before - this.#stream.budget.left);
    this.#depth--;
    return value;
  }

  /** The contents of an NSString. */
  string(): string {
    this.expectGroup('+');
    return this.#stream.utf8(this.#stream.unsigned());
  }

  #contents(kind: Kind | undefined): unknown {
    switch (kind) {
      case 'string':
        return this.string();
      case 'dictionary':
        return this.#dictionary();
      case 'array':
        return this.#array();
      case 'value':
        this.expectGroup('*');
        this.#table.cString();
        return this.#group()[0];
      case 'data':
        this.expectGroup('i');
        this.#stream.signed(); // the length, which the encoding of the bytes has too
        return this.#group()[0];
      case 'url':
        return this.#url();
      case 'date':
        this.expectGroup('d');
        return APPLE_EPOCH_MS + this.#stream.real(8) * 1000;
      default:
        return undefined;
    }
  }

  #dictionary(): Map<string, unknown> {
    const map = new Map<string, unknown>();
    for (let pairs = this.#count(); pairs > 0; pairs--) {
      const key = this.#member();
      const value = this.#member();
      if (typeof key === 'string' && key.length <= MAX_KEY_LENGTH && value !== undefined) map.set(key, value);
    }
    return map;
  }

  #array(): unknown[] {
    const items: unknown[] = [];
    for (let left = this.#count(); left > 0; left--) items.push(this.#member());
    return items;
  }

  #url(): string | undefined {
    this.expectGroup('c');
    const base = this.#stream.byte() === 0 ? undefined : this.#member();
    const url = this.#member();
    if (typeof url !== 'string') return undefined;
    if (typeof base !== 'string') return url;
    this.#stream.budget.charge(RESOLVE_WORK);
    return resolvedUrl(url, base);
  }

  #count(): number {
    this.expectGroup('i');
    const count = this.#stream.signed();
    if (count < 0 || count > this.#stream.left) throw new StreamDamage(`a count of ${count}`);
    return count;
  }

  #member(): unknown {
    this.expectGroup('@');
    return this.object();
  }

  /** Any group: its encoding, then a value for each type in it. */
  #group(): unknown[] {
    this.#stream.budget.charge(1);
    const text = this.#stream.sharedString();
    let types = this.#encodings.get(text);
    if (!types) {
      this.#stream.budget.charge(text.length);
      types = parseTypeEncoding(text);
      this.#encodings.set(text, types);
    }
    if (types.length === 1) return [this.#value(types[0]!)];
    return types.map((type) => this.#value(type));
  }

  #value(type: TypeEncoding): unknown {
    this.#stream.budget.charge(1);
    switch (type.kind) {
      case 'bytes':
        return this.#stream.raw(type.count);
      case 'array': {
        const items: unknown[] = [];
        for (let left = type.count; left > 0; left--) items.push(this.#value(type.item));
        return items;
      }
      case 'struct':
        return type.fields.map((field) => this.#value(field));
      case 'value':
        return this.#single(type.letter);
    }
  }

  #single(letter: string): unknown {
    const stream = this.#stream;
    switch (letter) {
      case 'c':
        return (stream.byte() << 24) >> 24;
      case 'C':
        return stream.byte();
      case 'B':
        return stream.byte() !== 0;
      case 's':
      case 'i':
        return stream.signed();
      case 'S':
      case 'I':
        return stream.unsigned();
      case 'l':
      case 'q':
        return stream.wide(true);
      case 'L':
      case 'Q':
        return stream.wide(false);
      case 'f':
        return stream.real(4);
      case 'd':
        return stream.real(8);
      case '@':
        return this.object();
      case '#':
        this.#table.class();
        return undefined;
      case '*':
        return this.#table.cString();
      case '+':
        return stream.utf8(stream.unsigned());
      default: // % and :
        return stream.sharedString();
    }
  }
}
