import type { CommandChannel } from '../state/Commands.ts';
import type { Clock, Timer } from '../util/Clock.ts';
import { codeOf, messageOf } from '../util/EdgeError.ts';
import type { ErrorCode } from '../util/errors.ts';
import type { Telemetry } from '../util/Telemetry.ts';

/** How long commands are handled at a stretch, ms: a burst must not keep pings, acks and receipts waiting. */
const SLICE_MS = 15;
/** Frames that wait at most, beside those of the chunk that is being read; past either the socket is paused. */
const MAX_FRAMES = 1000;
const MAX_FRAME_BYTES = 8 * 1024 * 1024;
/** Outcomes come a second apart, at the pace of AppleScript: room is looked for this often, ms. */
const ROOM_CHECK_MS = 1000;
/** A sync that takes longer than this keeps the frames of a new connection waiting no more, ms. */
const CATCH_UP_MS = 2000;

interface Answer {
  left: number;
  resolve(): void;
  reject(error: unknown): void;
}
interface Item {
  raw: unknown;
  channel: Exclude<CommandChannel, 'response'>;
  /** Of its frame; a command of a sync has none. */
  bytes: number;
  answer: Answer | undefined;
}

export interface CommandFeedOptions {
  clock: Clock;
  telemetry: Telemetry;
  handler: {
    /** @throws EdgeError EDGE_COMMANDS_FULL: there is no room now; EDGE_STATE_*: it cannot be stored. */
    handle(raw: unknown, channel: CommandChannel): void;
    hasRoom(): boolean;
    readonly waiting: number;
  };
  /** Told to pause and to go on: the socket, which then reads nothing, and whoever waits for what it reads. */
  throttled(): readonly { pause(): void; resume(): void }[];
  /** Give the connection up: frames that it brought cannot be stored, and have to come again. */
  refuse(code: ErrorCode): void;
  /** There is room again for what answers of syncs held in vain: ask for it. `caughtUp` is to follow. */
  syncNow(): void;
}

/**
 * Where the commands of the socket and of the syncs meet: one queue, in the order in which they came.
 *
 *     idle ── command ──▶ handling, at once ── queue empty ──▶ idle
 *                          │    ▲       │
 *               15 ms over ▼    │       │ EDGE_COMMANDS_FULL
 *          others have a turn ──┘       ▼
 *                          ▲        full: the socket is paused, and answers of syncs are left alone
 *                          └── room ────┘
 *
 * Two things keep it short. Frames: past 1,000 of them, or 8 MiB, the socket is paused until half of them are handled.
 * Outcomes: when the handler has no room, what is in the queue waits; the answer of a sync counts as taken in then,
 * because its rest is kept here, and the answers after it are passed over: they hold nothing that does not come again,
 * and are asked for when there is room.
 *
 * What a backend queued while there was no socket is older than what it says over the new one: after `catchUp` frames
 * wait until that sync is through (`caughtUp`), 2 s at most, and so does the order of each thread hold. A sync that was
 * passed over is not through: they wait for the one that is made when there is room.
 *
 * When a command cannot be stored, all that is behind it is dropped and the connection given up: nothing of it was
 * acknowledged, so that the backend offers it again, in order.
 */
export class CommandFeed {
  readonly #o: CommandFeedOptions;
  #queue: Item[] = [];
  /** Frames of a new connection; undefined while none has to catch up. */
  #held: Item[] | undefined;
  #catchUp: Timer | undefined;
  /** Of both lists. */
  #frames = 0;
  #frameBytes = 0;
  #paused = false;
  /** The handler had no room, and has taken nothing since. */
  #full = false;
  /** An answer of a sync was left alone since. */
  #passedOver = false;
  #roomCheck: Timer | undefined;
  /** The slice that runs, or has just run: when it began, and what ends it. */
  #slice: { startedAt: number; end: NodeJS.Immediate } | undefined;
  #stopped = false;

  constructor(options: CommandFeedOptions) {
    this.#o = options;
  }

