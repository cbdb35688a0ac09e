import type { ReceiptState } from '../chatdb/types.ts';
import { UNKNOWN_OUTCOME } from '../protocol/ack.ts';
import type { EdgeEvent } from '../protocol/wire.ts';
import type { SendRow } from '../state/SendRow.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock } from '../util/Clock.ts';
import type { ErrorCode } from '../util/errors.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { completeCommand, failCommand } from './commandOutcome.ts';
import { refusalDetail } from './messageErrors.ts';
import { messageSent, sendEvent } from './sendEvents.ts';

/** What an ack and an event say of a send that nobody can vouch for. */
const UNKNOWN_REASON = `${UNKNOWN_OUTCOME}: no row in chat.db proves it, and it may have gone out`;

/**
 * From a file to the next bubble of its thread, ms: sent right behind one another, only the first of several files went
 * out on some Macs (0.4–1 s were needed).
 */
const FILE_GAP_MS = 1000;

/** What a receipt says, found or looked at again. */
type Receipt = Pick<ReceiptState, 'guid' | 'rowid' | 'error' | 'isSent' | 'isDelivered'>;

/**
 * The end of a send, in one transaction each: its state, the acks of the commands that wait for it, the bubbles it
 * holds back, the event. What was told once is not told again.
 */
export class SendOutcomes {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;

  constructor(options: { store: StateStore; clock: Clock; telemetry: Telemetry }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#telemetry = options.telemetry;
  }

  /** The receipt was found: `confirmed`, or `failed` when Messages marks the row. */
  received(send: SendRow, row: Receipt): void {
    if (row.error === 0) this.#confirmed(send, row);
    else this.#refused(send, row);
  }

  /** Nothing went out, or Messages could not deliver it. What a reflex held back goes out in its stead. */
  failed(send: SendRow, code: ErrorCode, detail: string): void {
    this.#fail(send, code, detail, (now) => this.#store.sends.finish(send.sendId, 'failed', now, code, detail));
  }

  /**
   * Two attempts without a receipt, or one with another chat.db behind it. The bubbles it held back stay unsent: each attempt may have reached the person.
   */
  unknown(send: SendRow): void {
    const now = this.#clock.now();
    const { commands, replaced } = this.#store.transaction(() => {
      this.#store.sends.finish(send.sendId, 'unknown', now, 'EDGE_SEND_UNCONFIRMED', UNKNOWN_REASON);
      const replaced = this.#store.sends.heldBy(send.sendId);
      for (const held of replaced) this.#store.sends.finish(held.sendId, 'superseded', now);
      const commands = [send, ...replaced].flatMap(({ sendId }) => this.#store.commands.openBySend(sendId));
      for (const command of commands) failCommand(this.#store, command.commandId, now, UNKNOWN_REASON);
      this.#addEvent('message_failed', 'failed', send, now, { reason: UNKNOWN_REASON });
      return { commands, replaced };
    });
    this.#telemetry.sendUnknown({ ...of(send), detail: UNKNOWN_REASON });
    for (const { commandId } of commands) this.#telemetry.commandFailed(commandId, UNKNOWN_REASON);
    this.#tellReplaced(send, replaced);
  }

