import type { FileIdentity } from '../chatdb/types.ts';
import type { EpochRow } from '../state/Epochs.ts';
import type { MessageSource } from './MessageSource.ts';

/** `moved`: the same database under another inode. `new`: ROWIDs mean something else now. */
export type EpochChoice = 'first' | 'same' | 'moved' | 'new';

/** Rows taken in before, newest first: where they stood. */
export type Witnesses = readonly { readonly rowid: number; readonly guid: string }[];

/**
 * Whether the cursor still means what it did. The facts it rests on:
 * - chat.db numbers its rows with AUTOINCREMENT, so within one database a ROWID is never given twice.
 * - Rows vanish in normal use (a replaced tapback, a deleted message), the one at the cursor too. A cursor whose row is
 *   gone is therefore good as long as the database reaches past it and no row we know has another guid.
 * - A database whose last ROWID lies below the cursor may be ours with its tail deleted, or yesterday's copy put back,
 *   even in place, which would number new rows below the cursor and hide them. The two look alike. Starting an epoch is
 *   safe for both, because guids that are known are not taken in again; going on is safe for one only.
 */
export function chooseEpoch(
  last: EpochRow | undefined,
  witnesses: Witnesses,
  source: MessageSource,
  identity: FileIdentity,
): EpochChoice {
  if (!last) return 'first';
  const sameFile = last.dev === identity.dev && last.ino === identity.ino;
  const goOn = sameFile ? 'same' : 'moved';
  const guid = source.guidAt(last.cursorRowid);
  if (guid !== undefined && last.cursorGuid !== null) return guid === last.cursorGuid ? goOn : 'new';
  if (source.maxRowid() < last.cursorRowid) return 'new';
  let known = sameFile;
  for (const witness of witnesses) {
    const now = source.guidAt(witness.rowid);
    if (now !== undefined && now !== witness.guid) return 'new';
    if (now === witness.guid) known = true;
  }
  return known ? goOn : 'new';
}
