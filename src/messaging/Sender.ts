import type { SendRow } from '../state/SendRow.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock, Timer } from '../util/Clock.ts';
import { codeOf, isStoreUnwilling, messageOf } from '../util/EdgeError.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { Attempts, type AttemptsOptions, type Why } from './Attempts.ts';
import { finalVerdict } from './finalVerdict.ts';
import { type HeldBack, Pace, type PaceSettings } from './Pace.ts';
import { type Prepared, prepareSend, type Ready } from './prepareSend.ts';
import type { ReceiptSource } from './ReceiptSource.ts';
import type { ScriptRunner } from './ScriptRunner.ts';
import { SendingGate } from './SendingGate.ts';
import { SendQueue } from './SendQueue.ts';
import { judge, type Verdict } from './scriptErrors.ts';
import { sendScript } from './sendScript.ts';

/** Until a state.db that takes nothing or an unreadable chat.db is tried again, ms. */
const TRY_AGAIN_MS = 1000;
/** No wait is longer, ms, so that a step of the wall clock is noticed. */
const MAX_WAIT_MS = 60_000;

const NEW_THREAD: Why = {
  code: 'EDGE_SEND_NEW_THREAD',
  detail: 'chat.db has no such chat, and sending.allow_new_threads is false',
};

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
  readonly #onStall: () => void;
  readonly #queue: SendQueue;
  readonly #pace: Pace;
  readonly #gate: SendingGate;
  readonly #attempts: Attempts;
  /** What state.db has not taken yet. While there is any, all else waits behind it. */
  readonly #undone = new Set<() => void>();
  #retry: Timer | undefined;
  /** Noted as begun by `begin`; its osascript starts when the transaction is through. */
  #noted: { readonly sendId: number; readonly prepared: Ready } | undefined;
  #running: Promise<void> | undefined;
  #timer: Timer | undefined;
  #started = false;
  #stopped = false;

  constructor(
    options: AttemptsOptions & {
      runner: ScriptRunner;
      scriptTimeoutSeconds: number;
      pace: PaceSettings;
      /** Starts Messages, which is not running. */
      launchMessages: () => Promise<unknown>;
    },
  ) {
    const { store, clock, telemetry } = options;
    this.#store = store;
    this.#chatDb = options.chatDb;
    this.#epoch = options.epoch;
    this.#runner = options.runner;
    this.#clock = clock;
    this.#telemetry = telemetry;
    this.#scriptTimeoutSeconds = options.scriptTimeoutSeconds;
    this.#onStall = options.onStall ?? (() => {});
    this.#queue = new SendQueue({ store, clock, bubblePause: options.pace.bubblePause });
    this.#pace = new Pace({ store, clock, telemetry, queue: this.#queue, settings: options.pace });
    this.#gate = new SendingGate({ clock, telemetry, launchMessages: options.launchMessages });
    this.#attempts = new Attempts({
      ...options,
      onChanged: (threadId) => this.#queue.invalidate(threadId),
      turn: (work) => this.#turn(work),
    });
  }

  /** What was with Messages when the agent ended is looked for first. */
  start(): void {
    this.#started = true;
    this.#pace.start();
    this.#attempts.start();
    this.#turn(this.#look);
  }

  /** The Mac slept. */
  woke(): void {
    this.#attempts.woke();
    this.wake();
  }

  /** Rows may have been queued, in this thread or in any. */
  wake(threadId?: string): void {
    if (threadId === undefined) this.#queue.invalidateAll();
    else this.#queue.invalidate(threadId);
    this.#turn(nothing);
  }

  /**
   * Rows of this thread were queued, in the transaction under way. If a bubble can start now, that is noted in the same
   * transaction, so that one commit is waited for and not two. `wake`, when it is through, starts osascript.
   */
  begin(threadId: string): void {
    if (!this.#started || this.#stopped || this.#running || this.#noted || !this.isReady) return;
    if (this.#undone.size > 0) return; // its osascript would wait behind that, or run beside another
    this.#queue.invalidate(threadId);
    const { send } = this.#pace.next();
    this.#queue.invalidate(threadId); // of a transaction that is rolled back nothing may be remembered
    // What was tried before, or cannot be sent, is left to `wake`.
    if (!send || !this.#attempts.isNew(send)) return;
    const prepared = this.#prepare(send);
    if (prepared?.kind !== 'ready' || this.#admitted(send, prepared) !== 'yes') return;
    this.#mark(send, prepared);
    this.#noted = { sendId: send.sendId, prepared };
  }

  /** chat.db changed, or was opened: receipts and deliveries may be there. */
  chatDbChanged(): void {
    this.#turn(this.#look);
    this.#attempts.chatDbChanged();
  }

  /** In force from the next bubble on. */
  setPace(pace: PaceSettings): void {
    this.#queue.setBubblePause(pace.bubblePause);
    this.#pace.set(pace);
    this.wake();
  }

  /** What sending.rate holds back now. */
  heldBack(): HeldBack {
    return this.#pace.heldBack();
  }

  /** Whether a bubble could be begun now, as far as Messages is concerned. */
  get isReady(): boolean {
    return this.#gate.closedForMs() === 0;
  }

  /** Begins no bubble until `release`; what is under way goes on. */
  hold(): void {
    this.#gate.hold();
  }

  release(): void {
    this.#gate.release();
    this.#turn(nothing);
  }

  /** Starts nothing new, lets the osascript that runs end and notes how it ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#retry?.cancel();
    this.#attempts.stop();
    while (this.#running) await this.#running;
    // The last chance to say that nothing went out; once, though a stop may be asked for twice.
    for (const undone of this.#undone) if (this.#isTaken(undone)) this.#undone.delete(undone);
  }

  /**
   * Does `work`, and then whatever can start; while state.db takes nothing, once a second, however much comes meanwhile:
   * each try may stop the event loop for as long as SQLite waits for a lock. What is asked for again should be the same
   * function, so that it is done once.
   */
  #turn(work: () => void): void {
    if (!this.#started) return;
    if (this.#undone.size > 0 && !this.#stopped) this.#undone.add(work);
    else if (!this.#isTaken(work)) this.#tryAgain(work);
    else if (!this.#isTaken(() => this.#startNext())) this.#tryAgain(nothing);
  }

  #tryAgain(work: () => void): void {
    this.#undone.add(work);
    if (this.#stopped) return;
    this.#retry = this.#clock.after(TRY_AGAIN_MS, () => {
      for (const undone of this.#undone) {
        this.#undone.delete(undone);
        if (!this.#isTaken(undone)) return this.#tryAgain(undone);
      }
      this.#turn(nothing);
    });
  }

  readonly #look = () => this.#attempts.look();

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
    this.#timer = this.#clock.after(Math.min(ms, MAX_WAIT_MS), () => this.#turn(nothing));
  }

  #startNext(): void {
    this.#startNoted();
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
    const { threadId } = turn.send;
    const isBegun = this.#begin(turn.send);
    if (isBegun) this.#queue.goesOn(threadId);
    else this.#queue.stuck(threadId);
    return isBegun ? undefined : TRY_AGAIN_MS;
  }

  /** Starts osascript for the send, or ends the send without. False when what chat.db says of it cannot be known now. */
  #begin(send: SendRow): boolean {
    if (!this.#chatDb()) return false;
    const before = this.#attempts.before(send);
    if (before !== 'open') return before === 'over';
    const prepared = this.#prepare(send);
    if (!prepared) return false;
    if (prepared.kind === 'impossible') {
      this.#attempts.failed(send, prepared);
      return true;
    }
    const admitted = this.#admitted(send, prepared);
    if (admitted === 'no') this.#attempts.failed(send, NEW_THREAD);
    if (admitted !== 'yes') return true;
    this.#store.transaction(() => this.#mark(send, prepared));
    this.#start(this.#store.sends.byId(send.sendId)!, prepared);
    return true;
  }

  /** Undefined when chat.db cannot be read now. */
  #prepare(send: SendRow): Prepared | undefined {
    const db = this.#chatDb();
    try {
      return db && prepareSend(send, db);
    } catch (error) {
      this.#telemetry.failure(codeOf(error, 'EDGE_CHATDB_READ'), `before send ${send.sendId}: ${messageOf(error)}`);
      return undefined;
    }
  }

  #admitted({ threadId }: SendRow, { opensThread }: Ready): 'yes' | 'no' | 'later' {
    return opensThread ? this.#pace.admitsNewThread(threadId) : 'yes';
  }

  /** In the caller's transaction. */
  #mark({ sendId }: SendRow, { rowid, opensThread }: Ready): void {
    this.#store.noteBubble(sendId, { rowid, epoch: this.#epoch() }, this.#clock.now(), opensThread);
  }

  #startNoted(): void {
    const noted = this.#noted;
    if (!noted) return;
    this.#noted = undefined;
    const send = this.#store.sends.byId(noted.sendId);
    if (send?.state === 'sending') this.#start(send, noted.prepared); // else the transaction was rolled back
  }

  /** It is on disk that the send is begun. */
  #start(send: SendRow, prepared: Ready): void {
    this.#store.bubbleNoted();
    this.#pace.begun(send, prepared.opensThread);
    this.#queue.invalidate(send.threadId);
    this.#attempts.begun(send);
    this.#running = this.#run(send, prepared);
    if (prepared.altered && send.attempts === 1) {
      this.#telemetry.failure('EDGE_SEND_TEXT', `send ${send.sendId}: NUL or half a surrogate pair was removed`);
    }
  }

  async #run(send: SendRow, prepared: Ready): Promise<void> {
    const startedAt = this.#clock.monotonic();
    const timeoutMs = this.#scriptTimeoutSeconds * 1000;
    const running = this.#runner.run(sendScript(this.#scriptTimeoutSeconds), prepared.args, { timeoutMs });
    const { sendId, threadId } = send;
    const said = running.then(judge, (error): Verdict => {
      const code = codeOf(error, 'EDGE_INTERNAL');
      return { kind: code === 'EDGE_SEND_SPAWN' ? 'paused' : 'unknown', code, detail: messageOf(error) };
    });
    await undefined; // whoever woke us first tells what came
    this.#telemetry.sendStarted({ sendId, threadId, attempt: send.attempts, text: send.text });
    const verdict = finalVerdict(send, await said, prepared);
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
    this.#turn(nothing);
  }

  /** osascript ended. Done again from the start when state.db took nothing. */
  #ended(send: SendRow, verdict: Verdict, nextForm: number | undefined): void {
    if (this.#attempts.ended(send, verdict, nextForm)) this.#goOn(send.sendId);
  }

  /** The next form of address at once, before any other bubble: where nothing can be sent, one bubble finds out. */
  #goOn(sendId: number): void {
    const send = this.#store.sends.byId(sendId);
    if (send && this.isReady && !this.#running && !this.#stopped) this.#begin(send);
  }
}

function nothing(): void {}
