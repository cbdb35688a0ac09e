import type { LoopGuard } from '../messaging/loopGuard.ts';
import type { MessageRequest, MessageResponse } from '../protocol/wire.ts';
import type { InboundRow } from '../state/Inbound.ts';
import type { StateStore } from '../state/StateStore.ts';
import { type BackoffPolicy, backoffMs } from '../util/backoff.ts';
import type { Clock } from '../util/Clock.ts';
import { codeOf, EdgeError, isStoreUnwilling, messageOf, STORE_UNWILLING } from '../util/EdgeError.ts';
import { ERRORS, type ErrorCode } from '../util/errors.ts';
import { isAnswerCode, isNetworkCode } from '../util/networkCodes.ts';
import type { Random } from '../util/Random.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { BackendGate, endsWithSight, fixedDelayOf, isShared } from './BackendGate.ts';
import { BackfillHold } from './BackfillHold.ts';
import { LaneSet } from './LaneSet.ts';
import { type QueuedAnswer, queueAnswer } from './queueAnswer.ts';
import { type LaneKind, ThreadLane } from './ThreadLane.ts';

/** Delays between the attempts for one message, and between probes of a backend that is away. */
const RETRY: BackoffPolicy = { firstMs: 1_000, maxMs: 300_000, jitter: 0.25 };
/** Longest Retry-After obeyed, ms before jitter: a backend that asks for more is asked again meanwhile. */
export const MAX_RETRY_AFTER_MS = 900_000;
/** About all of the agent's messages, not about the one that met it (RFC 6585, 4). */
const TOO_MANY_REQUESTS = 429;
/** How long POSTs under way may go on after stop(), ms. What is aborted is posted again under the same key. */
export const STOP_AFTER_MS = 5_000;

/** Of the requests at once, the share that backfill may have: it is in no hurry, and what is live is. */
const BACKFILL_SHARE = 1 / 4;

type Post = (
  request: MessageRequest,
  o: { signal: AbortSignal; onWrittenOut(): void },
) => Promise<MessageResponse | 'known'>;

type Row = InboundRow & { threadId: string };

export interface InboundPumpOptions {
  store: StateStore;
  clock: Clock;
  random: Random;
  telemetry: Telemetry;
  /** Rejects with an EdgeError; one that carries `retryAfterMs` says when to come again. */
  post: Post;
  /** Takes one command of an answer, joining the transaction it is called in. */
  acceptCommand(raw: unknown): void;
  onSends(): void;
  /** A message is done or dead: what is to be told of it may be told now. */
  onSettled(): void;
  maxInFlightPerThread: number;
  maxConcurrentRequests: number;
  /** @default none: answers without end */
  loopGuard?: LoopGuard;
  /** How long a live message is still held back for its files, ms. @default 0 */
  heldMs?(messageGuid: string): number;
  /** @default texts stay whole */
  maxBubbleChars?: number;
}

/**
 * Hands inbound rows to the backend and queues what it answers.
 * ```
 * pending ──POST──▶ in flight ──2xx──▶ one transaction: bubbles, commands, done
 *    ▲                 │   └────409, 4xx──▶ done, dead
 *    └──back-off───────┘ anything else, without end
 * ```
 * In memory is only what is in flight and when retries are due. A crash, or a disk that is full when the answer comes,
 * loses the answer and not the message: it is posted again under the same key, and a backend answers a known key as
 * it did before, or with 409 when it will not.
 *
 * EDGE_STATE_IO is not caught: the process ends rather than promise what is not stored.
 */
export class InboundPump {
  readonly #o: InboundPumpOptions;
  readonly #gate: BackendGate;
  readonly #hold: BackfillHold;
  readonly #lanes: { readonly [kind in LaneKind]: LaneSet };
  readonly #running = new Map<number, { kind: LaneKind; abort: AbortController; ended: Promise<void> }>();
  readonly #conditions = new Set<ErrorCode>();
  #state: 'new' | 'started' | 'stopped' = 'new';
  /** Backfill messages handed over since there was none left. */
  #backfillDone = 0;
  /** Answers in a row that asked to come again. */
  #busyAnswers = 0;
  #lookScheduled = false;
  #rowsMayBeNew = false;

