import type { ChatRow } from '../chatdb/types.ts';
import type { SendRow } from '../state/SendRow.ts';
import type { StateStore } from '../state/StateStore.ts';
import { sameHandle } from './address.ts';
import { carriesFile } from './files/fileReceipt.ts';
import { sameText } from './reflex.ts';

/** How long after a bubble its echo may come, ms. It takes seconds; a Mac that was offline gets it later. */
const ECHO_WITHIN_MS = 600_000;

/**
 * The bubble of ours that an inbound row gives back: in a conversation with oneself Messages writes what was sent a
 * second time, as received. Of several bubbles that read the same it is the oldest that has not been given back; the
 * caller marks it (`Sends.markEcho`) in the same transaction. Undefined: somebody wrote the row.
 */
export function findSelfEcho(store: StateStore, row: ChatRow, threadId: string, now: number): SendRow | undefined {
  if (row.isFromMe || !isWithOneself(row)) return undefined;
  const text = row.text.replaceAll('\ufffc', '');
  const sent = store.sends.withoutEcho(threadId, now - ECHO_WITHIN_MS);
  return sent.find((send) =>
    send.fileName === null
      ? sameText(send.text.replaceAll('\0', '').toWellFormed(), text)
      : carriesFile(row, send.fileName),
  );
}

function isWithOneself(row: ChatRow): boolean {
  if (row.chat?.isGroup) return false;
  const others = [row.handle, row.chat?.identifier].filter((address) => address !== undefined);
  return others.some((other) => row.ownAddresses.some((own) => sameHandle(own, other)));
}
