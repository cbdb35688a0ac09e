import { blockLoop } from '../messaging/loopGuard.ts';
import { outcomeOf, wholeOf } from '../messaging/partsOutcome.ts';
import { partTexts, queueParts } from '../messaging/queueText.ts';
import { sendMessageNowSchema } from '../protocol/wire.ts';
import type { SendRow } from '../state/SendRow.ts';
import type { StateStore } from '../state/StateStore.ts';
import { type CommandContext, commandType, type Effect } from './CommandType.ts';
import { lateReflex } from './lateReflex.ts';

/**
 * `send_message_now`: a text, whose outcome is the command's. A reflex is an automatic answer: the loop guard may stop
 * it; where its answer came first and broke off, it says the rest.
 */
export const sendMessageNow = commandType(sendMessageNowSchema, (payload, context) => {
  const { store, commandId, immediate, now, maxBubbleChars } = context;
  const { thread_id: threadId, text, bubble_type: bubbleType } = payload;
  const isReflex = bubbleType === 'reflex';
  const late = isReflex ? lateReflex({ commandId, threadId, text, now }, store) : undefined;
  if (late?.lost.length === 0) return { ...effectOf(wholeAt(late.said.sendId, store), context), saidIn: threadId };
  const send = { key: `command:${commandId}`, threadId, bubbleType, immediate, commandId, now };
  const parts = (late?.lost ?? partTexts(text, maxBubbleChars)).map((part) => ({ text: part }));
  const rows = queueParts(store, send, parts);
  if (!isReflex) return effectOf(rows, context);
  blockLoop(store, context.loopGuard, { threadId, now, rows });
  return effectOf(wholeAt(rows[0]!.sendId, store), context);
});

const wholeAt = (sendId: number, store: StateStore) => wholeOf(store, store.sends.byId(sendId)!);

/**
 * The command tells the outcome of that send and its parts, now if it is known. A superseded bubble was seen as another
 * one. Nobody can vouch for an unknown one, and a bubble in its stead may be one too many: the command fails with the
 * same words as if the send had been its own.
 */
function effectOf(whole: readonly SendRow[], { store, commandId }: CommandContext): Effect {
  const { sendId, threadId } = whole[0]!;
  store.commands.setSend(commandId, sendId);
  const outcome = outcomeOf(store, whole);
  switch (outcome.kind) {
    case 'completed':
      return { outcome: 'completed', result: outcome.result };
    case 'failed':
      return { outcome: 'failed', reason: outcome.reason };
    case 'open':
      return { outcome: 'pending', wake: 'sends', threadId };
  }
}
