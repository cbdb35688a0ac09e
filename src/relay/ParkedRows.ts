import type { ChatRow } from '../chatdb/types.ts';
import type { InboundRow } from '../state/Inbound.ts';
import type { Clock } from '../util/Clock.ts';
import { type AdmitOptions, admit, keyOf, note, pass, skip } from './admit.ts';
import { DECIDE_MS, isOld, type Verdict } from './backfill.ts';
import type { Classified, EventDraft, Missing } from './classify.ts';
import type { MessageSource } from './MessageSource.ts';
import { groupCreated } from './rowEvents.ts';
import type { Told } from './Told.ts';
import { threadOf } from './toRequest.ts';

/** How long a parked row may stay incomplete, ms; Messages is done within a second, or never. */
const PARKED_FOR_MS = 10_000;
/**
 * How long a row without its chat holds up the groups from when it was first seen, ms: it may be of one of them, and is by
 * then if it ever is.
 */
export const GROUPS_WAIT_MS = 1_000;
/** Rows looked at in one go; where there are more, the next look goes on behind them. */
const PAGE = 200;
/** How often parked rows are looked at while there are any, ms; while there are more than a page. */
export const LOOK_EVERY_MS = 500;
const NEXT_PAGE_MS = 100;
/** Rows remembered as they were last seen, to be delivered if chat.db loses them: a few MB, 60 at worst. */
const REMEMBERED = 1_000;
/** Body and text of a row that is remembered, bytes; what is larger no person wrote. */
const REMEMBERED_BYTES = 64 * 1024;
/** More undecided rows than a burst can have. */
const UNDECIDED = 10;

export interface ParkedOptions extends AdmitOptions {
  clock: Clock;
  answerMaxAgeSeconds: number;
  attachmentWaitSeconds: number;
  classify(row: ChatRow): Classified;
  /** Whether the row is the first of a group, which is then told of. */
  isFirstOfGroup(row: ChatRow): boolean;
}

type End = (a: { now: number; told: Told }) => void;

interface Watched {
  /** Monotonic, ms. */
  readonly since: number;
  /** As last seen. */
  readonly row: ChatRow | undefined;
  /** It lacks its chat, and is live as far as is known. */
  readonly mayBeOfGroup: boolean;
}

/**
 * Rows that the cursor has passed and that are not to be handed over yet, looked at again until that is over.
 * ```
 * incomplete ──whole, or its time is over──▶ message | done | dead
 * undecided ──a block comes──▶ backfill      ──2 s without another──▶ live
 * ```
 * Without a download a row waits attachmentWaitSeconds, without anything else PARKED_FOR_MS. Each ends as a message, as
 * done (it turned out to be our own, an event, a duplicate) or as a dead letter.
 */
export class ParkedRows {
  readonly #o: ParkedOptions;
  /** At most REMEMBERED; of the others the wall clock says since when they wait. */
  readonly #watched = new Map<string, Watched>();
  /** When the latest undecided row came, or was found by a restart; monotonic. */
  #undecidedSince: number | undefined;
  /** The last row of the page before, 0 before the first page. */
  #after = 0;

  constructor(o: ParkedOptions) {
    this.#o = o;
  }

