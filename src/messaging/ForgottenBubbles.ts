import type { ChatRow } from '../chatdb/types.ts';
import type { ForgottenTime } from '../state/Forgotten.ts';
import type { SendRow } from '../state/SendRow.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock } from '../util/Clock.ts';
import { codeOf, messageOf } from '../util/EdgeError.ts';
import { ERRORS } from '../util/errors.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { isClaimed } from './claims.ts';
import { ownPreviews } from './ownPreviews.ts';
import { rootIdOf } from './partsOutcome.ts';
import type { ReceiptSource } from './ReceiptSource.ts';
import { datedFrom, findReceipt } from './receipts.ts';
import { StrayThreads } from './StrayThreads.ts';
import { walkOutgoing } from './walkOutgoing.ts';

/** The backend's clock, by which commands are dated, may be before this Mac's by so much, ms. */
const BACKEND_SKEW_MS = 600_000;
/** How long a command that says nothing of its time may be one of the forgotten time, ms. */
const UNDATED_MS = 86_400_000;
/** An SMS is dated to the second, which may be before the moment in which it was begun, ms. */
const SMS_DATE_MS = 1000;
const NONE: ReadonlySet<string> = new Set();
/** From the row of a bubble in state.db to its beginning at most, ms. */
const LONGEST_WAIT_MS = 86_400_000;

/**
 * Where state.db has forgotten bubbles (state/Forgotten.ts), the messages and commands that asked for them come again, and
 * with them the same bubbles. One that chat.db shows already is not sent: a row of ours of that time, in its thread, with
 * its text, not older than what asks for it and the proof of no other bubble. It may have been typed by a person on another
 * device; what reads as they wrote it is then not said again, which is the lesser evil.
 *
 * Nothing may show that bubbles were forgotten. So one that was asked for before this start is looked for too, among the
 * rows from the last moment that state.db knows of to this start. Nothing waits for that, and without such rows (the
 * ordinary restart) nothing is looked for.
 */
export class ForgottenBubbles {
  readonly #store: StateStore;
  readonly #chatDb: () => ReceiptSource | undefined;
  readonly #epoch: () => number;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #settleMs: number;
  readonly #onEvent: () => void;
  readonly #strays: StrayThreads;
  #isTold = false;
  /** Until then the row of a bubble that was under way may yet come, monotonic ms. */
  #settledAt = 0;

  constructor(options: {
    store: StateStore;
    chatDb: () => ReceiptSource | undefined;
    epoch: () => number;
    clock: Clock;
    telemetry: Telemetry;
    settleMs: number;
    /** An event waits. */
    onEvent: () => void;
  }) {
    this.#store = options.store;
    this.#chatDb = options.chatDb;
    this.#epoch = options.epoch;
    this.#clock = options.clock;
    this.#telemetry = options.telemetry;
    this.#settleMs = options.settleMs;
    this.#onEvent = options.onEvent;
    this.#strays = new StrayThreads({ isClaimed: (guid) => this.#store.sends.claimed(guid) });
  }

  start(): void {
    const time = this.#store.forgotten;
    if (!time) return;
    const leftMs = time.until + this.#settleMs - this.#clock.now();
    this.#settledAt = this.#clock.monotonic() + Math.min(Math.max(leftMs, 0), this.#settleMs);
  }

