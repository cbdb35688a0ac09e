import type { ChatRow } from '../chatdb/types.ts';
import type { SendRow } from '../state/SendRow.ts';
import type { StateStore } from '../state/StateStore.ts';
import { isReachedBySms, serviceOf } from './address.ts';
import { messageError } from './messageErrors.ts';

/** Whether a bubble that Messages refused may go by SMS: a text to one person's number, refused as iMessage, once. */
export function mayGoBySms(send: SendRow, row: ChatRow): boolean {
  if (send.smsFallback || send.fileId !== null || messageError(row.error).retry !== 'sms') return false;
  const wentByImessage = serviceOf({ service: row.service, newestService: undefined }) === 'iMessage';
  return wentByImessage && isReachedBySms(send.threadId, row.chat);
}

/**
 * Back in the queue, to go by SMS. The attempts stay counted, so that there is no more than this one; the refused row
 * is spent, so that it is not found again. Returns why, for the log.
 */
export function requeueBySms(store: StateStore, send: SendRow, row: ChatRow, now: number): string {
  const detail = `message.error ${row.error}: ${messageError(row.error).means}`;
  store.transaction(() => {
    store.spentRows.add(row.guid, send.sendId, 'refused', now);
    store.sends.requeueBySms(send.sendId, 'EDGE_SEND_REFUSED', detail);
  });
  return detail;
}
