import type { ChatRow } from '../chatdb/types.ts';
import type { SendRow } from '../state/Sends.ts';
import type { StateStore } from '../state/StateStore.ts';

/** The bubble of ours that a row in a conversation with oneself gives back. */
export function findSelfEcho(_store: StateStore, _row: ChatRow, _threadId: string, _now: number): SendRow | undefined {
  return undefined;
}
