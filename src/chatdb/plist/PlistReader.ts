import { MAX_PLIST_BYTES, MAX_PLIST_DEPTH, MAX_PLIST_KEY_LENGTH, MAX_PLIST_WORK } from './limits.ts';
import { PlistDamage } from './PlistDamage.ts';
import { PlistWork } from './PlistWork.ts';
import { Uid } from './Uid.ts';

/** 2001-01-01 UTC in ms since 1970: where plist dates count from. */
const APPLE_EPOCH_MS = 978_307_200_000;

const HEADER_LENGTH = 8;
const TRAILER_LENGTH = 32;

/**
 * The objects of a binary plist (version 00), each read when it is asked for. The file ends with a table of offsets, one
 * for each object, and a trailer that says where the table is. Every offset and length is checked before anything is
 * allocated; all failures are PlistDamage.
 */
export class PlistReader {
  readonly #bytes: Buffer;
  readonly #work = new PlistWork();
  #offsetSize = 0;
  #referenceSize = 0;
  #count = 0;
  #root = 0;
  /** Where the table of offsets begins: objects end before it. */
  #end = 0;
  #depth = 0;

  constructor(options: { bytes: Uint8Array }) {
    const { bytes } = options;
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The top object. */
  root(): unknown {
    this.#trailer();
    return this.#object(this.#root);
  }

  #trailer(): void {
    const bytes = this.#bytes;
    if (bytes.length > MAX_PLIST_BYTES) throw new PlistDamage(`${bytes.length} bytes`);
    const at = bytes.length - TRAILER_LENGTH;
    if (at < HEADER_LENGTH) throw new PlistDamage('the plist ends early');
    this.#offsetSize = bytes.readUInt8(at + 6);
    this.#referenceSize = bytes.readUInt8(at + 7);
    this.#count = Number(bytes.readBigUInt64BE(at + 8));
    this.#root = Number(bytes.readBigUInt64BE(at + 16));
    this.#end = Number(bytes.readBigUInt64BE(at + 24));
    for (const size of [this.#offsetSize, this.#referenceSize]) {
      if (size < 1 || size > 8) throw new PlistDamage(`references of ${size} bytes`);
    }
    if (this.#end < HEADER_LENGTH || this.#end + this.#count * this.#offsetSize > at) {
      throw new PlistDamage('a table of offsets out of its place');
    }
    if (this.#count > MAX_PLIST_WORK) throw new PlistDamage('more values than a plist may have');
  }

  #object(number: number): unknown {
    if (number >= this.#count) throw new PlistDamage('a reference to an object that is not there');
    return this.#work.once(
      number,
      () => {
        if (++this.#depth > MAX_PLIST_DEPTH) throw new PlistDamage('values nested too deep');
        const value = this.#read(this.#unsigned(this.#end + number * this.#offsetSize, this.#offsetSize));
        this.#depth--;
        return value;
      },
      () => {
        throw new PlistDamage('a value that contains itself');
      },
    );
  }

  #read(offset: number): unknown {
    if (offset < HEADER_LENGTH) throw new PlistDamage('an object before the first');
    this.#check(offset, 1);
    const marker = this.#bytes.readUInt8(offset);
    const low = marker & 0x0f;
    switch (marker >> 4) {
      case 0x0:
        return constant(marker);
      case 0x1:
        return this.#integer(offset + 1, 1 << low);
      case 0x2:
        return this.#real(offset + 1, 1 << low);
      case 0x3:
        return new Date(APPLE_EPOCH_MS + this.#real(offset + 1, 8) * 1000);
      case 0x8:
        this.#check(offset + 1, low + 1);
        return new Uid({ index: this.#unsigned(offset + 1, low + 1) });
    }
    const { length, at } = this.#length(offset, low);
    switch (marker >> 4) {
      case 0x4:
        return this.#span(at, length);
      case 0x5:
        return this.#string(at, length, 'latin1');
      case 0x6:
        return this.#string(at, length * 2, 'utf16be');
      case 0x7:
        return this.#string(at, length, 'utf8');
      case 0xa:
      case 0xb:
      case 0xc:
        return this.#array(at, length);
      case 0xd:
        return this.#dictionary(at, length);
    }
    throw new PlistDamage(`an object of type ${marker.toString(16)}`);
  }

  /** How many bytes, units or members: in the marker itself, or an integer behind it. */
  #length(offset: number, low: number): { length: number; at: number } {
    if (low < 0x0f) return { length: low, at: offset + 1 };
    this.#check(offset + 1, 1);
    const marker = this.#bytes.readUInt8(offset + 1);
    const size = 1 << (marker & 0x0f);
    if (marker >> 4 !== 0x1 || size > 8) throw new PlistDamage('a length that is no integer');
    this.#check(offset + 2, size);
    return { length: this.#unsigned(offset + 2, size), at: offset + 2 + size };
  }

  /** 1, 2 and 4 bytes are unsigned, 8 and 16 signed; a bigint where a number could not hold it. */
  #integer(at: number, size: number): number | bigint {
    if (size > 16) throw new PlistDamage(`an integer of ${size} bytes`);
    this.#check(at, size);
    if (size < 8) return this.#unsigned(at, size);
    const high = this.#bytes.readBigInt64BE(at);
    const value = size === 8 ? high : (high << 64n) | this.#bytes.readBigUInt64BE(at + 8);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  #real(at: number, size: number): number {
    if (size !== 4 && size !== 8) throw new PlistDamage(`a real number of ${size} bytes`);
    this.#check(at, size);
    return size === 4 ? this.#bytes.readFloatBE(at) : this.#bytes.readDoubleBE(at);
  }

  #string(at: number, size: number, encoding: 'latin1' | 'utf8' | 'utf16be'): string {
    const span = this.#span(at, size);
    this.#work.chargeBytes(size);
    return encoding === 'utf16be' ? Buffer.from(span).swap16().toString('utf16le') : span.toString(encoding);
  }

  #array(at: number, count: number): unknown[] {
    this.#checkMembers(at, count);
    const items: unknown[] = [];
    for (let i = 0; i < count; i++) items.push(this.#member(at, i));
    return items;
  }

  /** All keys stand before all values. */
  #dictionary(at: number, count: number): Map<string, unknown> {
    this.#checkMembers(at, count * 2);
    const map = new Map<string, unknown>();
    for (let i = 0; i < count; i++) {
      const key = this.#member(at, i);
      const value = this.#member(at, count + i);
      if (typeof key === 'string' && key.length <= MAX_PLIST_KEY_LENGTH && value !== undefined) map.set(key, value);
    }
    return map;
  }

  #checkMembers(at: number, count: number): void {
    this.#check(at, count * this.#referenceSize);
    if (count > MAX_PLIST_WORK) throw new PlistDamage('more values than a plist may have');
  }

  #member(at: number, index: number): unknown {
    return this.#object(this.#unsigned(at + index * this.#referenceSize, this.#referenceSize));
  }

  #span(at: number, size: number): Buffer {
    this.#check(at, size);
    return this.#bytes.subarray(at, at + size);
  }

  #check(at: number, size: number): void {
    if (size > this.#end - at) throw new PlistDamage(`an object ends early, at byte ${at}`);
  }

  /** A big-endian number; past 2^53 it loses its last digits: as a length or reference it fails anyway. */
  #unsigned(at: number, size: number): number {
    let value = 0;
    for (let i = at; i < at + size; i++) value = value * 256 + this.#bytes[i]!;
    return value;
  }
}

function constant(marker: number): boolean | undefined {
  switch (marker) {
    case 0x00:
      return undefined;
    case 0x08:
      return false;
    case 0x09:
      return true;
  }
  throw new PlistDamage(`an object of type ${marker.toString(16)}`);
}