  constructor(o: InboundPumpOptions) {
    this.#o = o;
    this.#gate = new BackendGate({ clock: o.clock, random: o.random, policy: RETRY, onOpen: () => this.#look() });
    this.#hold = new BackfillHold({ clock: o.clock, onOpen: () => this.wake() });
    this.#lanes = { live: this.#laneSet('live'), backfill: this.#laneSet('backfill') };
  }

  start(): void {
    this.#state = 'started';
    this.wake();
  }

  /**
   * Rows may have come, or been completed; `backfillCame`: some of them backfill. Calls of one turn of the event loop are
   * one look at the table.
   */
  wake(backfillCame = false): void {
    if (backfillCame && this.#state !== 'stopped') this.#hold.came();
    this.#rowsMayBeNew = true;
    if (this.#lookScheduled) return;
    this.#lookScheduled = true;
    queueMicrotask(() => {
      this.#lookScheduled = false;
      this.#look();
    });
  }

  /**
   * The backend is known to be there (the socket is up, a sync got through): what failed because it was away goes at
   * once. What it asked to wait with, or answered badly, keeps its time.
   */
  backendSeen(): void {
    this.#hurry(endsWithSight);
  }

  /** The secret is another: what was refused with the one before goes at once. */
  secretChanged(): void {
    this.#hurry((code) => code === 'EDGE_BACKEND_AUTH' || endsWithSight(code));
  }

  /** A message of this thread, undefined: of any, is no longer held back, or not for that file. */
  released(threadId?: string): void {
    this.#lanes.live.recheck(threadId);
    this.#look();
  }

  /** Starts nothing more; resolves when no POST is in flight, after STOP_AFTER_MS at the latest. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    this.#gate.stop();
    this.#hold.stop();
    this.#lanes.live.stop();
    this.#lanes.backfill.stop();
    const timer = this.#o.clock.after(STOP_AFTER_MS, () => {
      for (const { abort } of this.#running.values()) abort.abort();
    });
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
    timer.cancel();
  }

  readonly #storeTakes = () => {
    if (this.#state !== 'stopped') this.#hurry((code) => STORE_UNWILLING.some((unwilling) => unwilling === code));
  };

  #hurry(isOver: (code: string | null) => boolean): void {
    this.#gate.opens();
    this.#lanes.live.hurry(isOver);
    this.#lanes.backfill.hurry(isOver);
    this.wake();
  }

  #look(): void {
    if (this.#state !== 'started') return;
    const room = () => this.#gate.limit(this.#o.maxConcurrentRequests) - this.#running.size;
    if (room() <= 0) return;
    if (this.#rowsMayBeNew) this.#noticeRows();
    this.#takeTurns('live', room);
    if (!this.#hold.isOpen) return;
    this.#takeTurns('backfill', () => Math.min(room(), this.#backfillRoom()));
    if (this.#lanes.backfill.isEmpty) this.#backfillEmptied();
  }

  #takeTurns(kind: LaneKind, room: () => number): void {
    const lanes = this.#lanes[kind];
    while (room() > 0) {
      const lane = lanes.next();
      if (!lane) return;
      const head = lane.head(() => this.#turn(lane));
      if (head.kind === 'start') this.#start(lane, head.row);
      else if (head.kind === 'empty') lanes.drop(lane);
    }
  }

  #backfillRoom(): number {
    const share = Math.max(1, Math.floor(this.#o.maxConcurrentRequests * BACKFILL_SHARE));
    return share - [...this.#running.values()].filter(({ kind }) => kind === 'backfill').length;
  }

  #noticeRows(): void {
    this.#rowsMayBeNew = false;
    const { inbound } = this.#o.store;
    this.#lanes.live.notice(inbound.openThreads());
    // Found after a restart, or brought back by `edge-agent retry`.
    if (this.#hold.isIdle && inbound.hasBackfill()) this.#hold.came();
    if (this.#hold.isOpen) this.#lanes.backfill.notice(inbound.backfillThreads());
  }

  #laneSet(kind: LaneKind): LaneSet {
    const { store, clock, maxInFlightPerThread: maxInFlight } = this.#o;
    const heldMs = (guid: string) => (kind === 'live' ? (this.#o.heldMs?.(guid) ?? 0) : 0);
    const rest = { kind, inbound: store.inbound, clock, maxInFlight, longestWaitMs: RETRY.maxMs, heldMs };
    return new LaneSet((threadId) => new ThreadLane({ threadId, ...rest }));
  }

  #turn(lane: ThreadLane): void {
    this.#lanes[lane.kind].queue(lane);
    this.#look();
  }

  #start(lane: ThreadLane, row: Row): void {
    const abort = new AbortController();
    const round = this.#gate.round;
    lane.started(row);
    this.#gate.started(row.inboundId);
    const onWrittenOut = () => {
      if (lane.writtenOut(row)) this.#turn(lane);
    };
    // In a turn of its own: what it calls back finds it counted as running.
    const ended = Promise.resolve()
      .then(() => this.#post(row, { signal: abort.signal, onWrittenOut }))
      .then(
        (answer) => this.#answered(lane, row, answer, round),
        (error: unknown) => this.#failed(lane, row, error, round),
      )
      .finally(() => {
        this.#running.delete(row.inboundId);
        lane.ended(row);
        this.#turn(lane);
      });
    this.#running.set(row.inboundId, { kind: lane.kind, abort, ended });
  }

  async #post(row: Row, o: { signal: AbortSignal; onWrittenOut(): void }): Promise<MessageResponse | 'known'> {
    if (row.body === null) throw new EdgeError('EDGE_INTERNAL', 'the row is pending and has no body');
    return await this.#o.post(JSON.parse(row.body) as MessageRequest, o);
  }

  #backfillEmptied(): void {
    this.#hold.emptied();
    if (this.#backfillDone > 0) this.#o.telemetry.backfillHandedOver(this.#backfillDone);
    this.#backfillDone = 0;
  }

  #answered(lane: ThreadLane, row: Row, answer: MessageResponse | 'known', round: number): void {
    const { store, clock, telemetry } = this.#o;
    let queued: QueuedAnswer | undefined;
    try {
      queued = store.transaction(() => {
        const bubbles = answer === 'known' ? undefined : this.#keep(row, answer);
        store.inbound.markDone(row.guid, clock.now());
        return bubbles;
      });
    } catch (error) {
      this.#failed(lane, row, error, round);
      return;
    }
    this.#settled(lane, row);
    this.#backendAnswered(round);
    const { guid, threadId } = row;
    const bubbles = queued?.bubbles ?? 0;
    const ms = Math.max(0, clock.now() - row.createdAt);
    const blocked = queued?.blocked ?? 0;
    const backfill = row.backfill === 1;
    if (backfill) this.#backfillDone++;
    telemetry.messageHandedOver({ guid, threadId, ms, bubbles, blocked, attempts: row.attempts + 1, backfill });
    if (queued) this.#tell(row, queued);
    if (bubbles > 0) this.#o.onSends();
  }

  /** Within the transaction. Old news is not answered, but orders that come with the answer to it stand. */
  #keep(row: Row, answer: MessageResponse): QueuedAnswer | undefined {
    const { store, clock } = this.#o;
    const queued = row.backfill ? undefined : queueAnswer(store, row, answer, clock.now(), this.#o);
    for (const command of answer.commands ?? []) this.#o.acceptCommand(command);
    return queued;
  }

  #tell(row: Row, { blank, refused, unsaid, saidByReflex: commandId }: QueuedAnswer): void {
    const { telemetry } = this.#o;
    if (blank + refused > 0) {
      const detail = `answer to ${row.guid}: ${blank} bubbles without text and ${refused} over the limit left out`;
      telemetry.failure('EDGE_BACKEND_ANSWER', detail);
    }
    if (unsaid > 0) {
      const detail = `answer to ${row.guid}: its bubbles (${unsaid}) are not sent, for it has no should_respond`;
      const fix = 'answer "should_respond": true to have them sent, or false to say nothing';
      telemetry.frameRefused('EDGE_BACKEND_ANSWER', `${detail}; ${fix}`);
    }
    if (commandId !== undefined) telemetry.reflexMatched({ commandId, threadId: row.threadId, kept: 'reflex' });
  }

  #failed(lane: ThreadLane, row: Row, error: unknown, round: number): void {
    const code = codeOf(error, 'EDGE_INTERNAL');
    if (code === 'EDGE_STATE_IO') throw error;
    if (this.#state === 'stopped') return;
    const { store, telemetry, clock } = this.#o;
    const { guid, threadId } = row;
    const detail = messageOf(error);
    const isTooMany = (error as { status?: unknown } | null)?.status === TOO_MANY_REQUESTS;
    if (isAnswerCode(code)) this.#wayIsOpen();
    if (!isShared(code)) {
      if (!isTooMany) this.#backendAnswered(round, code === 'EDGE_BACKEND_BUSY');
    } else if (!isStoreUnwilling(error)) this.#raise(code, detail); // the store tells of itself
    if (code === 'EDGE_BACKEND_BUSY') this.#backendBusy(row, detail);
    this.#gate.failed(code, round, row.inboundId);
    if (ERRORS[code].retry === 'never' && this.#write(() => store.inbound.markDead(guid, code, withBody(error)))) {
      this.#settled(lane, row);
      telemetry.messageSetAside({ guid, threadId, code, detail });
      return;
    }
    const retryInMs = this.#delayOf(error, code, row.attempts + 1);
    if (isTooMany) this.#gate.tooMany(retryInMs);
    lane.retryIn(row, retryInMs, code);
    const isNoted = this.#write(() => store.inbound.markRetry(guid, clock.now() + retryInMs, code, detail));
    // Neither the answer could be kept nor this note: the backend is asked at once when they can, and not before its time.
    if (!isNoted && isStoreUnwilling(error)) store.whenWritable(this.#storeTakes);
    telemetry.messageRetried({ guid, threadId, code, detail, retryInMs });
  }

  #delayOf(error: unknown, code: ErrorCode, failures: number): number {
    const asked = (error as { retryAfterMs?: unknown }).retryAfterMs;
    // A Retry-After of 0, or a date of a clock that is behind, must not make a loop.
    if (typeof asked === 'number') {
      const ms = Math.min(Math.max(asked, RETRY.firstMs), MAX_RETRY_AFTER_MS);
      return backoffMs({ ...RETRY, firstMs: ms, maxMs: ms }, 1, this.#o.random);
    }
    return fixedDelayOf(code) ?? backoffMs(RETRY, failures, this.#o.random);
  }

  /** Notes on a row that can wait: while the store takes nothing, the retry is remembered in memory alone. */
  #write(work: () => void): boolean {
    try {
      this.#o.store.transaction(work);
      return true;
    } catch (error) {
      if (!isStoreUnwilling(error)) throw error;
      return false;
    }
  }

  #settled(lane: ThreadLane, row: Row): void {
    lane.settled(row);
    this.#gate.settled(row.inboundId);
    this.#o.onSettled();
  }

  /**
   * A backend that cannot take the message now. One such answer says little; when none is taken between two attempts of
   * a message, it takes none.
   */
  #backendBusy({ attempts }: Row, detail: string): void {
    if (++this.#busyAnswers >= 2 && attempts > 0) this.#raise('EDGE_BACKEND_BUSY', detail);
  }

  #backendAnswered(round: number, isBusy = false): void {
    this.#gate.answered(round);
    if (!isBusy) this.#busyAnswers = 0;
    for (const code of this.#conditions) if (!isBusy || code !== 'EDGE_BACKEND_BUSY') this.#clear(code);
  }

  /** The backend answered, though it be with a refusal. */
  #wayIsOpen(): void {
    for (const code of this.#conditions) if (isNetworkCode(code)) this.#clear(code);
  }

  #raise(code: ErrorCode, detail: string): void {
    this.#conditions.add(code);
    this.#o.telemetry.conditionRaised(code, detail);
  }

  #clear(code: ErrorCode): void {
    if (this.#conditions.delete(code)) this.#o.telemetry.conditionCleared(code);
  }
}

/** What `edge-agent status` shows of a dead letter. Not for the log: a backend may echo the message in its answer. */
function withBody(error: unknown): string {
  const body = (error as { body?: unknown } | null)?.body;
  return typeof body === 'string' && body !== '' ? `${messageOf(error)}: ${body}` : messageOf(error);
}