  /** Whether the bubble has to be looked for before it is begun: what asks for it is of a time that may be forgotten. */
  concerns(send: SendRow): boolean {
    if (this.#timeOf(send, this.#store.forgotten)) return true;
    if (!this.#unsureOf(send)) return false;
    const source = this.#chatDb();
    try {
      return !source || this.#mayBeStray(source, send);
    } catch {
      return true; // `receipt` says why
    }
  }

  /**
   * The row in which a bubble that is to be begun for the first time stands already.
   * @returns undefined when there is none, `unsure` when there is none among as many rows as are looked at, false when that
   * cannot be known yet
   */
  receipt(send: SendRow): ChatRow | undefined | 'unsure' | false {
    const time = this.#timeOf(send, this.#store.forgotten);
    const unsure = this.#unsureOf(send);
    if (!time && !unsure) return undefined;
    if (time && this.#clock.monotonic() < this.#settledAt) return false;
    const source = this.#chatDb();
    if (!source) return false;
    try {
      const row = time && this.#find(source, send, { ...time, until: time.until + this.#settleMs });
      return row ?? (unsure && this.#stray(source, send, unsure));
    } catch (error) {
      const code = codeOf(error, 'EDGE_CHATDB_READ');
      this.#telemetry.failure(code, `looking for send ${send.sendId}: ${messageOf(error)}`);
      // A page may stay damaged for days: too long for what is no more than possible.
      return !time && code === 'EDGE_CHATDB_CORRUPT' ? undefined : false;
    }
  }

  /** The row of a bubble of which nothing showed that it was forgotten. */
  #stray(source: ReceiptSource, send: SendRow, time: ForgottenTime): ChatRow | undefined {
    if (!this.#mayBeStray(source, send)) return undefined;
    const row = this.#find(source, send, time, this.#store.unsure!.from - SMS_DATE_MS);
    if (!row || row === 'unsure' || this.#mayProveAnother(send, time)) return undefined;
    this.#tell(send);
    return row;
  }

  #mayBeStray(source: ReceiptSource, { threadId }: SendRow): boolean {
    const { from, until } = this.#store.unsure!;
    const since = from - SMS_DATE_MS;
    return this.#strays.mayBeIn(threadId, { source, epoch: this.#epoch(), from: since, until });
  }

  /** A bubble with the same text that nobody can vouch for, or that was tried twice, may have left a row more. */
  #mayProveAnother(send: SendRow, { from }: ForgottenTime): boolean {
    return this.#store.sends
      .recentOf(send.threadId, from - LONGEST_WAIT_MS)
      .filter((other) => other.sendId !== send.sendId && (other.state === 'unknown' || other.attempts > 1))
      .some(({ text, fileName }) => text === send.text && fileName === send.fileName);
  }

  /** Once: the others are of the same cause. */
  #tell({ sendId }: SendRow): void {
    if (this.#isTold) return;
    const code = 'EDGE_STATE_BEHIND';
    const since = new Date(this.#store.unsure!.from).toISOString();
    const message = `chat.db shows send ${sendId} already, begun after ${since}: state.db knew nothing of it, or a person typed it`;
    const now = this.#clock.now();
    const details = { code, message, fix: ERRORS[code].fix };
    this.#store.transaction(() =>
      this.#store.events.insert({ event_id: `error:${code}:${now}`, event_type: 'error', details }, now),
    );
    this.#isTold = true;
    this.#telemetry.failure(code, message);
    this.#store.afterCommit(() => this.#onEvent());
  }

  /**
   * `notBefore`: nothing shows that bubbles were forgotten, and only rows from then on count. A preview is none of them; where
   * bubbles were forgotten it may be one (see ownPreviews), as most of what was asked for had gone out.
   */
  #find(
    source: ReceiptSource,
    send: SendRow,
    { from, until }: ForgottenTime,
    notBefore?: number,
  ): ChatRow | undefined | 'unsure' {
    // As of another chat.db: by date alone.
    const sought: SendRow = { ...send, watermarkEpoch: null, watermarkRowid: null, sendingAt: from };
    const search = {
      epoch: this.#epoch(),
      now: this.#clock.now(),
      claimed: (guid: string) => isClaimed(this.#store, guid, send.sendId),
      lastLook: false,
    };
    let found: ChatRow | undefined;
    const isThrough = walkOutgoing(source, datedFrom(sought), (page) => {
      const possible = page.filter(
        ({ error, dateAt = Number.NaN }) => error === 0 && dateAt >= (notBefore ?? 0) && dateAt <= until,
      );
      const previews = notBefore === undefined ? NONE : ownPreviews(source, possible);
      found = findReceipt(sought, possible, { ...search, previews });
      return found !== undefined;
    });
    return found ?? (isThrough ? undefined : 'unsure');
  }

  /** A time that is known to be forgotten tells all of itself. */
  #unsureOf(send: SendRow): ForgottenTime | undefined {
    const { forgotten, unsure } = this.#store;
    if (!unsure || unsure.from >= unsure.until || unsure.until === forgotten?.until) return undefined;
    return this.#timeOf(send, unsure);
  }

  /** The part of `time` in which the bubble can have been begun; undefined when what asks for it came later. */
  #timeOf(send: SendRow, time: ForgottenTime | undefined): ForgottenTime | undefined {
    if (!time) return undefined;
    const askedAt = this.#askedAt(send, time);
    const since = send.createdAt <= time.until ? Math.min(askedAt ?? send.createdAt, send.createdAt) : askedAt;
    if (since === undefined || since > time.until) return undefined;
    return { from: Math.max(time.from, since), until: time.until };
  }

  /** When that came about which asks for the bubble, ms since 1970; undefined: not in the forgotten time. */
  #askedAt(send: SendRow, time: ForgottenTime): number | undefined {
    const { inbound, commands, schedules, sends } = this.#store;
    const { answersId, scheduleId, commandId, key } = sends.byId(rootIdOf(send)) ?? send;
    if (answersId !== null) return inbound.messageAt(answersId) ?? time.from;
    if (scheduleId !== null) {
      const [, dueAt] = /^schedule:.*:(\d+)$/.exec(key) ?? [];
      return dueAt === undefined ? schedules.byId(scheduleId)?.firstAt : Number(dueAt);
    }
    if (commandId === null) return undefined;
    const issuedAt = commands.byId(commandId)?.issuedAt ?? null;
    if (issuedAt !== null) return issuedAt - BACKEND_SKEW_MS;
    return send.createdAt <= time.until + UNDATED_MS ? time.from : undefined;
  }
}
