import { blockLoop } from '../messaging/loopGuard.ts';
import { sendMessageNowSchema } from '../protocol/wire.ts';
import type { SendRow } from '../state/SendRow.ts';
import { type CommandContext, commandType, type Effect } from './CommandType.ts';
import { lateReflex } from './lateReflex.ts';

/** `send_message_now`: one bubble, whose outcome is the command's. A reflex is an automatic answer: the loop guard may stop it. */
export const sendMessageNow = commandType(sendMessageNowSchema, (payload, context) => {
  const { store, commandId, immediate, now } = context;
  const { thread_id: threadId, text, bubble_type: bubbleType } = payload;
  if (bubbleType === 'reflex') {
    const said = lateReflex({ commandId, threadId, text, now }, store);
    if (said) return { ...outcomeOf(said, context), saidIn: threadId };
  }
  const send = store.sends.insert({
    key: `command:${commandId}`,
    threadId,
    text,
    bubbleType,
    immediate,
    commandId,
    now,
  });
  const isBlocked = bubbleType === 'reflex' && blockLoop(store, context.loopGuard, { threadId, now, rows: [send] }) > 0;
  return outcomeOf(isBlocked ? store.sends.byId(send.sendId)! : send, context);
});

/**
 * The command tells the outcome of `send`, now if it is known. A superseded bubble was seen as another one. Nobody can
 * vouch for an unknown one, and a bubble in its stead may be one too many: the command fails with the same words as if
 * the send had been its own.
 */
function outcomeOf(send: SendRow, { store, commandId }: CommandContext): Effect {
  store.commands.setSend(commandId, send.sendId);
  switch (send.state) {
    case 'confirmed':
    case 'delivered':
    case 'superseded':
      return { outcome: 'completed', result: { message_guid: send.receiptGuid } };
    case 'failed':
      return { outcome: 'failed', reason: `${send.errorCode}: ${send.errorDetail}` };
    case 'unknown':
      return { outcome: 'failed', reason: send.errorDetail ?? 'unknown outcome' };
    case 'held':
    case 'queued':
    case 'sending':
    case 'accepted':
      return { outcome: 'pending', wake: 'sends' };
  }
}
