import type { SendRow } from '../state/SendRow.ts';
import { composed } from '../util/composed.ts';

/**
 * The reflex rules of the protocol, without I/O: which bubble of an answer is the one that was pushed ahead.
 *
 * A reflex command becomes a send of its own (key `command:<id>`) or, when the answer came first, is taken to be the
 * answer's first bubble. Either way the answer's row remembers the pair in `reflex_command_id`, which is UNIQUE: one
 * reflex cancels one bubble, and a restart changes nothing, because every decision is made from rows.
 * ```
 * reflex queued, sending, accepted ──▶ the answer's bubble is held, and decided by the reflex's outcome
 * reflex confirmed, delivered      ──▶ superseded: the person has it
 * reflex unknown                   ──▶ superseded: two attempts were made, a third may be seen twice
 * reflex failed                    ──▶ sent
 * no reflex                        ──▶ sent; one that comes late is matched to it and not sent
 * ```
 */

/** How long a reflex and a bubble can still be the same when no POST is in flight (protocol: the reflex). */
export const REFLEX_WINDOW_MS = 600_000;

/** First bubble of an answer, as far as the rules need it. */
export interface FirstBubble {
  readonly text: string;
  /** The command the answer says is the same as this bubble. */
  readonly reflexCommandId: string | undefined;
  /** The answer consists of a burst alone: its first bubble repeats the reflex only if it is named and reads the same. */
  readonly burstOnly: boolean;
}

/** What is known of the command an answer names; both are undefined as long as it has not arrived. */
export interface NamedCommand {
  /** Its own send, key `command:<id>`. */
  readonly send: SendRow | undefined;
  /** The bubble of another answer that it was taken to be. */
  readonly takenBy: SendRow | undefined;
}

export interface FirstBubbleQuestion {
  readonly threadId: string;
  readonly answer: FirstBubble;
  /** When the message that is answered was taken in, ms since 1970. */
  readonly inboundCreatedAt: number;
  readonly now: number;
  readonly named: NamedCommand;
  /** Sends of the thread since the message came in, or of the last REFLEX_WINDOW_MS if that is longer, oldest first. */
  readonly recent: readonly SendRow[];
  /** Ids of reflex commands that some answer's row carries already. */
  readonly taken: ReadonlySet<string>;
}

/** `reflexCommandId` is what the answer's row is to carry. */
export type FirstBubblePlan =
  | { readonly kind: 'send'; readonly reflexCommandId: string | undefined }
  | { readonly kind: 'supersede' | 'hold'; readonly reflex: SendRow; readonly reflexCommandId: string };

/** Decides over the first bubble of an answer that has just come (rules 1, 3, 4, 5). */
export function planFirstBubble(question: FirstBubbleQuestion): FirstBubblePlan {
  const { answer, named, threadId } = question;
  const id = answer.reflexCommandId;
  if (id !== undefined && !named.takenBy) {
    const { send } = named;
    // A reflex that went to another thread was not seen in this one.
    const same = send?.threadId === threadId && (!answer.burstOnly || sameText(send.text, answer.text));
    return follow(same ? send : undefined, id);
  }
  // Where another answer, that named none, took the named reflex for its own by its text, its own one reads the same and
  // stands in for this one: two reflexes and two answers are two bubbles, whichever way they are paired.
  const text = (named.send ?? named.takenBy)?.text ?? answer.text;
  return follow(answer.burstOnly ? undefined : oldestReflex(question, text), undefined);
}

/**
 * Rule 2: the answer's bubble that a reflex repeats which came only after it; undefined: the reflex is sent.
 * `named` is the row that carries the command's id (`sends.byReflexCommand`), which decides alone if there is one;
 * else it is the oldest first bubble of an answer of the last REFLEX_WINDOW_MS with the same text that has no reflex.
 *
 * Swallowing by text cannot lose a bubble, even when it is another answer's: the answer the reflex belongs to carries
 * the bubble itself, and finding its reflex taken, sends it.
 */
export function matchLateReflex(
  reflex: { readonly commandId: string; readonly text: string; readonly now: number },
  recent: readonly SendRow[],
  named?: SendRow,
): SendRow | undefined {
  if (named) {
    const differs = named.bubbleType === 'burst' && !sameText(named.text, reflex.text);
    return differs ? undefined : named;
  }
  return recent.find(
    (row) =>
      isFirstOfAnswer(row) &&
      row.bubbleType !== 'burst' &&
      row.reflexCommandId === null &&
      row.state !== 'failed' &&
      row.state !== 'superseded' &&
      row.createdAt >= reflex.now - REFLEX_WINDOW_MS &&
      sameText(row.text, reflex.text),
  );
}

/** Equal after NFC, trimming, and folding white space and typographic quotes. */
export function sameText(a: string, b: string): boolean {
  return a === b || fold(a) === fold(b);
}

/** The command id of a reflex that is a send of its own. */
export function reflexIdOf(row: SendRow): string | undefined {
  const own = row.bubbleType === 'reflex' && row.key.startsWith(COMMAND_KEY);
  return own ? row.key.slice(COMMAND_KEY.length) : undefined;
}

const COMMAND_KEY = 'command:';

function fold(text: string): string {
  return composed(text)
    .replace(/[‘’‚‛‹›′]/g, "'")
    .replace(/[“”„‟«»″]/g, '"')
    .replace(/\s+/g, ' ')
    .trim();
}

function isFirstOfAnswer(row: SendRow): boolean {
  return row.key.startsWith('reply:') && row.bubbleIndex === 0;
}

/** A failed reflex was seen by nobody: it is passed over, so that it does not stand before one that was. */
function oldestReflex(question: FirstBubbleQuestion, text: string): SendRow | undefined {
  const since = Math.min(question.inboundCreatedAt, question.now - REFLEX_WINDOW_MS);
  return question.recent.find((row) => {
    const id = reflexIdOf(row);
    if (id === undefined || question.taken.has(id) || row.createdAt < since) return false;
    return row.state !== 'failed' && row.state !== 'superseded' && sameText(row.text, text);
  });
}

/** What the reflex's state means for the bubble. `named` is carried even when there is no reflex yet, or it failed. */
function follow(reflex: SendRow | undefined, named: string | undefined): FirstBubblePlan {
  const reflexCommandId = named ?? (reflex && reflexIdOf(reflex));
  if (!reflex || reflexCommandId === undefined) return { kind: 'send', reflexCommandId };
  switch (reflex.state) {
    case 'held':
    case 'queued':
    case 'sending':
    case 'accepted':
      return { kind: 'hold', reflex, reflexCommandId };
    case 'confirmed':
    case 'delivered':
    case 'unknown':
      return { kind: 'supersede', reflex, reflexCommandId };
    case 'failed':
    case 'superseded':
      return { kind: 'send', reflexCommandId };
  }
}
