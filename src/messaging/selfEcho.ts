import type { ChatRow } from '../chatdb/types.ts';
import type { SendRow } from '../state/SendRow.ts';
import type { StateStore } from '../state/StateStore.ts';
import { sameHandle } from './address.ts';
import { carriesFile } from './files/fileReceipt.ts';
import { sameText } from './reflex.ts';

/** How far a bubble and its echo may lie apart, ms. The echo takes seconds, and is dated of then when it comes hours later. */
const ECHO_WITHIN_MS = 600_000;

/**
 * The bubble of ours that an inbound row gives back: in a conversation with oneself Messages writes what was sent a
 * second time, as received. Of several bubbles that read the same it is the oldest that has not been given back; the
 * caller marks it (`Sends.markEcho`) in the same transaction. Undefined: somebody wrote the row.
 */
export function findSelfEcho(store: StateStore, row: ChatRow, threadId: string, now: number): SendRow | undefined {
  if (row.isFromMe || !isWithOneself(row)) return undefined;
  const text = row.text.replaceAll('\ufffc', '');
  const sent = store.sends.withoutEcho(threadId, sentWithin(row, now));
  return sent.find((send) =>
    send.fileName === null
      ? sameText(send.text.replaceAll('\0', '').toWellFormed(), text)
      : carriesFile(row, send.fileName),
  );
}

/** When its bubble was sent. Of one that is dated of now the latest may lie ahead: the wall clock was set back. */
function sentWithin(row: ChatRow, now: number): { since: number; until: number } {
  const at = Math.min(row.dateAt ?? now, now);
  const isNew = now - at <= ECHO_WITHIN_MS;
  return { since: at - ECHO_WITHIN_MS, until: isNew ? Number.MAX_SAFE_INTEGER : at + ECHO_WITHIN_MS };
}

function isWithOneself(row: ChatRow): boolean {
  if (row.chat?.isGroup) return false;
  const others = [row.handle, row.chat?.identifier].filter((address) => address !== undefined);
  return others.some((other) => row.ownAddresses.some((own) => sameHandle(own, other)));
}
