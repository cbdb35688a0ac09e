import bplistCreator from 'bplist-creator';

/** What an archived object may hold in these tests. */
export type Archived =
  | string
  | number
  | boolean
  | Buffer
  | { readonly url: string; readonly base?: string }
  | { readonly date: number }
  | { readonly object: string; readonly members: Readonly<Record<string, Archived>> }
  | { readonly self: true }
  | readonly Archived[]
  | ReadonlyMap<string, Archived>;

/** A binary plist as Apple's own writer lays it out. */
export function encodePlist(value: Record<string, unknown> | unknown[]): Buffer {
  return bplistCreator(value);
}

/** A real number, also where it is whole. */
export function real(value: number): unknown {
  return new bplistCreator.Real(value);
}

/** What NSKeyedArchiver writes for a root object; `{ self: true }` is a reference to the root. */
export function encodeArchive(root: Archived, name = 'root'): Buffer {
  const objects: unknown[] = ['$null'];
  const reference = (value: Archived): { UID: number } => {
    const UID = objects.push(undefined) - 1;
    objects[UID] = stored(value);
    return { UID };
  };
  const instance = (className: string, members: Record<string, unknown>) => ({
    ...members,
    $class: { UID: objects.push({ $classname: className, $classes: [className, 'NSObject'] }) - 1 },
  });
  const stored = (value: Archived): unknown => {
    if (typeof value !== 'object' || Buffer.isBuffer(value)) return value;
    if (Array.isArray(value)) return instance('NSArray', { 'NS.objects': value.map(member) });
    if (value instanceof Map) {
      return instance('NSDictionary', {
        'NS.keys': [...value.keys()].map(reference),
        'NS.objects': [...value.values()].map(member),
      });
    }
    if ('url' in value) {
      const base = value.base === undefined ? { UID: 0 } : reference({ url: value.base });
      return instance('NSURL', { 'NS.base': base, 'NS.relative': reference(value.url) });
    }
    if ('date' in value) return instance('NSDate', { 'NS.time': real(value.date / 1000 - 978_307_200) });
    if ('object' in value) {
      return instance(
        value.object,
        Object.fromEntries(Object.entries(value.members).map(([key, each]) => [key, member(each)])),
      );
    }
    throw new TypeError('not archived');
  };
  const member = (value: Archived) =>
    typeof value === 'object' && !Buffer.isBuffer(value) && 'self' in value ? { UID: 1 } : reference(value);
  const $top = { [name]: reference(root) };
  return encodePlist({ $version: 100_000, $archiver: 'NSKeyedArchiver', $top, $objects: objects });
}

/** A plist from the bytes of its objects, for what no writer would write; references take two bytes. */
export function rawPlist(
  objects: readonly (Buffer | readonly number[])[],
  change: { root?: number; count?: bigint; tableAt?: bigint; offsetSize?: number; referenceSize?: number } = {},
): Buffer {
  const bodies = objects.map((object) => Buffer.from(object));
  const table = Buffer.alloc(bodies.length * 4);
  let at = 8;
  bodies.forEach((body, index) => {
    table.writeUInt32BE(at, index * 4);
    at += body.length;
  });
  const trailer = Buffer.alloc(32);
  trailer[6] = change.offsetSize ?? 4;
  trailer[7] = change.referenceSize ?? 2;
  trailer.writeBigUInt64BE(change.count ?? BigInt(bodies.length), 8);
  trailer.writeBigUInt64BE(BigInt(change.root ?? 0), 16);
  trailer.writeBigUInt64BE(change.tableAt ?? BigInt(at), 24);
  return Buffer.concat([Buffer.from('bplist00'), ...bodies, table, trailer]);
}

/** An array of references, for rawPlist. */
export function rawArray(...references: readonly number[]): Buffer {
  const body = Buffer.alloc(references.length * 2);
  references.forEach((reference, index) => {
    body.writeUInt16BE(reference, index * 2);
  });
  const head =
    references.length < 15
      ? [0xa0 | references.length]
      : [0xaf, 0x11, references.length >> 8, references.length & 0xff];
  return Buffer.concat([Buffer.from(head), body]);
}