  /** Messages reports that a confirmed bubble arrived, or was read, which says both. Each is told once. */
  arrived(send: SendRow, { deliveredAt, readAt }: Pick<ReceiptState, 'deliveredAt' | 'readAt'>): void {
    const now = this.#clock.now();
    const isFirst = send.state === 'confirmed';
    const receipt = { message_guid: send.receiptGuid };
    this.#store.transaction(() => {
      if (isFirst) {
        this.#store.sends.markDelivered(send.sendId, now);
        const at = deliveredAt === undefined ? {} : { delivered_at: new Date(deliveredAt).toISOString() };
        this.#addEvent('message_delivered', 'delivered', send, now, { ...receipt, status: 'delivered', ...at });
      }
      if (readAt === undefined) return;
      this.#store.sends.markRead(send.sendId, readAt);
      const read = { status: 'read', read_at: new Date(readAt).toISOString() };
      this.#addEvent('message_delivered', 'read', send, now, { ...receipt, ...read });
    });
    if (isFirst) this.#telemetry.sendDelivered({ ...of(send), ms: now - (send.confirmedAt ?? now) });
    if (readAt === undefined) return;
    const detail = `send ${send.sendId} was read`;
    this.#telemetry.eventNoted({ eventType: 'message_delivered', threadId: send.threadId, detail });
  }

  #confirmed(send: SendRow, row: Receipt): void {
    const now = this.#clock.now();
    const told = this.#store.transaction(() => {
      if (!this.#store.sends.markConfirmed(send.sendId, { guid: row.guid, rowid: row.rowid }, now)) return undefined;
      if (send.fileId !== null) this.#store.sends.holdNext(send.threadId, now + FILE_GAP_MS);
      const result = { message_guid: row.guid };
      const replaced = this.#store.sends.heldBy(send.sendId);
      for (const held of replaced) this.#store.sends.finish(held.sendId, 'superseded', now);
      const commands = [send, ...replaced].flatMap(({ sendId }) => this.#store.commands.openBySend(sendId));
      for (const command of commands) completeCommand(this.#store, command.commandId, now, result);
      this.#store.events.insert(messageSent(this.#store.sends.byId(send.sendId)!, row), now);
      return { commands, replaced };
    });
    if (!told) return;
    this.#telemetry.sendConfirmed({ ...of(send), guid: row.guid, ms: now - send.createdAt });
    for (const { commandId } of told.commands) this.#telemetry.commandCompleted(commandId);
    this.#tellReplaced(send, told.replaced);
  }

  /** The row carries an error, at once or some seconds after it was taken for a success. It keeps its claim. */
  #refused(send: SendRow, row: Receipt): void {
    const detail = `${send.smsFallback ? 'by SMS, after message.error 22 as iMessage: ' : ''}${refusalDetail(row.error)}`;
    const receipt = { guid: row.guid, rowid: row.rowid };
    this.#fail({ ...send, receiptGuid: row.guid }, 'EDGE_SEND_REFUSED', detail, (now) =>
      this.#store.sends.failWithReceipt(send.sendId, receipt, now, 'EDGE_SEND_REFUSED', detail),
    );
  }

  #fail(send: SendRow, code: ErrorCode, detail: string, write: (now: number) => void): void {
    const now = this.#clock.now();
    const reason = `${code}: ${detail}`;
    const commands = this.#store.transaction(() => {
      write(now);
      for (const held of this.#store.sends.heldBy(send.sendId)) this.#store.sends.requeue(held.sendId, {});
      const commands = this.#store.commands.openBySend(send.sendId);
      for (const command of commands) failCommand(this.#store, command.commandId, now, reason);
      const failed = { message_guid: send.receiptGuid, reason };
      if (!this.#addEvent('message_failed', 'failed', send, now, failed)) {
        // It was told as unknown, for which the id is spent.
        this.#addEvent('message_failed', 'refused', send, now, { ...failed, corrects: 'unknown' });
      }
      return commands;
    });
    this.#telemetry.sendFailed({ ...of(send), code, detail });
    for (const { commandId } of commands) this.#telemetry.commandFailed(commandId, reason);
  }

  #tellReplaced(reflex: SendRow, replaced: readonly SendRow[]): void {
    for (const held of replaced) {
      const commandId = held.reflexCommandId ?? reflex.commandId ?? reflex.key;
      this.#telemetry.reflexMatched({ commandId, threadId: held.threadId, kept: 'reflex' });
    }
  }

  #addEvent(
    type: EdgeEvent['event_type'],
    prefix: string,
    send: SendRow,
    now: number,
    details: Record<string, unknown>,
  ): boolean {
    return this.#store.events.insert(sendEvent(type, prefix, send, details), now);
  }
}

function of(send: SendRow): { sendId: number; threadId: string } {
  return { sendId: send.sendId, threadId: send.threadId };
}