  /** A row was parked; `isUndecided`: for lack of company. `since` is when it was first seen, monotonic. */
  parked(row: ChatRow, a: { isUndecided: boolean; verdict: Verdict; since: number | undefined }): void {
    const now = this.#o.clock.monotonic();
    if (a.isUndecided) this.#undecidedSince = now;
    if (this.#watched.size >= REMEMBERED) return;
    const mayBeOfGroup = row.chat === undefined && a.verdict === 'live';
    this.#watched.set(row.guid, { since: a.since ?? now, row: small(row), mayBeOfGroup });
  }

  /** Whether one of them may yet turn out to be a group's, whose later rows are not to overtake it. */
  holdsGroups(): boolean {
    const now = this.#o.clock.monotonic();
    return [...this.#watched.values()].some(({ since, mayBeOfGroup }) => mayBeOfGroup && now - since < GROUPS_WAIT_MS);
  }

  /** Looks at a page of parked rows, in one transaction; when to look again, ms, undefined when none are left. */
  look(source: MessageSource, told: Told): number | undefined {
    const { store, clock } = this.#o;
    const undecided = store.inbound.undecided(UNDECIDED);
    const page = store.inbound.parked(this.#after, PAGE);
    const isWhole = this.#after === 0 && page.length < PAGE;
    this.#after = page.length < PAGE ? 0 : page.at(-1)!.inboundId;
    const rows = [...new Map([...undecided, ...page].map((row) => [row.guid, row])).values()];
    if (isWhole) this.#forgetAllBut(rows);
    if (undecided.length === 0) this.#undecidedSince = undefined;
    else this.#undecidedSince ??= clock.monotonic();
    if (rows.length === 0) return isWhole ? undefined : NEXT_PAGE_MS;
    const found = new Map(source.rowsByGuid(rows.map(({ guid }) => guid)).map((row) => [row.guid, row]));
    const ends = rows.flatMap((parked) => {
      const end = this.#decide(parked, found.get(parked.guid));
      return end ? [{ guid: parked.guid, end }] : [];
    });
    if (ends.length > 0) {
      const now = clock.now();
      store.transaction(() => {
        for (const { end } of ends) end({ now, told });
      });
    }
    if (isWhole && ends.length === rows.length && store.inbound.parked(0, 1).length === 0) return undefined;
    return Math.min(isWhole ? LOOK_EVERY_MS : NEXT_PAGE_MS, this.#decideIn() || LOOK_EVERY_MS);
  }

  /** How long undecided rows still wait for company, ms. */
  #decideIn(): number {
    if (this.#undecidedSince === undefined) return 0;
    return Math.max(0, this.#undecidedSince + DECIDE_MS - this.#o.clock.monotonic());
  }

  /** What becomes of the row now; undefined: it waits. */
  #decide(parked: InboundRow, found: ChatRow | undefined): End | undefined {
    const { guid } = parked;
    const row = found ?? this.#watched.get(guid)?.row;
    const waitedMs = this.#waited(parked, row);
    // Rows are deleted and inserted again, and a chat.db may be away for a moment.
    const isLost = found === undefined && waitedMs >= PARKED_FOR_MS;
    if (!row) return isLost ? (a) => this.#giveUp(parked, 'the row is gone from chat.db', a) : undefined;
    const classified = this.#o.classify(row);
    const isIncomplete = classified.kind === 'incomplete';
    const settled = isIncomplete ? classified.otherwise : classified;
    if (settled.kind === 'message' && parked.undecided && this.#decideIn() > 0) return undefined;
    if (isIncomplete && !isLost && waitedMs < this.#mostMs(classified)) {
      return parked.undecided ? () => this.#o.store.inbound.decideLive(guid) : undefined;
    }
    const threadId = threadOf(row);
    const lacks = isIncomplete ? classified.missing : undefined;
    return (a) => {
      this.#noteGroup(parked, row, a);
      if (settled.kind === 'own') this.#skip(parked, row, 'own', a);
      else if (settled.kind === 'event') this.#tell(parked, row, settled.event, a);
      else if (settled.kind === 'skipped') this.#pass(parked, row, settled, a);
      else if (threadId === undefined) this.#giveUp(parked, 'the row has neither a chat nor a handle', a);
      else this.#admit(parked, row, threadId, lacks, a);
    };
  }

  #mostMs({ missing, isReadable }: Extract<Classified, { kind: 'incomplete' }>): number {
    if (isReadable) return 0; // it has waited before it was parked
    return missing === 'download' ? this.#o.attachmentWaitSeconds * 1_000 : PARKED_FOR_MS;
  }

  /** A group's first row may come before its chat. */
  #noteGroup(parked: InboundRow, row: ChatRow, a: { now: number; told: Told }): void {
    if (!row.chat?.isGroup || !this.#o.isFirstOfGroup(row)) return;
    const created = groupCreated(row);
    if (created) note(this.#o, row, created, { ...a, isOld: this.#isOld(parked, row) });
  }

  #waited({ guid, createdAt, backfill }: InboundRow, row: ChatRow | undefined): number {
    const { clock } = this.#o;
    const since = this.#watched.get(guid)?.since;
    if (since === undefined && this.#watched.size >= REMEMBERED) return clock.now() - createdAt;
    const mayBeOfGroup = row !== undefined && row.chat === undefined && backfill === 0;
    this.#watched.set(guid, { since: since ?? clock.monotonic(), row: row && small(row), mayBeOfGroup });
    return since === undefined ? 0 : clock.monotonic() - since;
  }

  #admit(
    parked: InboundRow,
    row: ChatRow,
    threadId: string,
    lacks: Missing | undefined,
    a: { now: number; told: Told },
  ) {
    // A row without its file is complete as far as it ever may be; the attachment says so.
    if (lacks !== undefined && lacks !== 'download') {
      const detail = `${row.guid} was handed over without its ${lacks}`;
      a.told.later((telemetry) => telemetry.failure('EDGE_ROW_INCOMPLETE', detail));
    }
    admit(this.#o, row, threadId, { ...this.#admission(parked, row, a), lacks });
  }

  #skip(parked: InboundRow, row: ChatRow, reason: string, a: { now: number; told: Told }): void {
    skip(this.#o, row, threadOf(row) ?? '', reason, this.#admission(parked, row, a));
  }

  #tell(parked: InboundRow, row: ChatRow, event: EventDraft, a: { now: number; told: Told }): void {
    note(this.#o, row, event, { ...a, isOld: this.#isOld(parked, row) });
    this.#skip(parked, row, 'event', a);
  }

  #pass(parked: InboundRow, row: ChatRow, settled: Parameters<typeof pass>[3], a: { now: number; told: Told }): void {
    const isOld = this.#isOld(parked, row);
    pass(this.#o, row, threadOf(row) ?? '', settled, { ...this.#admission(parked, row, a), isOld });
  }

  #admission(parked: InboundRow, row: ChatRow, a: { now: number; told: Told }) {
    const isBackfill = (parked.backfill === 1 && parked.undecided === 0) || this.#isOld(parked, row);
    const verdict: Verdict = isBackfill ? 'backfill' : 'live';
    return { ...a, epoch: parked.epoch, isParked: true, verdict, key: keyOf(row), mayBeKnown: true };
  }

  /** Old news when it was first seen. */
  #isOld({ createdAt }: InboundRow, { dateAt }: ChatRow): boolean {
    return isOld({ dateAt, now: createdAt, answerMaxAgeSeconds: this.#o.answerMaxAgeSeconds });
  }

  #giveUp({ guid }: InboundRow, detail: string, { now, told }: { now: number; told: Told }): void {
    told.unparked();
    if (this.#o.store.inbound.standIn(guid)) {
      this.#o.store.inbound.skip(guid, 'duplicate', now);
      told.hasParked = true;
      return;
    }
    this.#o.store.inbound.markDead(guid, 'EDGE_ROW_INCOMPLETE', detail);
    told.later((telemetry) => telemetry.messageSetAside({ guid, threadId: '', code: 'EDGE_ROW_INCOMPLETE', detail }));
  }

  #forgetAllBut(rows: readonly InboundRow[]): void {
    const left = new Set(rows.map(({ guid }) => guid));
    for (const guid of this.#watched.keys()) if (!left.has(guid)) this.#watched.delete(guid);
  }
}

function small(row: ChatRow): ChatRow | undefined {
  return row.bodyBytes + row.text.length <= REMEMBERED_BYTES ? row : undefined;
}
