import { matchLateReflex, REFLEX_WINDOW_MS } from '../messaging/reflex.ts';
import type { SendRow } from '../state/SendRow.ts';
import type { StateStore } from '../state/StateStore.ts';

/**
 * The bubble of an answer that says what this reflex command says, when the answer came first; the two are one from
 * then on. A bubble that failed was seen by nobody and stands in for nothing.
 */
export function lateReflex(
  reflex: { commandId: string; threadId: string; text: string; now: number },
  store: StateStore,
): SendRow | undefined {
  const named = store.sends.byReflexCommand(reflex.commandId);
  // The answer that named it is of another thread, and a reflex can be one bubble only: it is sent.
  if (named && named.threadId !== reflex.threadId) return undefined;
  const recent = store.sends.recentOf(reflex.threadId, reflex.now - REFLEX_WINDOW_MS);
  const said = matchLateReflex(reflex, recent, named);
  if (!said || said.state === 'failed') return undefined;
  if (said.reflexCommandId === null) store.sends.linkReflex(said.sendId, reflex.commandId);
  return said;
}
