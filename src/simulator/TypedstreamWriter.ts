/** A class as an archive names it: its name, its version and what it inherits from. */
export interface ArchivedClass {
  readonly name: string;
  readonly version: number;
  readonly superclass: ArchivedClass | undefined;
}

const NEW = 0x84;
const NIL = 0x85;
const END = 0x86;
const INT16 = 0x81;
const INT32 = 0x82;
const FLOATING = 0x83;
/** References are written as integers, counted from the lowest value that still is one byte. */
const REFERENCE_BASE = -110;
/** From here on a length takes four bytes; readers have to take either form between 2^15 and 2^16. */
const WIDE_LENGTH = 0x8000;

/**
 * Writes NeXT's typedstream, version 4, little endian, with its two tables in order of first appearance: shared
 * strings (type encodings, class names), and objects, classes and C strings under one numbering.
 */
export class TypedstreamWriter {
  readonly #bytes: number[] = [];
  readonly #strings = new Map<string, number>();
  readonly #objects = new Map<unknown, number>();
  #objectCount = 0;

  /** The stream's header: version 4, its name, and the system version 1000. */
  header(): void {
    this.#bytes.push(4, 11, ...Buffer.from('streamtyped'), INT16, 0xe8, 0x03);
  }

  /** Begins a group: the type encoding of the values that follow. */
  group(encoding: string): void {
    this.#sharedString(encoding);
  }

  /** A value of type i, s, l, q or I: one byte where it fits beside the head bytes, else two or four. */
  integer(value: number): void {
    if (value >= REFERENCE_BASE && value <= 127) this.#bytes.push(value & 0xff);
    else if (value >= -0x8000 && value < 0x8000) this.#bytes.push(INT16, value & 0xff, (value >> 8) & 0xff);
    else this.#int32(value);
  }

  /** A value of type d. */
  double(value: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    this.#bytes.push(FLOATING, ...bytes);
  }

  /** A value of type +: counted bytes. */
  counted(value: Uint8Array): void {
    this.length(value.length);
    this.raw(value);
  }

  /** An unsigned length: one byte below 128, two below 2^15, else four. */
  length(value: number): void {
    if (value < 0x80) this.#bytes.push(value);
    else if (value < WIDE_LENGTH) this.#bytes.push(INT16, value & 0xff, value >> 8);
    else this.#int32(value);
  }

  /** Bytes as they are: values of type c and [Nc]. */
  raw(value: Uint8Array): void {
    for (const byte of value) this.#bytes.push(byte);
  }

  /** A value of type *: a C string, shared like an object. */
  cString(value: string): void {
    const key = `*${value}`;
    if (this.#reference(key)) return;
    this.#bytes.push(NEW);
    this.#remember(key);
    this.#sharedString(value);
  }

  /**
   * A value of type @: the object, its class chain, what `contents` writes and the end mark. The same `key` written
   * again is a reference. The object's number is taken before its classes take theirs.
   */
  object(key: unknown, itsClass: ArchivedClass, contents: () => void): void {
    if (this.#reference(key)) return;
    this.#bytes.push(NEW);
    this.#remember(key);
    this.#class(itsClass);
    contents();
    this.#bytes.push(END);
  }

  end(): Buffer {
    return Buffer.from(this.#bytes);
  }

  #class(itsClass: ArchivedClass | undefined): void {
    if (itsClass === undefined) {
      this.#bytes.push(NIL);
      return;
    }
    if (this.#reference(itsClass)) return;
    this.#bytes.push(NEW);
    this.#remember(itsClass);
    this.#sharedString(itsClass.name);
    this.integer(itsClass.version);
    this.#class(itsClass.superclass);
  }

  #sharedString(value: string): void {
    const known = this.#strings.get(value);
    if (known !== undefined) {
      this.#referTo(known);
      return;
    }
    this.#strings.set(value, this.#strings.size);
    this.#bytes.push(NEW);
    this.counted(Buffer.from(value));
  }

  #reference(key: unknown): boolean {
    const known = this.#objects.get(key);
    if (known === undefined) return false;
    this.#referTo(known);
    return true;
  }

  /** One byte, 0x92 to 0xFF, for the first 110; from there on never fewer than two after 81. */
  #referTo(number: number): void {
    const value = number + REFERENCE_BASE;
    if (value < 0) this.#bytes.push(value & 0xff);
    else if (value < 0x8000) this.#bytes.push(INT16, value & 0xff, value >> 8);
    else this.#int32(value);
  }

  #remember(key: unknown): void {
    this.#objects.set(key, this.#objectCount++);
  }

  #int32(value: number): void {
    this.#bytes.push(INT32, value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >> 24) & 0xff);
  }
}
