import { CommandHandler } from '../../src/commands/CommandHandler.ts';
import { SendOutcomes } from '../../src/messaging/SendOutcomes.ts';
import type { InboundRow } from '../../src/state/Inbound.ts';
import type { SendRow } from '../../src/state/SendRow.ts';
import type { StateStore } from '../../src/state/StateStore.ts';
import { silentTelemetry as telemetry } from '../../src/util/Telemetry.ts';
import { FakeClock } from '../support/FakeClock.ts';

/** A reflex command comes. */
export function acceptReflex(
  store: StateStore,
  reflex: { commandId: string; threadId: string; text: string },
  now: number,
  maxBubbleChars = Number.POSITIVE_INFINITY,
): 'repeated' | 'swallowed' | 'queued' {
  const { commandId: command_id, threadId: thread_id, text } = reflex;
  if (store.commands.byId(command_id)) return 'repeated';
  const wake = () => {};
  const handler = new CommandHandler({
    store,
    clock: new FakeClock(now),
    telemetry,
    onSends: wake,
    onSchedules: wake,
    onAcks: wake,
    maxBubbleChars,
  });
  const payload = { thread_id, text, bubble_type: 'reflex' };
  handler.handle({ command_id, command_type: 'send_message_now', payload }, 'websocket');
  return store.sends.byKey(`command:${command_id}`) ? 'queued' : 'swallowed';
}

export type Outcome = 'confirmed' | 'failed' | 'unknown';

/** A send comes to its end. */
export function settle(store: StateStore, send: SendRow, outcome: Outcome, now: number): void {
  const outcomes = new SendOutcomes({ store, clock: new FakeClock(now), telemetry });
  if (outcome === 'failed') outcomes.failed(send, 'EDGE_SEND_REFUSED', 'as the test says');
  else if (outcome === 'unknown') outcomes.unknown(send);
  else
    outcomes.received(send, {
      guid: `receipt-${send.sendId}`,
      rowid: send.sendId,
      error: 0,
      isSent: true,
      isDelivered: false,
    });
}

/** A message taken in, ready to be answered. */
export function takeIn(
  store: StateStore,
  guid: string,
  threadId: string,
  now: number,
): InboundRow & { threadId: string } {
  const body = {
    thread_id: threadId,
    sender: threadId,
    filtered_text: 'hi',
    message_guid: guid,
    original_timestamp: new Date(now).toISOString(),
    is_group: false,
    participants: [threadId],
    chat_guid: `iMessage;-;${threadId}`,
    service: 'iMessage',
    was_redacted: false,
    redacted_fields: [],
    filter_reason: '',
  };
  store.transaction(() => store.inbound.insert({ guid, epoch: 1, chatRowid: 1, threadId, body, backfill: false, now }));
  const row = store.inbound.byGuid(guid)!;
  return { ...row, threadId };
}
