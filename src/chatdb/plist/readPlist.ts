import { EdgeError, messageOf } from '../../util/EdgeError.ts';
import { KeyedArchive } from './KeyedArchive.ts';
import { PlistDamage } from './PlistDamage.ts';
import { PlistReader } from './PlistReader.ts';

const SIGNATURE = Buffer.from('bplist0', 'latin1');

/** Whether the bytes begin as a binary plist does. */
export function isPlist(bytes: Uint8Array): boolean {
  return SIGNATURE.every((byte, index) => bytes[index] === byte);
}

/**
 * Reads a binary plist: strings, numbers, bigints past 2^53, booleans, Dates, bytes (views into the plist), arrays, Maps
 * and, in an archive, Uids; undefined for null. Takes time linear in the size and never more than some ms.
 * @throws EdgeError EDGE_BODY_UNDECODABLE, nothing else
 */
export function readPlist(bytes: Uint8Array): unknown {
  return refusing(() => {
    if (!isPlist(bytes)) throw new PlistDamage('not a binary plist');
    return new PlistReader({ bytes }).root();
  });
}

/**
 * The contents of a plist that NSKeyedArchiver wrote, as KeyedArchive gives them; undefined where it is another plist.
 * @throws EdgeError EDGE_BODY_UNDECODABLE, nothing else
 */
export function readArchive(bytes: Uint8Array): Map<string, unknown> | undefined {
  return archiveIn(readPlist(bytes));
}

/** As `readArchive`, of a plist that has been read. */
export function archiveIn(plist: unknown): Map<string, unknown> | undefined {
  return refusing(() => KeyedArchive.of(plist)?.contents());
}

function refusing<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new EdgeError('EDGE_BODY_UNDECODABLE', messageOf(error), { cause: error });
  }
}
