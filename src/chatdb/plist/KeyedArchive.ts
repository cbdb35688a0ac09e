import { RESOLVE_WORK, resolvedUrl } from '../resolvedUrl.ts';
import { MAX_PLIST_DEPTH, MAX_PLIST_KEY_LENGTH } from './limits.ts';
import { PlistDamage } from './PlistDamage.ts';
import { PlistWork } from './PlistWork.ts';
import { Uid } from './Uid.ts';

/** 2001-01-01 UTC in ms since 1970: where NSDate counts from. */
const APPLE_EPOCH_MS = 978_307_200_000;
const NULL = '$null';

/**
 * What NSKeyedArchiver wrote: objects side by side in `$objects`, each naming others by number. Strings, numbers, URLs
 * (as strings), dates and bytes come out as such, dictionaries and objects of other classes as Maps, collections as
 * arrays; undefined for nil, and where an object contains itself, as parents and children do.
 */
export class KeyedArchive {
  readonly #top: ReadonlyMap<string, unknown>;
  readonly #objects: readonly unknown[];
  readonly #work = new PlistWork();
  #depth = 0;

  constructor(options: { top: ReadonlyMap<string, unknown>; objects: readonly unknown[] }) {
    this.#top = options.top;
    this.#objects = options.objects;
  }

  /** Undefined where the plist is no archive. */
  static of(plist: unknown): KeyedArchive | undefined {
    if (!(plist instanceof Map) || plist.get('$archiver') !== 'NSKeyedArchiver') return undefined;
    const top: unknown = plist.get('$top');
    const objects: unknown = plist.get('$objects');
    return top instanceof Map && Array.isArray(objects) ? new KeyedArchive({ top, objects }) : undefined;
  }

  /**
   * The objects the archive was made of, by the names it gives them; most have the one name `root`.
   * @throws PlistDamage
   */
  contents(): Map<string, unknown> {
    return this.#members(this.#top);
  }

  #value(stored: unknown): unknown {
    this.#work.charge(1);
    if (typeof stored === 'string') this.#work.chargeBytes(stored.length);
    if (typeof stored !== 'object' || stored instanceof Uint8Array || stored instanceof Date) return stored;
    if (++this.#depth > MAX_PLIST_DEPTH) throw new PlistDamage('objects nested too deep');
    const value = this.#compound(stored);
    this.#depth--;
    return value;
  }

  #compound(stored: unknown): unknown {
    if (stored instanceof Uid) return this.#objectAt(stored.index);
    if (stored instanceof Map) return this.#members(stored);
    return Array.isArray(stored) ? stored.map((item) => this.#value(item)) : undefined;
  }

  #objectAt(index: number): unknown {
    if (index >= this.#objects.length) throw new PlistDamage('a reference to an object that is not there');
    const stored = this.#objects[index];
    const read = () => {
      if (stored === NULL) return undefined;
      return stored instanceof Map ? this.#object(stored) : this.#value(stored);
    };
    return this.#work.once(index, read, () => undefined);
  }

  /** Told by its keys: each class has its own, and subclasses share them. */
  #object(stored: ReadonlyMap<string, unknown>): unknown {
    if (stored.has('NS.keys')) return this.#dictionary(stored);
    if (stored.has('NS.objects')) return this.#list(stored.get('NS.objects'));
    if (stored.has('NS.relative')) return this.#url(stored);
    if (stored.has('NS.string')) return this.#value(stored.get('NS.string'));
    if (stored.has('NS.data')) return this.#value(stored.get('NS.data'));
    const time = stored.get('NS.time');
    if (typeof time === 'number') return new Date(APPLE_EPOCH_MS + time * 1000);
    const bytes = stored.get('NS.bytes');
    if (bytes instanceof Uint8Array) return this.#text(bytes);
    // NSAttributedString: its styles say nothing about what it says.
    if (stored.has('NSString')) return this.#value(stored.get('NSString'));
    return this.#members(stored);
  }

  #dictionary(stored: ReadonlyMap<string, unknown>): Map<string, unknown> {
    const keys = this.#list(stored.get('NS.keys'));
    const values = this.#list(stored.get('NS.objects'));
    const map = new Map<string, unknown>();
    keys.forEach((key, index) => {
      const value = values[index];
      if (typeof key === 'string' && key.length <= MAX_PLIST_KEY_LENGTH && value !== undefined) map.set(key, value);
    });
    return map;
  }

  #list(stored: unknown): unknown[] {
    const list = this.#value(stored);
    return Array.isArray(list) ? list : [];
  }

  #text(bytes: Uint8Array): string {
    this.#work.chargeBytes(bytes.length);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  }

  #url(stored: ReadonlyMap<string, unknown>): unknown {
    const relative = this.#value(stored.get('NS.relative'));
    const base = this.#value(stored.get('NS.base'));
    if (typeof relative !== 'string' || typeof base !== 'string') return relative;
    this.#work.charge(RESOLVE_WORK);
    return resolvedUrl(relative, base);
  }

  #members(stored: ReadonlyMap<string, unknown>): Map<string, unknown> {
    const map = new Map<string, unknown>();
    for (const [key, member] of stored) {
      if (key === '$class') continue;
      const value = this.#value(member);
      if (value !== undefined) map.set(key, value);
    }
    return map;
  }
}
