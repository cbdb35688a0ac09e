import { completedAck, failedAck } from '../protocol/ack.ts';
import type { StateStore } from '../state/StateStore.ts';

/** The command is done: its final state and the ack that tells it. Call it inside the transaction of the effect. */
export function completeCommand(store: StateStore, commandId: string, now: number, result?: unknown): void {
  store.commands.finish(commandId, 'completed', now);
  store.commands.addAck(completedAck(commandId, now, result), now);
}

/** The same for a command that failed because nobody could vouch for it. */
export function correctCommand(store: StateStore, commandId: string, now: number, result?: unknown): void {
  store.commands.correct(commandId, now);
  store.commands.addAck(completedAck(commandId, now, result), now);
}

export function failCommand(store: StateStore, commandId: string, now: number, reason: string): void {
  store.commands.finish(commandId, 'failed', now);
  store.commands.addAck(failedAck(commandId, now, reason), now);
}
