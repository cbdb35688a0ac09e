import bplist from 'bplist-creator';

/** An instance of a class, its fields as its encoder names them. */
export interface ArchivedObject {
  readonly className: string;
  readonly fields: Readonly<Record<string, ArchivedValue>>;
}

/** What an archive holds; a plain object is an NSDictionary, an array an NSArray, bytes an NSData. */
export type ArchivedValue =
  | string
  | number
  | boolean
  | null
  | Uint8Array
  | ArchivedObject
  | readonly ArchivedValue[]
  | { readonly [key: string]: ArchivedValue };

interface Uid {
  readonly UID: number;
}

export function archivedUrl(url: string): ArchivedObject {
  return { className: 'NSURL', fields: { 'NS.base': null, 'NS.relative': url } };
}

/**
 * A binary property list as NSKeyedArchiver makes it: one table of objects that point to each other by UID, $null at 0,
 * equal strings and classes once. Scalars of an instance stand in place, everything else in the table.
 */
export function encodeKeyedArchive(root: ArchivedValue): Buffer {
  const objects: unknown[] = ['$null'];
  const known = new Map<string, Uid>();
  const put = (object: unknown): Uid => ({ UID: objects.push(object) - 1 });
  const putOnce = (key: string, object: unknown): Uid => {
    const uid = known.get(key) ?? put(object);
    known.set(key, uid);
    return uid;
  };
  const classOf = (name: string): Uid =>
    putOnce(`class:${name}`, { $classname: name, $classes: name === 'NSObject' ? [name] : [name, 'NSObject'] });
  const putInstance = (name: string, fields: Record<string, unknown>): Uid => put({ ...fields, $class: classOf(name) });

  function add(value: ArchivedValue): Uid {
    if (value === null) return { UID: 0 };
    if (typeof value === 'string') return putOnce(`string:${value}`, value);
    if (typeof value === 'number' || typeof value === 'boolean') return put(value);
    if (value instanceof Uint8Array) return put(Buffer.from(value));
    if (Array.isArray(value)) return putInstance('NSArray', { 'NS.objects': value.map(add) });
    if (isInstance(value)) {
      const fields = Object.entries(value.fields).map(([name, field]) => [name, inPlace(field)]);
      return putInstance(value.className, Object.fromEntries(fields));
    }
    const entries = Object.entries(value as { readonly [key: string]: ArchivedValue });
    const keys = entries.map(([key]) => add(key));
    return putInstance('NSDictionary', { 'NS.keys': keys, 'NS.objects': entries.map(([, its]) => add(its)) });
  }

  function inPlace(value: ArchivedValue): unknown {
    if (typeof value === 'number' || typeof value === 'boolean') return value;
    // NSUUID keeps its bytes in place.
    return value instanceof Uint8Array ? Buffer.from(value) : add(value);
  }

  const top = { root: add(root) };
  return bplist({ $version: 100_000, $archiver: 'NSKeyedArchiver', $top: top, $objects: objects });
}

function isInstance(value: object): value is ArchivedObject {
  return 'className' in value && 'fields' in value;
}