  /** `data` of a command frame of so many bytes. Handled before this returns unless others are before it. */
  take(raw: unknown, bytes: number): void {
    if (this.#stopped) return;
    this.#frames += 1;
    this.#frameBytes += bytes;
    (this.#held ?? this.#queue).push({ raw, channel: 'websocket', bytes, answer: undefined });
    this.#work();
  }

  /**
   * The commands of a sync. Resolves when they are on disk, or at once when there is no room.
   * Rejects with EDGE_STATE_*: some were not taken in.
   */
  fetched(commands: readonly unknown[]): Promise<void> {
    if (this.#stopped || commands.length === 0) return Promise.resolve();
    if (this.#full) {
      this.#passedOver = true;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const answer = { left: commands.length, resolve, reject };
      for (const raw of commands) this.#queue.push({ raw, channel: 'sync', bytes: 0, answer });
      this.#work();
    });
  }

  /** The socket came up, and a sync will fetch what was queued meanwhile. */
  catchUp(): void {
    if (this.#stopped) return;
    this.#held ??= [];
    this.#catchUp?.cancel();
    this.#catchUp = this.#o.clock.after(CATCH_UP_MS, () => this.caughtUp());
  }

  /** That sync is through, or failed. */
  caughtUp(): void {
    if (this.#passedOver) return;
    this.#catchUp?.cancel();
    for (const item of this.#held ?? []) this.#queue.push(item);
    this.#held = undefined;
    this.#work();
  }

  /** What was not handled was not acknowledged: it comes again after the next start. */
  stop(): void {
    this.#stopped = true;
    if (this.#slice) clearImmediate(this.#slice.end);
    this.#roomCheck?.cancel();
    this.#catchUp?.cancel();
    for (const { answer } of this.#clear()) answer?.resolve();
  }

  #work(): void {
    const { clock } = this.#o;
    if (this.#stopped) return;
    if (this.#queue.length > 0 && !this.#roomCheck) {
      this.#slice ??= { startedAt: clock.monotonic(), end: setImmediate(() => this.#nextSlice()) };
      const { startedAt } = this.#slice;
      while (!this.#roomCheck && this.#queue[0] && clock.monotonic() - startedAt < SLICE_MS)
        this.#handle(this.#queue[0]);
    }
    this.#throttle();
  }

  #nextSlice(): void {
    this.#slice = undefined;
    this.#work();
  }

  #handle(item: Item): void {
    try {
      this.#o.handler.handle(item.raw, item.channel);
      this.#done(item);
    } catch (error) {
      const code = codeOf(error, 'EDGE_INTERNAL');
      if (code === 'EDGE_COMMANDS_FULL') this.#wait();
      else if (code.startsWith('EDGE_STATE_')) this.#drop(error, code);
      else {
        this.#o.telemetry.failure(code, messageOf(error)); // a defect of ours: the commands behind it go on
        this.#done(item);
      }
    }
  }

  #done({ channel, bytes, answer }: Item): void {
    this.#queue.shift();
    if (channel === 'websocket') {
      this.#frames -= 1;
      this.#frameBytes -= bytes;
    }
    if (answer && --answer.left === 0) answer.resolve();
    this.#goOn();
  }

  #goOn(): void {
    if (!this.#full) return;
    this.#full = false;
    this.#o.telemetry.commandsResumed();
    if (!this.#passedOver) return;
    this.#passedOver = false;
    if (this.#held) this.catchUp();
    this.#o.syncNow();
  }

  #wait(): void {
    const { clock, handler, telemetry } = this.#o;
    if (!this.#full) telemetry.commandsPaused(handler.waiting);
    this.#full = true;
    for (const { answer } of this.#queue) answer?.resolve();
    this.#roomCheck = clock.after(ROOM_CHECK_MS, () => {
      this.#roomCheck = undefined;
      if (handler.hasRoom()) this.#work();
      else this.#wait();
    });
  }

  #drop(error: unknown, code: ErrorCode): void {
    const hadFrames = this.#frames > 0;
    for (const { answer } of this.#clear()) answer?.reject(error);
    this.#goOn(); // nothing is left that could be tried for room
    if (!hadFrames) return; // who asked for the sync tells
    this.#o.telemetry.failure(code, messageOf(error));
    this.#o.refuse(code);
  }

  #clear(): Item[] {
    const dropped = this.#queue;
    this.#queue = [];
    if (this.#held) this.#held = [];
    this.#frames = 0;
    this.#frameBytes = 0;
    return dropped;
  }

  #throttle(): void {
    if (this.#paused) {
      if (this.#full || this.#frames > MAX_FRAMES / 2 || this.#frameBytes > MAX_FRAME_BYTES / 2) return;
      this.#paused = false;
      for (const part of this.#o.throttled()) part.resume();
    } else if (this.#full || this.#frames > MAX_FRAMES || this.#frameBytes > MAX_FRAME_BYTES) {
      this.#paused = true;
      for (const part of this.#o.throttled()) part.pause();
    }
  }
}
