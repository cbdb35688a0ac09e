import type { ReceiptState } from '../chatdb/types.ts';
import { UNKNOWN_OUTCOME } from '../protocol/ack.ts';
import type { EdgeEvent } from '../protocol/wire.ts';
import type { SendRow } from '../state/SendRow.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock } from '../util/Clock.ts';
import type { ErrorCode } from '../util/errors.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { refusalDetail } from './messageErrors.ts';
import { failRest, type ToldCommands, tellCommands } from './partsOutcome.ts';
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
   * Two attempts without a receipt, or one with another chat.db or more rows than are looked at behind it. The bubbles it
   * held back stay unsent: each attempt may have reached the person.
   */
  unknown(send: SendRow): void {
    const now = this.#clock.now();
    const { told, replaced } = this.#store.transaction(() => {
      this.#store.sends.finish(send.sendId, 'unknown', now, 'EDGE_SEND_UNCONFIRMED', UNKNOWN_REASON);
      const replaced = this.#store.sends.heldBy(send.sendId);
      for (const held of replaced) this.#store.sends.finish(held.sendId, 'superseded', now);
      const told = tellCommands(this.#store, [send, ...replaced], now);
      this.#addEvent('message_failed', 'failed', send, now, { reason: UNKNOWN_REASON });
      return { told, replaced };
    });
    this.#telemetry.sendUnknown({ ...of(send), detail: UNKNOWN_REASON });
    this.#logCommands(told);
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
    const done = this.#store.transaction(() => {
      if (!this.#store.sends.markConfirmed(send.sendId, { guid: row.guid, rowid: row.rowid }, now)) return undefined;
      if (send.fileId !== null) this.#store.sends.holdNext(send.threadId, now + FILE_GAP_MS);
      const replaced = this.#store.sends.heldBy(send.sendId);
      for (const held of replaced) this.#store.sends.finish(held.sendId, 'superseded', now);
      const told = tellCommands(this.#store, [send, ...replaced], now);
      this.#store.events.insert(messageSent(this.#store.sends.byId(send.sendId)!, row), now);
      return { told, replaced };
    });
    if (!done) return;
    this.#telemetry.sendConfirmed({ ...of(send), guid: row.guid, ms: now - send.createdAt });
    this.#logCommands(done.told);
    this.#tellReplaced(send, done.replaced);
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
    const { rest, told } = this.#store.transaction(() => {
      write(now);
      const rest = failRest(this.#store, send, now);
      for (const { sendId } of [send, ...rest]) {
        for (const held of this.#store.sends.heldBy(sendId)) this.#store.sends.requeue(held.sendId, {});
      }
      const told = tellCommands(this.#store, [send], now);
      const failed = { ...send, errorCode: code, errorDetail: detail };
      for (const each of [failed, ...rest]) {
        const details = { message_guid: each.receiptGuid, reason: `${each.errorCode}: ${each.errorDetail}` };
        if (this.#addEvent('message_failed', 'failed', each, now, details)) continue;
        // It was told as unknown, for which the id is spent.
        this.#addEvent('message_failed', 'refused', each, now, { ...details, corrects: 'unknown' });
      }
      return { rest, told };
    });
    this.#telemetry.sendFailed({ ...of(send), code, detail });
    for (const part of rest) {
      this.#telemetry.sendFailed({ ...of(part), code: 'EDGE_SEND_PART', detail: part.errorDetail ?? '' });
    }
    this.#logCommands(told);
  }

  #logCommands({ completed, failed }: ToldCommands): void {
    for (const commandId of completed) this.#telemetry.commandCompleted(commandId);
    for (const { commandId, reason } of failed) this.#telemetry.commandFailed(commandId, reason);
  }

  #tellReplaced(reflex: SendRow, replaced: readonly SendRow[]): void {
    for (const held of replaced) {
      if (held.partOf !== null) continue;
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
