import type { Database, Statement } from 'better-sqlite3';

export interface EpochRow {
  epoch: number;
  dev: string;
  ino: string;
  cursorRowid: number;
  /** Guid of the row at the cursor when it was stored; null when there was none. */
  cursorGuid: string | null;
  /** Newest date of a message that came in, ms since 1970; none lies in the future. At first when the agent's time began. */
  newestMessageAt: number | null;
  burstBaseAt: number | null;
  burstSinceAt: number | null;
  burstAt: number | null;
  burstBehind: number;
  createdAt: number;
}

/** Rows that come together, see relay/backfill.ts; times in ms since 1970. */
export type Burst = Pick<EpochRow, 'burstBaseAt' | 'burstSinceAt' | 'burstAt' | 'burstBehind'>;

export interface Cursor {
  epoch: number;
  rowid: number;
  guid: string | null;
  newestMessageAt: number | null;
}

const COLUMNS = `epoch, dev, ino, cursor_rowid AS cursorRowid, cursor_guid AS cursorGuid,
  newest_message_at AS newestMessageAt, burst_base_at AS burstBaseAt, burst_since_at AS burstSinceAt,
  burst_at AS burstAt, burst_behind AS burstBehind, created_at AS createdAt`;

/** The chat.db files seen, and how far each was taken in. Only the latest epoch is read. */
export class Epochs {
  readonly #latest: Statement;
  readonly #insert: Statement;
  readonly #move: Statement;
  readonly #setBurst: Statement;
  readonly #setIdentity: Statement;

  constructor(db: Database) {
    this.#latest = db.prepare(`SELECT ${COLUMNS} FROM epochs ORDER BY epoch DESC LIMIT 1`);
    this.#insert = db.prepare(`
      INSERT INTO epochs (dev, ino, cursor_rowid, cursor_guid, newest_message_at, created_at)
      VALUES (@dev, @ino, @rowid, @guid, @newestMessageAt, @now)`);
    this.#move = db.prepare(`
      UPDATE epochs SET cursor_rowid = @rowid, cursor_guid = @guid, newest_message_at = @newestMessageAt
      WHERE epoch = @epoch`);
    this.#setBurst = db.prepare(`
      UPDATE epochs SET burst_base_at = @burstBaseAt, burst_since_at = @burstSinceAt, burst_at = @burstAt,
        burst_behind = @burstBehind WHERE epoch = @epoch`);
    this.#setIdentity = db.prepare('UPDATE epochs SET dev = @dev, ino = @ino WHERE epoch = @epoch');
  }

  latest(): EpochRow | undefined {
    return this.#latest.get() as EpochRow | undefined;
  }

  /** Starts an epoch and returns its number. */
  start(epoch: { dev: string; ino: string; now: number } & Omit<Cursor, 'epoch'>): number {
    return Number(this.#insert.run(epoch).lastInsertRowid);
  }

  moveCursor(cursor: Cursor): void {
    this.#move.run(cursor);
  }

  setBurst(epoch: number, { burstBaseAt, burstSinceAt, burstAt, burstBehind }: Burst): void {
    this.#setBurst.run({ epoch, burstBaseAt, burstSinceAt, burstAt, burstBehind });
  }

  /** The same database under another inode (restored in place, volume remounted). */
  setIdentity(epoch: number, dev: string, ino: string): void {
    this.#setIdentity.run({ epoch, dev, ino });
  }
}
