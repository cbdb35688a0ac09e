import { matchLateReflex, REFLEX_WINDOW_MS } from '../../src/messaging/reflex.ts';
import type { InboundRow } from '../../src/state/Inbound.ts';
import type { SendRow } from '../../src/state/SendRow.ts';
import type { StateStore } from '../../src/state/StateStore.ts';

/** What the command handler does with a reflex command, reduced to the rows. */
export function acceptReflex(
  store: StateStore,
  reflex: { commandId: string; threadId: string; text: string },
  now: number,
): 'repeated' | 'swallowed' | 'queued' {
  const { commandId, threadId, text } = reflex;
  return store.transaction(() => {
    const fresh = store.commands.insert({
      commandId,
      commandType: 'send_message_now',
      payload: {},
      channel: 'websocket',
      issuedAt: undefined,
      now,
    });
    if (!fresh) return 'repeated';
    const named = store.sends.byReflexCommand(commandId);
    const recent = store.sends.recentOf(threadId, now - REFLEX_WINDOW_MS);
    const twin = matchLateReflex({ commandId, text, now }, recent, named);
    if (twin) {
      store.sends.linkReflex(twin.sendId, commandId);
      store.commands.setSend(commandId, twin.sendId);
      return 'swallowed';
    }
    const send = store.sends.insert({
      key: `command:${commandId}`,
      threadId,
      text,
      bubbleType: 'reflex',
      immediate: true,
      commandId,
      now,
    });
    store.commands.setSend(commandId, send.sendId);
    return 'queued';
  });
}

export type Outcome = 'confirmed' | 'failed' | 'unknown';

/** What the sender does with the outcome of a send, reduced to the rows. */
export function settle(store: StateStore, send: SendRow, outcome: Outcome, now: number): void {
  store.transaction(() => {
    if (outcome === 'confirmed') {
      store.sends.markConfirmed(send.sendId, { guid: `receipt-${send.sendId}`, rowid: send.sendId }, now);
    } else {
      store.sends.finish(send.sendId, outcome, now, 'EDGE_SEND_UNCONFIRMED', 'as the test says');
    }
    for (const held of store.sends.heldBy(send.sendId)) {
      if (outcome === 'failed') store.sends.requeue(held.sendId, {});
      else store.sends.finish(held.sendId, 'superseded', now);
    }
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
