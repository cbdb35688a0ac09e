import type { ChatRow } from '../chatdb/types.ts';
import type { SendRow } from '../state/SendRow.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock } from '../util/Clock.ts';
import { ERRORS, type ErrorCode } from '../util/errors.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { correctCommand } from './commandOutcome.ts';
import { outcomeOf, rootIdOf, wholeOf } from './partsOutcome.ts';
import { messageSent } from './sendEvents.ts';

/** What is learnt of a send after it was told, or beside its outcome; one transaction each, and each told once. */
export class LateOutcomes {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;

  constructor(options: { store: StateStore; clock: Clock; telemetry: Telemetry }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#telemetry = options.telemetry;
  }

  /** The bubble of a send whose outcome was unknown went out after all. False when another send has the row. */
  confirmed(send: SendRow, row: ChatRow): boolean {
    const now = this.#clock.now();
    const { sendId, threadId } = send;
    const commands = this.#store.transaction(() => {
      const receipt = { guid: row.guid, rowid: row.rowid };
      if (!this.#store.sends.markConfirmed(sendId, receipt, now)) return undefined;
      this.#store.events.insert(messageSent(this.#store.sends.byId(sendId)!, row, { corrects: 'unknown' }), now);
      return this.#correctCommands(send, now);
    });
    if (!commands) return false;
    this.#telemetry.sendCorrected({ sendId, threadId, guid: row.guid, ms: now - send.createdAt });
    for (const commandId of commands) this.#telemetry.commandCompleted(commandId);
    return true;
  }

  /** A second row shows the bubble of a send that has its receipt. */
  twice(send: SendRow, row: ChatRow): void {
    const { sendId } = send;
    this.#store.transaction(() => {
      this.#store.spentRows.add(row.guid, sendId, 'twice', this.#clock.now());
      this.#addError('EDGE_SEND_TWICE', `twice:${row.guid}`, send, row);
    });
    this.#telemetry.failure('EDGE_SEND_TWICE', `send ${sendId}: the row ${row.guid} shows it once more`);
  }

  /** One of its two attempts went nowhere, which says nothing of the other. */
  refused(send: SendRow, row: ChatRow): void {
    this.#store.transaction(() => this.#store.spentRows.add(row.guid, send.sendId, 'refused', this.#clock.now()));
  }

  /** An attempt left nothing but an empty row. Call it in the transaction that says what follows. */
  ghost(send: SendRow, row: ChatRow): void {
    const { sendId, threadId } = send;
    this.#store.spentRows.add(row.guid, sendId, 'ghost', this.#clock.now());
    this.#addError('EDGE_SEND_GHOST', `ghost:${row.guid}`, send, row);
    this.#store.afterCommit(() => this.#telemetry.ghostSeen({ sendId, threadId, guid: row.guid }));
  }

  /** Those that wait for the send, and for the answer's bubble it stood in for; with parts, once all are known. */
  #correctCommands(send: SendRow, now: number): string[] {
    const { sends, commands } = this.#store;
    const root = rootIdOf(send);
    const outcome = outcomeOf(this.#store, wholeOf(this.#store, sends.byId(send.sendId)!));
    if (outcome.kind !== 'completed') return [];
    const copy = send.commandId === null ? undefined : sends.byReflexCommand(send.commandId);
    const waiting = [root, ...(copy?.waitsFor === send.sendId ? [copy.sendId] : [])];
    const failed = waiting.flatMap((sendId) => commands.failedBySend(sendId));
    for (const { commandId } of failed) correctCommand(this.#store, commandId, now, outcome.result);
    return failed.map(({ commandId }) => commandId);
  }

  #addError(code: ErrorCode, eventId: string, send: SendRow, row: ChatRow): void {
    const { means, fix } = ERRORS[code];
    const details = { code, message: means, fix, send_id: send.sendId, key: send.key, message_guid: row.guid };
    this.#store.events.insert(
      { event_id: eventId, event_type: 'error', thread_id: send.threadId, details },
      this.#clock.now(),
    );
  }
}
