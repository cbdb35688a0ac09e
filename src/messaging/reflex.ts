import type { SendRow } from '../state/SendRow.ts';
import { composed } from '../util/composed.ts';
import type { Part } from './queueText.ts';

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
 * Texts that are several bubbles are compared as a whole, and then decided bubble by bubble: the answer's text is cut as
 * the reflex was, and each part follows its counterpart, so that of a reflex that broke off the answer says the rest.
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
  /** Reflexes of the thread since the message came in, or of the last REFLEX_WINDOW_MS if that is longer, oldest first. */
  readonly recent: readonly SendRow[];
  /** Ids of reflex commands that some answer's row carries already. */
  readonly taken: ReadonlySet<string>;
  readonly wholeOf: WholeOf;
}

/** The bubbles of a text, from its first one. */
export type WholeOf = (first: SendRow) => readonly SendRow[];

export interface FirstBubblePlan {
  /** What the answer's row is to carry: also when the command it names has not come, or failed. */
  readonly reflexCommandId: string | undefined;
  /** The bubbles of the reflex that says what this bubble says; none: it is sent. */
  readonly reflex: readonly SendRow[];
}

/** Finds the reflex of the first bubble of an answer that has just come (rules 1, 3, 4, 5). */
export function planFirstBubble(question: FirstBubbleQuestion): FirstBubblePlan {
  const { answer, named, threadId, wholeOf } = question;
  const id = answer.reflexCommandId;
  if (id !== undefined && !named.takenBy) {
    // A reflex that went to another thread was not seen in this one.
    const reflex = named.send?.threadId === threadId ? wholeOf(named.send) : [];
    const differs = answer.burstOnly && !sameWhole(textsOf(reflex), [answer.text]);
    return { reflexCommandId: id, reflex: differs ? [] : reflex };
  }
  // Where another answer, that named none, took the named reflex for its own by its text, its own one reads the same and
  // stands in for this one: two reflexes and two answers are two bubbles, whichever way they are paired.
  const namedRow = named.send ?? named.takenBy;
  const texts = namedRow ? textsOf(wholeOf(namedRow)) : [answer.text];
  const reflex = answer.burstOnly ? undefined : oldestReflex(question, texts);
  return reflex ? { reflexCommandId: reflexIdOf(reflex), reflex: wholeOf(reflex) } : NO_REFLEX;
}

/**
 * The bubbles of an answer's first text beside those of its reflex, each with what the state of its counterpart means
 * for it. Of a reflex that reads otherwise there are no counterparts: its first bubble decides over all.
 */
export function besideReflex(parts: readonly string[], reflex: readonly SendRow[]): Part[] {
  const isOne = parts.length === 1 && reflex.length === 1;
  const same = !isOne && sameWhole(parts, textsOf(reflex));
  if (same) return reflex.map((counterpart) => ({ text: counterpart.text, ...follow(counterpart) }));
  return parts.map((text) => ({ text, ...follow(reflex[0]) }));
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
  wholeOf: WholeOf,
  named?: SendRow,
): SendRow | undefined {
  const saysSame = (row: SendRow) => sameWhole(textsOf(wholeOf(row)), [reflex.text]);
  if (named) return named.bubbleType === 'burst' && !saysSame(named) ? undefined : named;
  return recent.find(
    (row) =>
      isFirstOfAnswer(row) &&
      row.bubbleType !== 'burst' &&
      row.reflexCommandId === null &&
      row.state !== 'superseded' &&
      row.createdAt >= reflex.now - REFLEX_WINDOW_MS &&
      saysSame(row) &&
      !isLost(wholeOf(row)),
  );
}

/** Nobody saw any of it. */
export function isLost(whole: readonly SendRow[]): boolean {
  return whole.every(({ state }) => state === 'failed');
}

/** Equal after NFC, trimming, and folding white space and typographic quotes. */
export function sameText(a: string, b: string): boolean {
  return a === b || fold(a) === fold(b);
}

/** The same for texts in parts: where one was cut, white space may have gone, and the other may have it or not. */
export function sameWhole(a: readonly string[], b: readonly string[]): boolean {
  if (a.length === 1 && b.length === 1) return sameText(a[0]!, b[0]!);
  const x = a.map(fold).join(CUT);
  const y = b.map(fold).join(CUT);
  let i = 0;
  let j = 0;
  while (i < x.length && j < y.length) {
    if (x[i] === CUT || y[j] === CUT) {
      while (x[i] === CUT || x[i] === ' ') i++;
      while (y[j] === CUT || y[j] === ' ') j++;
    } else if (x[i++] !== y[j++]) return false;
  }
  return i === x.length && j === y.length;
}

/** The command id of a reflex that is a send of its own. */
export function reflexIdOf(row: SendRow): string | undefined {
  const own = row.bubbleType === 'reflex' && row.partOf === null && row.key.startsWith(COMMAND_KEY);
  return own ? row.key.slice(COMMAND_KEY.length) : undefined;
}

const COMMAND_KEY = 'command:';
const NO_REFLEX: FirstBubblePlan = { reflexCommandId: undefined, reflex: [] };
/** Not in a folded text: white space is a space there. */
const CUT = '\n';

function textsOf(whole: readonly SendRow[]): string[] {
  return whole.map(({ text }) => text);
}

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
function oldestReflex(question: FirstBubbleQuestion, texts: readonly string[]): SendRow | undefined {
  const { wholeOf } = question;
  const since = Math.min(question.inboundCreatedAt, question.now - REFLEX_WINDOW_MS);
  // One from later was pushed while the wall clock was ahead, hours or months ago.
  const until = Math.max(question.inboundCreatedAt, question.now) + REFLEX_WINDOW_MS;
  return question.recent.find((row) => {
    const id = reflexIdOf(row);
    if (id === undefined || question.taken.has(id)) return false;
    if (row.createdAt < since || row.createdAt > until) return false;
    return row.state !== 'superseded' && sameWhole(textsOf(wholeOf(row)), texts) && !isLost(wholeOf(row));
  });
}

/** What the state of a reflex's bubble means for the answer's. */
function follow(reflex: SendRow | undefined): Omit<Part, 'text'> {
  switch (reflex?.state) {
    case 'held':
    case 'queued':
    case 'sending':
    case 'accepted':
      return { state: 'held', waitsFor: reflex.sendId };
    case 'confirmed':
    case 'delivered':
    case 'unknown':
      return { state: 'superseded', waitsFor: reflex.sendId };
    case 'failed':
    case 'superseded':
    case undefined:
      return {};
  }
}
