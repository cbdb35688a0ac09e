import type { SendRow } from '../state/SendRow.ts';
import type { StateStore } from '../state/StateStore.ts';
import { ERRORS } from '../util/errors.ts';

/**
 * Stops two programs that answer each other: a thread that gets more automatic answers than people read is muted.
 * ```
 * open ──answer past the limit: tripped, one event──▶ muted ──a window later, by itself──▶ open
 * ```
 * Automatic are the bubbles of answers and reflex commands; an answer and the reflex pushed ahead of it are one. What
 * comes while a thread is muted becomes rows like any other, which end at once as failed with EDGE_ANSWER_LOOP. All of
 * it is decided from rows, so that a restart changes nothing.
 */
export interface LoopGuard {
  /** Automatic answers that a thread may get within the window. */
  readonly limit: number;
  readonly windowMs: number;
  /** A thread was muted; called once the transaction is through. */
  onTripped(detail: string): void;
}

const CODE = 'EDGE_ANSWER_LOOP';
/** What ack and row say of a bubble that was not sent. */
const BLOCKED = 'the thread gets more automatic answers than relay.loop_guard_answers allows, and is muted';

/**
 * Whether an automatic answer whose rows have just been written may go out, within the caller's transaction. `tripped`
 * and `muted`: it may not; at `tripped` the thread is muted from now on, and the event that tells it is written.
 */
export function admitAnswer(
  store: StateStore,
  o: { threadId: string; now: number; limit: number; windowMs: number },
): 'allowed' | 'tripped' | 'muted' {
  const { threadId, now, limit, windowMs } = o;
  if (store.mutedThreads.until(threadId, now) !== undefined) return 'muted';
  if (store.sends.automaticAnswers(threadId, { since: now - windowMs, now }) <= limit) return 'allowed';
  const until = now + windowMs;
  store.mutedThreads.mute(threadId, now, until);
  const details = { code: CODE, message: tripText(o), fix: ERRORS[CODE].fix };
  store.events.insert(
    { event_id: `answer_loop:${threadId}:${now}`, event_type: 'error', thread_id: threadId, details },
    now,
  );
  return 'tripped';
}

/**
 * Ends those of the rows that would go out when the thread may get no more automatic answers; returns how many. What a
 * reflex has said, or is about to say, is left as it is: it was let through before.
 */
export function blockLoop(
  store: StateStore,
  guard: LoopGuard | undefined,
  o: { threadId: string; now: number; rows: readonly SendRow[] },
): number {
  if (!guard) return 0;
  const { threadId, now, rows } = o;
  const verdict = admitAnswer(store, { threadId, now, limit: guard.limit, windowMs: guard.windowMs });
  if (verdict === 'allowed') return 0;
  if (verdict === 'tripped') {
    const detail = `${threadId}: ${tripText({ now, ...guard })}`;
    store.afterCommit(() => guard.onTripped(detail));
  }
  const blocked = rows.filter((row) => row.state === 'queued');
  for (const { sendId } of blocked) store.sends.finish(sendId, 'failed', now, CODE, BLOCKED);
  return blocked.length;
}

function tripText({ now, limit, windowMs }: { now: number; limit: number; windowMs: number }): string {
  const until = new Date(now + windowMs).toISOString();
  return `more than ${limit} automatic answers in ${windowMs / 1000} s; none is sent until ${until}`;
}
