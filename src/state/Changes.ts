import type { Database, Statement } from 'better-sqlite3';

/** A message that the backend knows or will know. */
export interface KnownMessage {
  /** Its guid there; of a message that came again under another guid, the first. */
  guid: string;
  /** Null while it is parked: it may turn out to be of another thread, and of one of which nothing may be told. */
  threadId: string | null;
  /** 1: it came in; 0: it is a bubble of ours. */
  isInbound: 0 | 1;
}

/** What state.db remembers of the time in which messages were last taken in. Times in ms since 1970. */
export interface LastTaken {
  /** The agent was at work then, and nothing had been missed. */
  seenUntil: number;
  /** Lowest ROWID among the rows of the epoch taken in within `spanMs` before the newest. */
  fromRowid: number | undefined;
  /** Oldest date among those of any epoch. */
  oldestAt: number;
}

/** Rows asked at most for what was taken in last: some 10 ms. */
const MAX_TAKEN = 10_000;
/** How far the date of a message may lie before its arrival to count, ms: nobody edits what is older. */
const MAX_LATE_MS = 7 * 86_400_000;

/** Of the conversation of a row that is parked there is no more than a guess. */
const THREAD = "CASE WHEN state <> 'parked' THEN thread_id END";
/** A dead letter without a body was never whole, and is handed over only once it was parked again. */
const KNOWN = "skipped IS NULL AND (state <> 'dead' OR body IS NOT NULL)";

/** What the watch for edits, unsends and late texts asks of messages, in and out. */
export class Changes {
  readonly #known: Statement;
  readonly #queued: Statement;
  readonly #moveFingerprint: Statement;
  readonly #taken: Statement;
  readonly #oldestOpen: Statement;
  readonly #lastSend: Statement;

  constructor(db: Database) {
    this.#known = db.prepare(`
      SELECT guid, ${THREAD} AS threadId, 1 AS isInbound FROM inbound WHERE guid = @guid AND ${KNOWN}
      UNION ALL SELECT guid, ${THREAD}, 1 FROM inbound WHERE inbound_id = (
        SELECT min(one.inbound_id) FROM inbound AS copy JOIN inbound AS one ON one.fingerprint = copy.fingerprint
        WHERE copy.guid = @guid AND copy.skipped = 'duplicate' AND one.skipped IS NULL)
      UNION ALL SELECT receipt_guid, thread_id, 0 FROM sends WHERE receipt_guid = @guid LIMIT 1`);
    this.#queued = db.prepare('SELECT body FROM inbound WHERE guid = ? AND skipped IS NULL').pluck();
    this.#moveFingerprint = db.prepare('UPDATE inbound SET fingerprint = ? WHERE guid = ?');
    this.#taken = db.prepare(`
      SELECT guid, epoch, chat_rowid AS rowid, created_at AS createdAt, coalesce(message_at, created_at) AS messageAt
      FROM inbound ORDER BY inbound_id DESC LIMIT +?`);
    const oldest = (backfill: number) => `
      SELECT min(created_at) AS at FROM inbound WHERE state IN ('parked', 'pending') AND backfill = ${backfill}`;
    this.#oldestOpen = db.prepare(`SELECT min(at) FROM (${oldest(0)} UNION ALL ${oldest(1)})`).pluck();
    this.#lastSend = db.prepare('SELECT created_at FROM sends ORDER BY send_id DESC LIMIT 1').pluck();
  }

  /** Undefined for a message that was not and will not be handed over, and that is none of our bubbles. */
  known(guid: string): KnownMessage | undefined {
    return this.#known.get({ guid }) as KnownMessage | undefined;
  }

  /** The guid under which the backend knows a message, if it does. */
  guidOf(guid: string): string {
    return this.known(guid)?.guid ?? guid;
  }

  /** The POST body of an inbound message as JSON; undefined when there is none or it was forgotten. */
  queuedBody(guid: string): string | undefined {
    return (this.#queued.get(guid) as string | null | undefined) ?? undefined;
  }

  /** A message reads otherwise now, and may be inserted again as it does. */
  moveFingerprint(guid: string, fingerprint: string): void {
    this.#moveFingerprint.run(fingerprint, guid);
  }

  /** Guids of the messages taken in within `spanMs` before the newest, newest first, at most `limit`. */
  newestGuids(spanMs: number, limit: number): string[] {
    return this.#newest(spanMs, limit).map(({ guid }) => guid);
  }

  /** Undefined for a state.db that has taken in and sent nothing. */
  lastTaken(epoch: number, spanMs: number): LastTaken | undefined {
    const rows = this.#newest(spanMs, MAX_TAKEN);
    const newest = rows[0];
    const lastSend = this.#lastSend.get() as number | undefined;
    if (!newest) {
      return lastSend === undefined ? undefined : { seenUntil: lastSend, fromRowid: undefined, oldestAt: lastSend };
    }
    const oldestOpen = (this.#oldestOpen.get() as number | null) ?? newest.createdAt;
    const rowids = rows.filter((row) => row.epoch === epoch).map(({ rowid }) => rowid);
    return {
      seenUntil: Math.max(Math.min(newest.createdAt, newest.messageAt, oldestOpen), newest.createdAt - MAX_LATE_MS),
      fromRowid: rowids.length === 0 ? undefined : Math.min(...rowids),
      oldestAt: Math.max(Math.min(...rows.map(({ messageAt }) => messageAt)), newest.createdAt - MAX_LATE_MS),
    };
  }

  #newest(spanMs: number, limit: number): TakenRow[] {
    const rows: TakenRow[] = [];
    for (const row of this.#taken.iterate(limit) as IterableIterator<TakenRow>) {
      if (rows[0] && row.createdAt < rows[0].createdAt - spanMs) break;
      rows.push(row);
    }
    return rows;
  }
}

interface TakenRow {
  guid: string;
  epoch: number;
  rowid: number;
  createdAt: number;
  messageAt: number;
}
