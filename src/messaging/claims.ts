import type { StateStore } from '../state/StateStore.ts';

/**
 * Whether a row of chat.db proves another send than this one, or none. What was taken for a ghost and was filled in
 * later still proves the send that left it.
 */
export function isClaimed(store: StateStore, guid: string, sendId: number): boolean {
  if (store.sends.claimed(guid)) return true;
  const spent = store.spentRows.of(guid);
  return spent !== undefined && !(spent.why === 'ghost' && spent.sendId === sendId);
}
