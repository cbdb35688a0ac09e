import type { SendRow } from '../state/SendRow.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { ErrorCode } from '../util/errors.ts';
import { completeCommand, failCommand } from './commandOutcome.ts';

/**
 * What became of a text that is several bubbles, or of a file with its caption. It is done when all its bubbles are:
 * ```
 * all confirmed, delivered or superseded ──▶ completed
 * one failed or unknown                  ──▶ failed, with the reason of the first such
 * ```
 * A bubble that failed takes the ones behind it with it, for half a text misleads. An unknown one does not: it has
 * probably gone out, and without the rest it would be half a text as well.
 */
export type Outcome =
  | { readonly kind: 'open' }
  | { readonly kind: 'completed'; readonly result: { message_guid: string | null; message_guids?: (string | null)[] } }
  | { readonly kind: 'failed'; readonly reason: string };

export interface ToldCommands {
  readonly completed: string[];
  readonly failed: { commandId: string; reason: string }[];
}

const CODE: ErrorCode = 'EDGE_SEND_PART';

/** All bubbles of the whole that `send` belongs to, in order. The first is missing once retention has deleted it. */
export function wholeOf(store: StateStore, send: SendRow): SendRow[] {
  const rootId = rootIdOf(send);
  const root = send.sendId === rootId ? send : store.sends.byId(rootId);
  return [...(root ? [root] : []), ...store.sends.partsOf(rootId)];
}

/** send_id of the first bubble of the whole. */
export function rootIdOf(send: SendRow): number {
  return send.partOf ?? send.sendId;
}

/** What the command whose whole these are is told. */
export function outcomeOf(store: StateStore, whole: readonly SendRow[]): Outcome {
  if (whole.some(isOpen)) return { kind: 'open' };
  const seen = whole.map((row) => seenAs(store, row));
  const bad = seen.findIndex(({ state }) => state === 'failed' || state === 'unknown');
  if (bad >= 0) return { kind: 'failed', reason: `${partName(bad, whole.length)}${reasonOf(seen[bad]!)}` };
  const guids = seen.map(({ receiptGuid }) => receiptGuid);
  const result = { message_guid: guids[0] ?? null, ...(guids.length > 1 ? { message_guids: guids } : {}) };
  return { kind: 'completed', result };
}

/** Ends the commands that waited for the wholes of `sends` and need not any more; in the transaction that ended these. */
export function tellCommands(store: StateStore, sends: readonly SendRow[], now: number): ToldCommands {
  const told: ToldCommands = { completed: [], failed: [] };
  for (const rootId of new Set(sends.map(rootIdOf))) {
    const commands = store.commands.openBySend(rootId);
    if (commands.length === 0 || store.sends.hasOpenPart(rootId)) continue;
    const root = store.sends.byId(rootId);
    const outcome: Outcome = root ? outcomeOf(store, wholeOf(store, root)) : { kind: 'open' };
    for (const { commandId } of outcome.kind === 'open' ? [] : commands) {
      if (outcome.kind === 'completed') {
        completeCommand(store, commandId, now, outcome.result);
        told.completed.push(commandId);
      } else if (outcome.kind === 'failed') {
        failCommand(store, commandId, now, outcome.reason);
        told.failed.push({ commandId, reason: outcome.reason });
      }
    }
  }
  return told;
}

/** `part 2 of 3: `; nothing for what is one bubble. */
export function partName(index: number, count: number): string {
  return count > 1 ? `part ${index + 1} of ${count}: ` : '';
}

/**
 * Ends the bubbles behind `send`, which failed, that have not begun. Call it in the transaction that ends `send`.
 * @returns their rows as they are now
 */
export function failRest(store: StateStore, send: SendRow, now: number): SendRow[] {
  const whole = wholeOf(store, send);
  const index = whole.findIndex(({ sendId }) => sendId === send.sendId);
  const detail = `part ${index + 1} of ${whole.length} was not sent`;
  const rest = whole.slice(index + 1).filter(({ state, attempts }) => attempts === 0 && isWaiting(state));
  for (const { sendId } of rest) store.sends.finish(sendId, 'failed', now, CODE, detail);
  return rest.map((row) => ({ ...row, state: 'failed', errorCode: CODE, errorDetail: detail, finishedAt: now }));
}

export function isOpen({ state }: SendRow): boolean {
  return isWaiting(state) || state === 'sending' || state === 'accepted';
}

function isWaiting(state: SendRow['state']): boolean {
  return state === 'held' || state === 'queued';
}

function reasonOf({ state, errorCode, errorDetail }: SendRow): string {
  return state === 'unknown' ? (errorDetail ?? 'unknown outcome') : `${errorCode}: ${errorDetail}`;
}

/** A superseded bubble was seen as the one it waited for. */
function seenAs(store: StateStore, row: SendRow): SendRow {
  if (row.state !== 'superseded' || row.waitsFor === null) return row;
  return store.sends.byId(row.waitsFor) ?? row;
}
