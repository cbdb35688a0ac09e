import type { ChatRow } from '../chatdb/types.ts';
import type { SendRow } from '../state/SendRow.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock, Timer } from '../util/Clock.ts';
import { codeOf, isStoreUnwilling, messageOf } from '../util/EdgeError.ts';
import type { ErrorCode } from '../util/errors.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { Aftermath } from './Aftermath.ts';
import { isClaimed } from './claims.ts';
import { finalVerdict } from './finalVerdict.ts';
import { LateOutcomes } from './LateOutcomes.ts';
import { type HeldBack, Pace, type PaceSettings } from './Pace.ts';
import { type Prepared, prepareSend } from './prepareSend.ts';
import type { ReceiptSource } from './ReceiptSource.ts';
import { ReceiptWatch } from './ReceiptWatch.ts';
import type { ScriptRunner } from './ScriptRunner.ts';
import { SendingGate } from './SendingGate.ts';
import { SendOutcomes } from './SendOutcomes.ts';
import { SendQueue } from './SendQueue.ts';
import { judge, type Verdict } from './scriptErrors.ts';
import { sendScript } from './sendScript.ts';
import { mayGoBySms, requeueBySms } from './smsFallback.ts';

/** Attempts that may have reached Messages; another could be one bubble too many. */
const MAX_ATTEMPTS = 2;
/** Until a state.db that takes nothing or an unreadable chat.db is tried again, ms. */
const TRY_AGAIN_MS = 1000;
/** No wait is longer, ms, so that a step of the wall clock is noticed. */
const MAX_WAIT_MS = 60_000;

const NEW_THREAD: Why = {
  code: 'EDGE_SEND_NEW_THREAD',
  detail: 'chat.db has no such chat, and sending.allow_new_threads is false',
};
type Ready = Extract<Prepared, { kind: 'ready' }>;

interface Why {
  readonly code: ErrorCode;
  readonly detail: string;
}

/**
 * Takes queued sends to Messages, one osascript at a time, and sees each to its end (the states are drawn in
 * state/Sends.ts). A thread's next bubble starts only when the one before has ended, because one that must be tried
 * again may not be overtaken; other threads go on meanwhile.
 */
export class Sender {
  readonly #store: StateStore;
  readonly #chatDb: () => ReceiptSource | undefined;
  readonly #epoch: () => number;
  readonly #runner: ScriptRunner;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #scriptTimeoutSeconds: number;
  readonly #onMissingReceipt: 'retry' | 'report';
  readonly #smsFallback: boolean;
  readonly #onSettled: () => void;
  readonly #onStall: () => void;
  readonly #queue: SendQueue;
  readonly #pace: Pace;
  readonly #gate: SendingGate;
  readonly #outcomes: SendOutcomes;
  readonly #watch: ReceiptWatch;
  readonly #lateOutcomes: LateOutcomes;
  readonly #aftermath: Aftermath;
  readonly #retries = new Set<Timer>();
  #running: Promise<void> | undefined;
  #timer: Timer | undefined;
  #started = false;
  #stopped = false;

