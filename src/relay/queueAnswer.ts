import { blockLoop, type LoopGuard } from '../messaging/loopGuard.ts';
import { wholeOf } from '../messaging/partsOutcome.ts';
import { type Part, partTexts, queueParts } from '../messaging/queueText.ts';
import { besideReflex, planFirstBubble, REFLEX_WINDOW_MS, reflexIdOf } from '../messaging/reflex.ts';
import type { MessageResponse } from '../protocol/wire.ts';
import type { InboundRow } from '../state/Inbound.ts';
import type { SendRow } from '../state/SendRow.ts';
import type { StateStore } from '../state/StateStore.ts';
import { planAnswer } from './answer.ts';

export interface QueuedAnswer {
  /** Bubbles that go out, those that the reflex has said included. */
  readonly bubbles: number;
  /** Bubbles the loop guard stopped. */
  readonly blocked: number;
  readonly blank: number;
  readonly refused: number;
  /** Bubbles not sent because the answer lacks should_respond. */
  readonly unsaid: number;
  /** The reflex that has said the first bubble; one whose outcome is open is told of when it settles. */
  readonly saidByReflex: string | undefined;
}

/**
 * Writes the bubbles of an answer as sends, within the caller's transaction. They stay together; of two answers that
 * wait the earlier message's goes first; one that has begun is not interrupted. Where the loop guard stops the answer,
 * its bubbles are failed from the beginning.
 */
export function queueAnswer(
  store: StateStore,
  inbound: InboundRow & { threadId: string },
  response: MessageResponse,
  now: number,
  /** Without a loop guard: answers without end. `maxBubbleChars`: by default texts stay whole. */
  o: { loopGuard?: LoopGuard | undefined; maxBubbleChars?: number } = {},
): QueuedAnswer {
  const { loopGuard, maxBubbleChars = Number.POSITIVE_INFINITY } = o;
  const { bubbles, burstOnly, blank, refused, unsaid } = planAnswer(response);
  const groupKey = `reply:${inbound.guid}`;
  const first = bubbles[0];
  if (!first || store.sends.byGroup(groupKey).length > 0) {
    return { bubbles: 0, blocked: 0, blank, refused, unsaid, saidByReflex: undefined };
  }
  const answer = { text: first.text, reflexCommandId: response.reflex_command_id, burstOnly };
  const plan = planFirst(store, inbound, answer, now);
  const texts = bubbles.map(({ text }) => partTexts(text, maxBubbleChars).map((part): Part => ({ text: part })));
  texts[0] = besideReflex(
    texts[0]!.map(({ text }) => text),
    plan.reflex,
  );
  const said = texts[0][0]?.state === 'superseded' ? plan.reflexCommandId : undefined;
  const position = makeRoom(store, inbound, heldBy(texts[0], plan.reflex));
  const rows: SendRow[] = [];
  for (const [index, { bubbleType, delayMs }] of bubbles.entries()) {
    const send = {
      key: `${groupKey}:${index}`,
      groupKey,
      threadId: inbound.threadId,
      answersId: inbound.inboundId,
      position,
      bubbleIndex: rows.length,
      bubbleType,
      now,
      ...(delayMs > 0 ? { notBeforeAt: now + delayMs } : {}),
      ...(index === 0 && plan.reflexCommandId !== undefined ? { reflexCommandId: plan.reflexCommandId } : {}),
    };
    rows.push(...queueParts(store, send, texts[index]!));
  }
  const blocked = blockLoop(store, loopGuard, { threadId: inbound.threadId, now, rows });
  return { bubbles: rows.length - blocked, blocked, blank, refused, unsaid, saidByReflex: said };
}

/** The last bubble of the reflex that one of the parts waits for. */
function heldBy(parts: readonly Part[], reflex: readonly SendRow[]): SendRow | undefined {
  return reflex.findLast(({ sendId }) => parts.some((part) => part.state === 'held' && part.waitsFor === sendId));
}

function planFirst(
  store: StateStore,
  inbound: InboundRow & { threadId: string },
  answer: { text: string; reflexCommandId: string | undefined; burstOnly: boolean },
  now: number,
) {
  const since = Math.min(inbound.createdAt, now - REFLEX_WINDOW_MS);
  const recent = store.sends.reflexesOf(inbound.threadId, since);
  const id = answer.reflexCommandId;
  const ids = recent.map(reflexIdOf).filter((known) => known !== undefined);
  // Asked of the table, not of `recent`: the wall clock may have stepped between the two rows.
  const taken = new Set(ids.filter((known) => store.sends.byReflexCommand(known)));
  const named =
    id === undefined
      ? { send: undefined, takenBy: undefined }
      : { send: store.sends.byKey(`command:${id}`), takenBy: store.sends.byReflexCommand(id) };
  const { threadId, createdAt: inboundCreatedAt } = inbound;
  return planFirstBubble({
    threadId,
    answer,
    inboundCreatedAt,
    now,
    named,
    recent,
    taken,
    wholeOf: (first) => wholeOf(store, first),
  });
}

/**
 * The position of the new group: that of the earliest waiting answer to a later message, which moves back with all
 * behind it, else the end. Never before the reflex the group is held by: its thread would stand still for ever.
 */
function makeRoom(store: StateStore, inbound: InboundRow & { threadId: string }, heldBy: SendRow | undefined): number {
  const { sends } = store;
  const asked = new Set<string>();
  const later = sends.openOf(inbound.threadId).find((row) => {
    const isLater = row.answersId !== null && row.answersId > inbound.inboundId;
    if (!isLater || row.position <= (heldBy?.position ?? Number.NEGATIVE_INFINITY)) return false;
    if (asked.has(row.groupKey)) return false;
    asked.add(row.groupKey);
    return sends.byGroup(row.groupKey).every(isUntouched);
  });
  if (!later) return sends.lastPosition(inbound.threadId) + 1;
  sends.makeRoomAt(inbound.threadId, later.position);
  return later.position;
}

function isUntouched(row: SendRow): boolean {
  return row.state === 'queued' && row.attempts === 0;
}
