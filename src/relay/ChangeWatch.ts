import type { ChatRow, RevisionPlace } from '../chatdb/types.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock, Timer } from '../util/Clock.ts';
import { codeOf, EdgeError, isStoreUnwilling, messageOf } from '../util/EdgeError.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import type { ChangeSource, ChangeWindow } from './ChangeSource.ts';
import { LateTexts } from './LateTexts.ts';
import type { PrivacyFilter } from './privacy.ts';
import { Revisions } from './Revisions.ts';
import { type Moment, WatchedTime } from './WatchedTime.ts';

/** From one look to the next at least, ms: edits are no hurry, and no index helps to find them. */
const GAP_MS = 250;
/** Edited rows taken note of in a look, of some 2,000 examined: a window of 50,000 is through in 7 s. */
const NOTICED_AT_ONCE = 500;
/** Until it is tried again when chat.db could not be read or state.db took nothing, ms. */
const RETRY_MS = 1_000;

export interface ChangeWatchOptions {
  store: StateStore;
  clock: Clock;
  telemetry: Telemetry;
  privacy: PrivacyFilter;
  /** Undefined while chat.db cannot be opened. */
  source(): ChangeSource | undefined;
  /** 0 before the first. */
  epoch(): number;
  /** Events were written. */
  onEvents(): void;
}

/** One walk through the rows that may have been edited. */
interface Walk {
  readonly window: ChangeWindow;
  readonly startedAt: Moment;
  after: RevisionPlace | undefined;
}

/**
 * Notices what changes in messages after they were taken in (edits, unsends, texts that come late), live and after a
 * downtime, and tells it as events. A change of chat.db starts a walk through the window (WatchedTime), a page a look;
 * a change during the walk starts another behind it.
 */
export class ChangeWatch {
  readonly #o: ChangeWatchOptions;
  readonly #time: WatchedTime;
  readonly #revisions: Revisions;
  readonly #lateTexts: LateTexts;
  #epoch = 0;
  #walk: Walk | undefined;
  /** When the last walk that is through began, while what it noticed is not all told. */
  #walkedAt: Moment | undefined;
  /** chat.db changed since the last walk began. */
  #isChanged = false;
  /** Monotonic, ms. */
  #lookedAt = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #started = false;

  constructor(o: ChangeWatchOptions) {
    this.#o = o;
    this.#time = new WatchedTime(o.store);
    this.#revisions = new Revisions(o);
    this.#lateTexts = new LateTexts(o);
  }

  /** To be called before intake takes anything in: what state.db says of the stop is no longer true afterwards. */
  start(): void {
    this.#started = true;
    this.#time.begin(this.#o.clock.now());
    this.#lateTexts.begin();
    this.chatDbChanged();
  }

  /** chat.db changed, or was opened. */
  chatDbChanged(): void {
    this.#isChanged = true;
    this.#arm();
  }

  /** Intake took in a message that was or will be handed over. */
  admitted(row: ChatRow): void {
    const before = this.#lateTexts.dueAt;
    this.#lateTexts.admitted(row);
    if (this.#lateTexts.dueAt !== before) this.#arm();
  }

  /** The Mac slept. */
  wake(): void {
    this.chatDbChanged();
  }

  stop(): void {
    this.#started = false;
    this.#timer?.cancel();
  }

  /** Sets the timer for what is due next; none when nothing is. */
  #arm(leastMs = 0): void {
    if (!this.#started) return;
    const walkAt = this.#walk || this.#isChanged ? this.#lookedAt : Number.POSITIVE_INFINITY;
    const at = Math.min(
      walkAt,
      this.#revisions.dueAt ?? Number.POSITIVE_INFINITY,
      this.#lateTexts.dueAt ?? Number.POSITIVE_INFINITY,
    );
    this.#timer?.cancel();
    if (at === Number.POSITIVE_INFINITY) return;
    const ms = Math.max(at, this.#lookedAt + GAP_MS) - this.#o.clock.monotonic();
    this.#timer = this.#o.clock.after(Math.max(ms, leastMs, 0), () => this.#look());
  }

  #look(): void {
    const source = this.#o.source();
    const epoch = this.#o.epoch();
    if (!source || epoch === 0) return; // told again when it is open
    this.#lookedAt = this.#o.clock.monotonic();
    try {
      this.#enter(epoch);
      if (this.#lateTexts.look(source)) this.#o.onEvents();
      if (this.#revisions.tell(source)) this.#o.onEvents();
      this.#step(source);
      if (this.#walkedAt !== undefined && this.#revisions.dueAt === undefined) {
        this.#time.seen(this.#walkedAt);
        this.#walkedAt = undefined;
      }
      this.#arm();
    } catch (error) {
      const isUnreadable = error instanceof EdgeError && error.code.startsWith('EDGE_CHATDB_');
      if (!isUnreadable && !isStoreUnwilling(error)) throw error;
      this.#o.telemetry.failure(codeOf(error, 'EDGE_INTERNAL'), `looking for edits: ${messageOf(error)}`);
      this.#isChanged = true;
      this.#arm(RETRY_MS);
    }
  }

  #enter(epoch: number): void {
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.#revisions.forget();
    this.#walk = undefined;
    this.#walkedAt = undefined;
    this.#isChanged = true;
  }

  /** One page of the walk. */
  #step(source: ChangeSource): void {
    if (!this.#walk) {
      if (!this.#isChanged) return;
      const { clock } = this.#o;
      const startedAt = { now: clock.now(), monotonic: clock.monotonic() };
      this.#walk = { window: this.#time.window(startedAt, this.#epoch, source), startedAt, after: undefined };
      this.#isChanged = false;
    }
    const { window, after, startedAt } = this.#walk;
    const { found, examinedTo } = source.revisions(window, after, NOTICED_AT_ONCE);
    const noticed = this.#revisions.notice(found);
    if (noticed < found.length) this.#walk.after = found[noticed - 1]?.place ?? after;
    else if (examinedTo !== undefined) this.#walk.after = examinedTo;
    else {
      this.#walk = undefined;
      this.#walkedAt = startedAt;
    }
  }
}
