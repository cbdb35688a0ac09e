import { Uid } from '../chatdb/plist/Uid.ts';

/** Bytes shown of a blob. */
const MAX_SHOWN_BYTES = 1024;
/** Characters of all strings together: one may stand in many places, so what is printed must have a limit of its own. */
const MAX_SHOWN_CHARACTERS = 20 * 1024 * 1024;

/**
 * Turns what the decoders give into what JSON can say: Maps into objects, bigints into digits, dates into ISO 8601, bytes
 * into `{ bytes, base64 }` with at most 1024 of them; undefined into null. One object serves one file.
 */
export class JsonSafe {
  #left = MAX_SHOWN_CHARACTERS;

  of(value: unknown): unknown {
    if (typeof value === 'string') return this.#string(value);
    if (typeof value === 'bigint') return String(value);
    if (typeof value !== 'object' || value === null) return value ?? null;
    if (value instanceof Uint8Array) return bytesOf(value);
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
    if (value instanceof Uid) return { uid: value.index };
    if (Array.isArray(value)) return value.map((item) => this.of(item));
    const entries = value instanceof Map ? [...(value as Map<string, unknown>)] : Object.entries(value);
    // Object.fromEntries defines even a key like __proto__ as a plain property.
    return Object.fromEntries(entries.map(([key, item]) => [key, this.of(item)]));
  }

  #string(text: string): string {
    this.#left -= text.length;
    return this.#left >= 0 ? text : '…';
  }
}

function bytesOf(bytes: Uint8Array): { bytes: number; base64: string } {
  const shown = bytes.subarray(0, MAX_SHOWN_BYTES);
  return { bytes: bytes.length, base64: Buffer.from(shown).toString('base64') };
}
