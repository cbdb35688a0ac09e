import { StreamDamage } from './StreamDamage.ts';
import { HEAD, type StreamReader } from './StreamReader.ts';

/** What a class of the stream is read as. */
export type Kind = 'attributedString' | 'string' | 'dictionary' | 'array' | 'value' | 'data' | 'url' | 'date';

const KINDS: ReadonlyMap<string, Kind> = new Map([
  ['NSAttributedString', 'attributedString'],
  ['NSString', 'string'],
  ['NSDictionary', 'dictionary'],
  ['NSArray', 'array'],
  ['NSValue', 'value'],
  ['NSData', 'data'],
  ['NSURL', 'url'],
  ['NSDate', 'date'],
]);

/** A class of the stream. Subclasses (NSMutableString, NSNumber) are of their superclass's kind. */
class StreamClass {
  kind: Kind | undefined;

  constructor(options: { name: string }) {
    this.kind = KINDS.get(options.name);
  }
}

/** A C string: it has a number among the objects, but is none. */
class CString {
  readonly text: string;

  constructor(options: { text: string }) {
    this.text = options.text;
  }
}

/** Stands in the table for an object that is being read, so that an object cannot contain itself. */
const UNFINISHED = Symbol('unfinished');

/**
 * The second table of the format: objects, classes and C strings in one numbering, in order of first appearance. An
 * object has its number before its class.
 */
export class ObjectTable {
  readonly #stream: StreamReader;
  readonly #entries: unknown[] = [];
  /** The work each entry took: what a reference to it costs. */
  readonly #costs: number[] = [];

  constructor(options: { stream: StreamReader }) {
    this.#stream = options.stream;
  }

  /** The number of an object that begins here. */
  begin(): number {
    return this.#enter(UNFINISHED);
  }

  finish(number: number, value: unknown, cost: number): void {
    this.#entries[number] = value;
    this.#costs[number] = cost;
  }

  /** The class of an object, which it must have. */
  classOfObject(): StreamClass {
    const streamClass = this.class();
    if (!streamClass) throw new StreamDamage('an object without a class');
    return streamClass;
  }

  /** A `#` value, undefined for nil. */
  class(): StreamClass | undefined {
    const chain: StreamClass[] = [];
    let inherited: Kind | undefined;
    for (;;) {
      const head = this.#stream.byte();
      if (head === HEAD.nil) break;
      if (head !== HEAD.new) {
        const known = this.#entries[this.#stream.reference(head)];
        if (!(known instanceof StreamClass)) throw new StreamDamage('a reference to a class that is not there');
        if (chain.length === 0) return known;
        inherited = known.kind;
        break;
      }
      const streamClass = new StreamClass({ name: this.#stream.sharedString() });
      this.#stream.signed(); // the version of the class
      this.#enter(streamClass);
      chain.push(streamClass);
    }
    const [first] = chain;
    for (const streamClass of chain.reverse()) {
      streamClass.kind ??= inherited;
      inherited = streamClass.kind;
    }
    return first;
  }

  /** A `*` value. */
  cString(): string | undefined {
    const head = this.#stream.byte();
    if (head === HEAD.nil) return undefined;
    if (head === HEAD.new) {
      const text = this.#stream.sharedString();
      this.#enter(new CString({ text }));
      return text;
    }
    const known = this.#entries[this.#stream.reference(head)];
    if (!(known instanceof CString)) throw new StreamDamage('a reference to a C string that is not there');
    return known.text;
  }

  /** What a reference to this number means; it costs what reading the object cost. */
  objectAt(index: number): unknown {
    const value = this.#entries[index];
    const cost = this.#costs[index];
    if (cost === undefined) throw new StreamDamage('a reference to an object that is not there');
    if (value === UNFINISHED) throw new StreamDamage('an object that contains itself');
    if (value instanceof StreamClass || value instanceof CString) {
      throw new StreamDamage('a reference to an object that is none');
    }
    this.#stream.budget.charge(cost);
    return value;
  }

  #enter(entry: unknown): number {
    this.#stream.budget.charge(1);
    this.#costs.push(1);
    return this.#entries.push(entry) - 1;
  }
}