  constructor(options: {
    store: StateStore;
    /** Undefined while chat.db cannot be opened: sending waits then, for without receipts it would be blind. */
    chatDb: () => ReceiptSource | undefined;
    epoch: () => number;
    runner: ScriptRunner;
    clock: Clock;
    telemetry: Telemetry;
    scriptTimeoutSeconds: number;
    settleSeconds: number;
    pace: PaceSettings;
    /** What follows the first attempt without a receipt: one more, or unknown at once. @default 'retry' */
    onMissingReceipt?: 'retry' | 'report';
    /** A text that iMessage refuses to a number may go by SMS, once. */
    smsFallback: boolean;
    /** Starts Messages, which is not running. */
    launchMessages: () => Promise<unknown>;
    /** Acks and events may be waiting. */
    onSettled: () => void;
    /** A bubble was handed over, and Messages did not take it or left no receipt: it may hang. @default nothing */
    onStall?: () => void;
  }) {
    const { store, chatDb, epoch, clock, telemetry } = options;
    const settleMs = options.settleSeconds * 1000;
    this.#store = store;
    this.#chatDb = chatDb;
    this.#epoch = epoch;
    this.#runner = options.runner;
    this.#clock = clock;
    this.#telemetry = telemetry;
    this.#scriptTimeoutSeconds = options.scriptTimeoutSeconds;
    this.#onMissingReceipt = options.onMissingReceipt ?? 'retry';
    this.#smsFallback = options.smsFallback;
    this.#onSettled = options.onSettled;
    this.#onStall = options.onStall ?? (() => {});
    this.#queue = new SendQueue({ store, clock, bubblePause: options.pace.bubblePause });
    this.#pace = new Pace({ store, clock, telemetry, queue: this.#queue, settings: options.pace });
    this.#gate = new SendingGate({ clock, telemetry, launchMessages: options.launchMessages });
    this.#outcomes = new SendOutcomes({ store, clock, telemetry });
    this.#watch = new ReceiptWatch({
      chatDb,
      epoch,
      claimed: (guid, sendId) => isClaimed(store, guid, sendId),
      isSpent: (guid) => store.spentRows.has(guid),
      isByChat: (send) => this.#addressed(send)?.args[0] === 'chat',
      clock,
      telemetry,
      settleMs,
      onReceipt: (send, row) => this.#received(send, row),
      onNone: (send) => this.#noReceipt(send),
      onGhost: (send, row) => this.#ghost(send, row),
      turn: (work) => this.#turn(work),
    });
    this.#lateOutcomes = new LateOutcomes({ store, clock, telemetry });
    this.#aftermath = new Aftermath({
      ...options,
      settleMs,
      outcomes: this.#outcomes,
      turn: (work) => this.#turn(work),
    });
  }

  /**
   * Sends that were with Messages when the agent ended are looked for first: each gets a full settle time from now, in
   * which its thread stands still, because its osascript may have outlived us.
   */
  start(): void {
    this.#started = true;
    this.#pace.start();
    for (const send of this.#store.sends.inFlight()) {
      this.#watch.add(send);
      this.#watch.settle(send.sendId);
    }
    this.#aftermath.started();
    this.#turn(() => this.#watch.look());
  }

  /** The Mac slept. */
  woke(): void {
    this.#aftermath.started();
    this.wake();
  }

  /** Rows may have been queued. */
  wake(): void {
    this.#queue.invalidateAll();
    this.#turn(() => {});
  }

  /** chat.db changed, or was opened: receipts and deliveries may be there. */
  chatDbChanged(): void {
    this.#turn(() => this.#watch.look());
    this.#aftermath.chatDbChanged();
  }

  /** What sending.rate holds back now. */
  heldBack(): HeldBack {
    return this.#pace.heldBack();
  }

  /** Begins no bubble until `release`; what is under way goes on. */
  hold(): void {
    this.#gate.hold();
  }

  release(): void {
    this.#gate.release();
    this.#turn(() => {});
  }

  /** Starts nothing new, lets the osascript that runs end and notes how it ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const timer of this.#retries) timer.cancel();
    this.#watch.stop();
    this.#aftermath.stop();
    while (this.#running) await this.#running;
  }

  /** Does `work`, again and again while state.db takes nothing, and then whatever can start. */
  #turn(work: () => void): void {
    if (!this.#started) return;
    if (!this.#isTaken(work)) {
      if (this.#stopped) return;
      const timer = this.#clock.after(TRY_AGAIN_MS, () => {
        this.#retries.delete(timer);
        this.#turn(work);
      });
      this.#retries.add(timer);
    }
    if (!this.#isTaken(() => this.#startNext())) this.#wait(TRY_AGAIN_MS);
  }

  #isTaken(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      if (!isStoreUnwilling(error)) throw error;
      this.#telemetry.failure(codeOf(error, 'EDGE_STATE_FULL'), messageOf(error));
      return false;
    }
  }

  #wait(ms: number): void {
    this.#timer?.cancel();
    if (this.#stopped) return;
    this.#timer = this.#clock.after(Math.min(ms, MAX_WAIT_MS), () => this.#turn(() => {}));
  }

  #startNext(): void {
    while (!this.#running && !this.#stopped) {
      this.#timer?.cancel();
      const waitMs = this.#step();
      if (waitMs === undefined) continue;
      if (waitMs !== Number.POSITIVE_INFINITY) this.#wait(waitMs);
      return;
    }
  }

  /** Brings the next send one step on. @returns how long nothing more can start, ms; undefined: go on at once */
  #step(): number | undefined {
    const closedMs = this.#gate.closedForMs();
    if (closedMs > 0) return closedMs;
    const turn = this.#pace.next();
    if (!turn.send) return turn.waitMs;
    const db = this.#chatDb();
    return db && this.#begin(turn.send, db) ? undefined : TRY_AGAIN_MS;
  }

  /** Starts osascript for the send, or ends the send without. False when chat.db cannot be read now. */
  #begin(send: SendRow, db: ReceiptSource): boolean {
    const { sendId, threadId } = send;
    const late = send.attempts > 0 || isAfterGhost(send) ? this.#watch.lateReceipt(send) : undefined;
    if (late === false) return false;
    if (late) {
      this.#received(send, late);
      return true;
    }
    if (send.attempts > 0 && this.#isOfAnotherChatDb(send)) {
      this.#unknown(send);
      return true;
    }
    let prepared: Prepared;
    try {
      prepared = prepareSend(send, db);
    } catch (error) {
      this.#telemetry.failure(codeOf(error, 'EDGE_CHATDB_READ'), `before send ${sendId}: ${messageOf(error)}`);
      return false;
    }
    if (prepared.kind === 'impossible') {
      this.#failed(send, prepared);
      return true;
    }
    const { opensThread } = prepared;
    const admitted = opensThread ? this.#pace.admitsNewThread(threadId) : 'yes';
    if (admitted === 'no') this.#failed(send, NEW_THREAD);
    if (admitted !== 'yes') return true;
    const watermark = { rowid: prepared.rowid, epoch: this.#epoch() };
    const now = this.#clock.now();
    this.#store.transaction(() => this.#store.sends.markSending(sendId, watermark, now, opensThread));
    this.#pace.begun(send, opensThread);
    this.#queue.invalidate(threadId);
    const sending = this.#store.sends.byId(sendId)!;
    this.#watch.add(sending);
    this.#running = this.#run(sending, prepared);
    if (prepared.altered && send.attempts === 0) {
      this.#telemetry.failure('EDGE_SEND_TEXT', `send ${sendId}: NUL or half a surrogate pair was removed`);
    }
    return true;
  }

  async #run(send: SendRow, prepared: Ready): Promise<void> {
    const startedAt = this.#clock.monotonic();
    const timeoutMs = this.#scriptTimeoutSeconds * 1000;
    const running = this.#runner.run(sendScript(this.#scriptTimeoutSeconds), prepared.args, { timeoutMs });
    const { sendId, threadId } = send;
    this.#telemetry.sendStarted({ sendId, threadId, attempt: send.attempts, text: send.text });
    const said = await running.then(judge, (error): Verdict => {
      const code = codeOf(error, 'EDGE_INTERNAL');
      return { kind: code === 'EDGE_SEND_SPAWN' ? 'paused' : 'unknown', code, detail: messageOf(error) };
    });
    const verdict = finalVerdict(send, said, prepared);
    this.#running = undefined;
    if (verdict.kind === 'accepted') {
      this.#telemetry.sendAccepted({ sendId, threadId, ms: Math.round(this.#clock.monotonic() - startedAt) });
    } else if (verdict.kind === 'unknown') {
      this.#telemetry.failure(verdict.code, `send ${sendId}: ${verdict.detail}; chat.db decides`);
    }
    if (verdict.kind === 'unknown' && verdict.code === 'EDGE_SEND_TIMEOUT') this.#onStall();
    this.#gate.heard(verdict);
    const launch = this.#stopped ? undefined : this.#gate.launch(verdict);
    if (launch) this.#running = this.#after(launch);
    this.#turn(() => this.#ended(send, verdict, prepared.nextForm));
  }

  /** Nothing is sent while Messages is being started. */
  async #after(launch: Promise<void>): Promise<void> {
    await launch;
    this.#running = undefined;
    this.#turn(() => {});
  }

  /** osascript ended. Done again from the start when state.db took nothing. */
  #ended(send: SendRow, verdict: Verdict, nextForm: number | undefined): void {
    const { sendId } = send;
    if (!this.#watch.has(sendId)) return; // the receipt was there before osascript had ended
    if (verdict.kind === 'accepted' || verdict.kind === 'unknown') {
      this.#watch.settle(sendId);
      this.#watch.look();
      if (verdict.kind === 'accepted' && this.#watch.has(sendId)) {
        this.#store.transaction(() => this.#store.sends.markAccepted(sendId, this.#clock.now()));
      }
      return;
    }
    const isNextForm = verdict.kind === 'next-form' && nextForm !== undefined;
    if (isNextForm) this.#again(send, { uncounted: true, addressForm: nextForm }, verdict);
    else if (verdict.kind === 'paused') {
      const round = verdict.code === 'EDGE_SEND_NO_ACCOUNT' ? { addressForm: 0 } : {};
      this.#again(send, { uncounted: true, ...round }, verdict);
    } else this.#failed(send, verdict);
    this.#watch.forget(sendId);
    if (isNextForm) this.#goOn(sendId);
  }

  /** The next form of address at once, before any other bubble: where nothing can be sent, one bubble finds out. */
  #goOn(sendId: number): void {
    const db = this.#chatDb();
    const send = this.#store.sends.byId(sendId);
    if (db && send && !this.#running && !this.#stopped) this.#begin(send, db);
  }

  #received(send: SendRow, row: ChatRow): void {
    if (this.#smsFallback && mayGoBySms(send, row)) {
      const detail = requeueBySms(this.#store, send, row, this.#clock.now());
      this.#queue.invalidate(send.threadId);
      this.#telemetry.sendRetried({ sendId: send.sendId, threadId: send.threadId, code: 'EDGE_SEND_REFUSED', detail });
      return;
    }
    this.#outcomes.received(send, row);
    this.#aftermath.over(send.sendId, send.attempts < 2 && !isAfterGhost(send));
    this.#over(send);
  }

  #noReceipt(send: SendRow): void {
    this.#onStall();
    const isLast = send.attempts >= MAX_ATTEMPTS || this.#onMissingReceipt === 'report';
    if (isLast || this.#isOfAnotherChatDb(send)) this.#unknown(send);
    else this.#again(send, {}, { code: 'EDGE_SEND_UNCONFIRMED', detail: 'no receipt within the settle time' });
  }

  /** A chat.db that took the place of the one it was written to may be older than the bubble: it proves nothing. */
  #isOfAnotherChatDb(send: SendRow): boolean {
    return send.watermarkEpoch !== this.#epoch();
  }

  #unknown(send: SendRow): void {
    this.#outcomes.unknown(send);
    this.#aftermath.over(send.sendId, false);
    this.#over(send);
  }

  /** An attempt went nowhere. Of the ones before it nothing is known, if there were any. */
  #ghost(send: SendRow, row: ChatRow): boolean {
    const addressed = this.#addressed(send);
    if (!addressed) return false;
    const { nextForm } = addressed;
    this.#store.transaction(() => {
      this.#lateOutcomes.ghost(send, row);
      const why = { code: 'EDGE_SEND_GHOST', detail: 'Messages wrote an empty row that belongs to no chat' } as const;
      if (nextForm !== undefined) this.#again(send, { uncounted: true, addressForm: nextForm }, why);
      else if (send.attempts > 1) this.#unknown(send);
      else this.#failed(send, why);
    });
    return true;
  }

  /** Undefined when that cannot be known now. */
  #addressed(send: SendRow): Extract<Prepared, { kind: 'ready' }> | undefined {
    const db = this.#chatDb();
    try {
      const prepared = db && prepareSend(send, db);
      return prepared?.kind === 'ready' ? prepared : undefined;
    } catch (error) {
      this.#telemetry.failure(codeOf(error, 'EDGE_CHATDB_READ'), `after send ${send.sendId}: ${messageOf(error)}`);
      return undefined;
    }
  }

  #again(send: SendRow, change: { uncounted?: boolean; addressForm?: number }, why: Why): void {
    const { sendId, threadId } = send;
    this.#store.transaction(() => this.#store.sends.requeue(sendId, { ...change, code: why.code, detail: why.detail }));
    this.#queue.invalidate(threadId);
    this.#telemetry.sendRetried({ sendId, threadId, code: why.code, detail: why.detail });
  }

  #failed(send: SendRow, why: Why): void {
    const before = send.smsFallback ? 'by SMS, after message.error 22 as iMessage: ' : '';
    this.#outcomes.failed(send, why.code, `${before}${why.detail}`);
    this.#over(send);
  }

  #over(send: SendRow): void {
    this.#queue.invalidate(send.threadId);
    this.#store.afterCommit(() => this.#onSettled());
  }
}

/** What was taken for a ghost may yet be filled in. */
function isAfterGhost(send: SendRow): boolean {
  return send.errorCode === 'EDGE_SEND_GHOST';
}
