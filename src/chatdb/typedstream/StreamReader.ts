import { isUtf8 } from 'node:buffer';
import { isAt, knownString } from './knownStrings.ts';
import { StreamDamage } from './StreamDamage.ts';
import type { WorkBudget } from './WorkBudget.ts';

/** Head bytes that stand for themselves nowhere a head is expected. */
export const HEAD = { int16: 0x81, int32: 0x82, real: 0x83, new: 0x84, nil: 0x85, end: 0x86, int64: 0x87 } as const;

/** References are written as signed integers that begin here: 0x92 is -110 is number 0. */
const FIRST_REFERENCE = -110;

const SIGNATURE = '\x04\x0bstreamtyped';

/**
 * The bytes of a typedstream (version 4, little endian) and the table of shared strings: type encodings and class
 * names. Every read is checked against the end of the buffer before anything is allocated; all failures are
 * StreamDamage.
 */
export class StreamReader {
  readonly #bytes: Buffer;
  /** What reading this stream is charged to. */
  readonly budget: WorkBudget;
  readonly #strings: string[] = [];
  #at = 0;
  #hasBadUtf8 = false;

  constructor(options: { bytes: Uint8Array; budget: WorkBudget }) {
    const { bytes } = options;
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.budget = options.budget;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** Some string so far was no UTF-8. */
  get hasBadUtf8(): boolean {
    return this.#hasBadUtf8;
  }

  header(): void {
    if (!isAt(this.#bytes, 0, SIGNATURE)) throw new StreamDamage('not a typedstream');
    this.#at = SIGNATURE.length;
    this.unsigned(); // the writer's system version; always 1000
  }

  byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw this.#endsEarly();
    this.#at++;
    return byte;
  }

  /** True, and the end mark is consumed, when the object that is open ends here. */
  atEnd(): boolean {
    if (this.#bytes[this.#at] !== HEAD.end) return false;
    this.#at++;
    return true;
  }

  signed(): number {
    return this.#signedAfter(this.byte());
  }

  /** Numbers past 2^53 lose their last digits: as a length or count they fail anyway. */
  unsigned(): number {
    const head = this.byte();
    if (head < HEAD.int16) return head;
    switch (head) {
      case HEAD.int16:
        return this.#bytes.readUInt16LE(this.#skip(2));
      case HEAD.int32:
        return this.#bytes.readUInt32LE(this.#skip(4));
      case HEAD.int64:
        return Number(this.#bytes.readBigUInt64LE(this.#skip(8)));
    }
    return this.#plain(head);
  }

  /** A 64-bit number: a bigint where a number could not hold it. */
  wide(isSigned: boolean): number | bigint {
    if (this.#bytes[this.#at] !== HEAD.int64) return isSigned ? this.signed() : this.unsigned();
    this.#at++;
    const at = this.#skip(8);
    const value = isSigned ? this.#bytes.readBigInt64LE(at) : this.#bytes.readBigUInt64LE(at);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  /** A float or double; whole ones are written as integers. */
  real(size: 4 | 8): number {
    if (this.#bytes[this.#at] !== HEAD.real) return this.signed();
    this.#at++;
    const at = this.#skip(size);
    return size === 4 ? this.#bytes.readFloatLE(at) : this.#bytes.readDoubleLE(at);
  }

  /** The next `count` bytes, as a view. */
  raw(count: number): Buffer {
    const at = this.#skip(count);
    return this.#bytes.subarray(at, at + count);
  }

  /** The next `count` bytes as UTF-8; what is no UTF-8 becomes U+FFFD. */
  utf8(count: number): string {
    const at = this.#skip(count);
    const known = knownString(this.#bytes, at, count);
    if (known !== undefined) return known;
    const text = this.#bytes.toString('utf8', at, at + count);
    // Messages itself writes U+FFFD, as the placeholder of an app's balloon.
    if (text.includes('\ufffd') && !isUtf8(this.#bytes.subarray(at, at + count))) this.#hasBadUtf8 = true;
    return text;
  }

  /** A type encoding, class name or selector: written out the first time, a reference after that. */
  sharedString(): string {
    const head = this.byte();
    if (head === HEAD.new) {
      const length = this.unsigned();
      const at = this.#skip(length);
      const text = knownString(this.#bytes, at, length) ?? this.#bytes.toString('latin1', at, at + length);
      this.#strings.push(text);
      return text;
    }
    const text = this.#strings[this.reference(head)];
    if (text === undefined) throw new StreamDamage('a reference to a string that is not there');
    return text;
  }

  /** The number a reference with this head byte means. */
  reference(head: number): number {
    return this.#signedAfter(head) - FIRST_REFERENCE;
  }

  #signedAfter(head: number): number {
    if (head < HEAD.int16) return head === 0x80 ? -128 : head;
    switch (head) {
      case HEAD.int16:
        return this.#bytes.readInt16LE(this.#skip(2));
      case HEAD.int32:
        return this.#bytes.readInt32LE(this.#skip(4));
      case HEAD.int64:
        return Number(this.#bytes.readBigInt64LE(this.#skip(8)));
    }
    return this.#plain(head) - 256;
  }

  #plain(head: number): number {
    if (head <= HEAD.int64) throw new StreamDamage(`head byte ${head.toString(16)} where a number should stand`);
    return head;
  }

  #skip(count: number): number {
    const at = this.#at;
    if (count > this.#bytes.length - at) throw this.#endsEarly();
    this.#at = at + count;
    return at;
  }

  #endsEarly(): StreamDamage {
    return new StreamDamage(`the stream ends early, at byte ${this.#at}`);
  }
}
