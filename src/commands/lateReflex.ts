import { wholeOf } from '../messaging/partsOutcome.ts';
import { isLost, matchLateReflex, REFLEX_WINDOW_MS } from '../messaging/reflex.ts';
import type { SendRow } from '../state/SendRow.ts';
import type { StateStore } from '../state/StateStore.ts';

export interface LateReflex {
  readonly said: SendRow;
  /** Bubbles of it that failed: they are what is left to say. */
  readonly lost: readonly string[];
}

/**
 * The bubble of an answer that says what this reflex command says, when the answer came first; the two are one from
 * then on. A text of which every bubble failed was seen by nobody and stands in for nothing.
 */
export function lateReflex(
  reflex: { commandId: string; threadId: string; text: string; now: number },
  store: StateStore,
): LateReflex | undefined {
  const named = store.sends.byReflexCommand(reflex.commandId);
  // The answer that named it is of another thread, and a reflex can be one bubble only: it is sent.
  if (named && named.threadId !== reflex.threadId) return undefined;
  const recent = store.sends.recentOf(reflex.threadId, reflex.now - REFLEX_WINDOW_MS);
  const said = matchLateReflex(reflex, recent, (first) => wholeOf(store, first), named);
  const whole = said ? wholeOf(store, said) : [];
  if (!said || isLost(whole)) return undefined;
  if (said.reflexCommandId === null) store.sends.linkReflex(said.sendId, reflex.commandId);
  return { said, lost: whole.filter(({ state }) => state === 'failed').map(({ text }) => text) };
}
