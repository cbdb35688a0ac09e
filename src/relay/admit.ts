import type { ChatRow } from '../chatdb/types.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { isBackfill } from './backfill.ts';
import type { PrivacyFilter } from './privacy.ts';
import { toRequest } from './toRequest.ts';

export interface AdmitOptions {
  store: StateStore;
  telemetry: Telemetry;
  privacy: PrivacyFilter;
  answerMaxAgeSeconds: number;
}

/** What is told once the transaction is through. */
export type Told = () => void;

/**
 * Writes a message as an inbound row that may be posted, or completes the parked one, within the caller's transaction.
 * A message that the privacy settings refuse becomes a row that is done and an event without its text; it is never posted.
 */
export function admit(o: AdmitOptions, row: ChatRow, threadId: string, epoch: number, now: number): Told {
  const { inbound, events } = o.store;
  const { guid } = row;
  const isParked = inbound.knows(guid);
  const known = { guid, epoch, chatRowid: row.rowid, threadId, now };
  const reason = o.privacy.refuses({ threadId, sender: row.handle, service: row.service, text: row.text });
  if (reason !== undefined) {
    if (!isParked) inbound.insert({ ...known, body: undefined, backfill: false });
    inbound.markDone(guid, now);
    const details = { message_guid: guid, reason };
    events.insert({ event_id: `filtered:${guid}`, event_type: 'message_filtered', thread_id: threadId, details }, now);
    return () => {};
  }
  const backfill = isBackfill({ dateAt: row.dateAt, now, answerMaxAgeSeconds: o.answerMaxAgeSeconds });
  const body = toRequest(row, threadId, { privacy: o.privacy, backfill, now });
  if (isParked) inbound.complete(guid, threadId, body, backfill);
  else inbound.insert({ ...known, body, backfill });
  return () => {
    if (row.decodeError !== undefined) o.telemetry.bodyUndecodable(guid, row.decodeError, 0);
    o.telemetry.messageReceived({ guid, threadId, backfill, text: body.filtered_text });
  };
}
