import type { ChatRow } from '../chatdb/types.ts';
import type { Burst } from '../state/Epochs.ts';
import { type AdmitOptions, admit, keyOf, note, park, pass } from './admit.ts';
import { BLOCK_ROWS, isAhead, isBehind, isOld, joinBurst, newerOf, type Verdict } from './backfill.ts';
import type { Classified } from './classify.ts';
import { groupCreated } from './rowEvents.ts';
import type { Told } from './Told.ts';
import { threadOf } from './toRequest.ts';

/** A row of chat.db and what it is; `isKnown`: it was taken in before, or is from before the agent's time. */
export interface SortedRow {
  readonly row: ChatRow;
  readonly isKnown: boolean;
  readonly classified: Classified;
}

export interface BatchOptions extends AdmitOptions {
  answerMaxAgeSeconds: number;
  classify(row: ChatRow): Classified;
  /** Whether the row is the first of a group, which is then told of. */
  isFirstOfGroup(row: ChatRow): boolean;
  /** A row was parked, because it lacks `missing` or waits for company. */
  onParked(row: ChatRow, missing: string, verdict: Verdict): void;
}

/** Rows taken in together, within the caller's transaction: what they are written as, and what they say of those to come. */
export class Batch {
  readonly #o: BatchOptions;
  readonly #epoch: number;
  readonly #now: number;
  readonly #told: Told;
  readonly #isPass: boolean;
  /** Those of the rows' keys that a row of state.db has. */
  #knownKeys: Set<string> = new Set();
  #burst: Burst;
  #newestAt: number;

  /** `isPass`: the rows are of a file that took the place of another, and may have stood there for years. */
  constructor(
    o: BatchOptions,
    at: { epoch: number; now: number; burst: Burst; newestAt: number; told: Told; isPass: boolean },
  ) {
    this.#o = o;
    this.#epoch = at.epoch;
    this.#now = at.now;
    this.#told = at.told;
    this.#isPass = at.isPass;
    this.#burst = at.burst;
    this.#newestAt = at.newestAt;
  }

  get burst(): Burst {
    return this.#burst;
  }

  /** Newest date of a row that came in, ms since 1970. */
  get newestAt(): number {
    return this.#newestAt;
  }

  take(rows: readonly SortedRow[]): void {
    const hasKey = ({ isKnown, classified: { kind } }: SortedRow) => !isKnown && kind !== 'own' && kind !== 'event';
    const keyed = rows.map((sorted) => ({ ...sorted, key: hasKey(sorted) ? keyOf(sorted.row) : undefined }));
    const keys = keyed.map(({ key }) => key).filter((key) => key !== undefined);
    this.#knownKeys = this.#o.store.inbound.fingerprintsOf(keys);
    for (const sorted of keyed) this.#take(sorted, sorted.key);
  }

  #take({ row, isKnown, classified: found }: SortedRow, key: string | undefined): void {
    if (isKnown) return;
    // It has waited for its body, and there is a text.
    const whole = found.kind === 'incomplete' && found.isReadable ? found.otherwise : found;
    // What it refers to may have turned out to be known under another guid within this batch.
    const classified = 'event' in whole && row.association ? this.#o.classify(row) : whole;
    const verdict = row.isFromMe ? 'live' : this.#verdictOf(row);
    if (!row.isFromMe) this.#newestAt = newerOf(this.#newestAt, row.dateAt, this.#now);
    if (row.chat?.isGroup && this.#o.isFirstOfGroup(row)) {
      const created = groupCreated(row);
      if (created) this.#note(row, created);
    }
    if (classified.kind === 'own') return;
    if (classified.kind === 'event') {
      this.#note(row, classified.event);
      return;
    }
    const threadId = threadOf(row);
    const mayBeKnown = key !== undefined && this.#knownKeys.has(key);
    const a = { epoch: this.#epoch, now: this.#now, isParked: false, verdict, told: this.#told, key, mayBeKnown };
    if (key !== undefined) this.#knownKeys.add(key);
    if (classified.kind === 'incomplete' || threadId === undefined) {
      const missing = classified.kind === 'incomplete' ? classified.missing : 'chat';
      park(this.#o, row, { ...a, key: undefined }); // what it lacks is part of what it is known by
      this.#parked(row, missing, verdict);
    } else if (classified.kind === 'skipped') {
      pass(this.#o, row, threadId, classified, { ...a, isOld: this.#isOld(row) });
    } else if (admit(this.#o, row, threadId, a) === 'parked') {
      this.#parked(row, 'company', verdict);
    }
  }

  /** Rows that turn up long after their time are a block from iCloud when there are some of them, else a late message. */
  #verdictOf(row: ChatRow): Verdict {
    this.#burst = joinBurst(this.#burst, this.#now, this.#newestAt);
    const isBehindBase = isBehind(this.#burst, row.dateAt);
    if (isBehindBase) {
      const burstBehind = this.#burst.burstBehind + 1;
      this.#burst = { ...this.#burst, burstBehind };
      if (burstBehind >= BLOCK_ROWS && this.#o.store.inbound.decideBackfill() > 0) this.#told.hasDecided = true;
    }
    if (this.#isOld(row)) return 'backfill';
    if (!isBehindBase) return 'live';
    return this.#burst.burstBehind >= BLOCK_ROWS ? 'backfill' : 'undecided';
  }

  #parked(row: ChatRow, missing: string, verdict: Verdict): void {
    this.#told.hasParked = true;
    this.#told.later(() => this.#o.onParked(row, missing, verdict));
  }

  #isOld({ dateAt }: ChatRow): boolean {
    if (this.#isPass && isAhead(dateAt, this.#now)) return true;
    return isOld({ dateAt, now: this.#now, answerMaxAgeSeconds: this.#o.answerMaxAgeSeconds });
  }

  #note(row: ChatRow, draft: Parameters<typeof note>[2]): void {
    note(this.#o, row, draft, { now: this.#now, isOld: this.#isOld(row), told: this.#told });
  }
}
