import type { ReceiptState } from '../chatdb/types.ts';
import type { EdgeEvent } from '../protocol/wire.ts';
import type { SendRow } from '../state/SendRow.ts';

/** An event about a send. Its id is made of `prefix` and the key, so that each thing is told once. */
export function sendEvent(
  type: EdgeEvent['event_type'],
  prefix: string,
  send: SendRow,
  details: Record<string, unknown>,
): EdgeEvent {
  return {
    event_id: `${prefix}:${send.key}`,
    event_type: type,
    thread_id: send.threadId,
    details: {
      send_id: send.sendId,
      key: send.key,
      ...(send.partOf === null ? {} : { part_of: send.partOf }),
      message_guid: null,
      ...(send.scheduleId === null ? {} : { schedule_id: send.scheduleId }),
      ...details,
    },
  };
}

/** `send` is as it is now; its status is `sent`, or `confirmed` where Messages has not said that it sent the row. */
export function messageSent(
  send: SendRow,
  row: Pick<ReceiptState, 'guid' | 'isSent' | 'isDelivered'>,
  more: { corrects?: 'unknown' } = {},
): EdgeEvent {
  return sendEvent('message_sent', 'sent', send, {
    message_guid: row.guid,
    status: row.isSent || row.isDelivered ? 'sent' : 'confirmed',
    ...at('accepted_at', send.acceptedAt),
    ...at('confirmed_at', send.confirmedAt),
    ...more,
  });
}

function at(name: string, ms: number | null): Record<string, string> {
  return ms === null ? {} : { [name]: new Date(ms).toISOString() };
}
