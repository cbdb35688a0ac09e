import type { Database, Statement } from 'better-sqlite3';
import type { InboundState } from './Inbound.ts';
import { openReadOnly } from './openDatabase.ts';
import type { SendState } from './SendRow.ts';

export interface HistoryWanted {
  /** ms since 1970, inclusive; @default everything there is */
  readonly since?: number | undefined;
  /** ms since 1970, exclusive */
  readonly until?: number | undefined;
  readonly threadId?: string | undefined;
  readonly messages: boolean;
  readonly receipts: boolean;
}

/** A message that came in. Times are ms since 1970. */
export interface PastMessage {
  readonly kind: 'message';
  /** When it was written, or taken in where nothing says. */
  readonly at: number;
  readonly guid: string;
  readonly threadId: string | null;
  readonly state: InboundState;
  readonly skipped: string | null;
  readonly backfill: 0 | 1;
  readonly attempts: number;
  readonly errorCode: string | null;
  /** MessageRequest as JSON; null where it never was whole, was not to be handed over, and after retention. */
  readonly body: string | null;
  readonly createdAt: number;
  readonly doneAt: number | null;
}

/** A bubble that went out, or was to. */
export interface PastSend {
  readonly kind: 'receipt';
  /** When it was begun, or queued where it was not. */
  readonly at: number;
  readonly sendId: number;
  readonly key: string;
  readonly threadId: string;
  readonly state: SendState;
  readonly bubbleType: string;
  readonly commandId: string | null;
  readonly answers: string | null;
  readonly receiptGuid: string | null;
  /** '' after retention, and where it is a file. */
  readonly text: string;
  readonly fileName: string | null;
  readonly attempts: number;
  readonly errorCode: string | null;
  readonly createdAt: number;
  readonly sendingAt: number | null;
  readonly confirmedAt: number | null;
  readonly deliveredAt: number | null;
  readonly readAt: number | null;
  readonly finishedAt: number | null;
}

/** Rows read a transaction: a short one, for while it lasts the running agent cannot shorten its WAL. */
const PAGE = 500;

const MESSAGE_AT = 'coalesce(message_at, created_at)';
const SEND_AT = 'coalesce(sending_at, created_at)';
const IN_RANGE = 'at >= @since AND at < @until AND (@threadId IS NULL OR thread_id = @threadId)';

/** What came in and went out in a period, in the order of time, however much it is. */
export class History {
  readonly #db: Database;
  readonly #message: Statement<unknown[]>;
  readonly #send: Statement<unknown[]>;

  private constructor(db: Database) {
    this.#db = db;
    this.#message = db.prepare(`
      SELECT 'message' AS kind, ${MESSAGE_AT} AS at, guid, thread_id AS threadId, state, skipped, backfill, attempts,
        error_code AS errorCode, body, created_at AS createdAt, done_at AS doneAt FROM inbound WHERE inbound_id = ?`);
    this.#send = db.prepare(`
      SELECT 'receipt' AS kind, ${SEND_AT} AS at, send_id AS sendId, key, thread_id AS threadId, state,
        bubble_type AS bubbleType, command_id AS commandId,
        (SELECT guid FROM inbound i WHERE i.inbound_id = answers_id) AS answers, receipt_guid AS receiptGuid, text,
        (SELECT name FROM outgoing_files f WHERE f.file_id = sends.file_id) AS fileName, attempts,
        error_code AS errorCode, created_at AS createdAt, sending_at AS sendingAt, confirmed_at AS confirmedAt,
        delivered_at AS deliveredAt, read_at AS readAt, finished_at AS finishedAt FROM sends WHERE send_id = ?`);
  }

  /** @throws EdgeError EDGE_STATE_NEWER, EDGE_STATE_OLDER */
  static open(path: string): History {
    return new History(openReadOnly(path));
  }

  /**
   * Reads page by page, and may rest for as long as the reader likes in between. What is there when it begins is what
   * comes; rows that retention takes meanwhile do not.
   */
  *rows(wanted: HistoryWanted): Generator<PastMessage | PastSend> {
    this.#gather(wanted);
    const page = this.#db.prepare('SELECT place, is_send, id FROM temp.found WHERE place > ? ORDER BY place LIMIT +?');
    const read = this.#db.transaction((after: number) => {
      const keys = page.all(after, PAGE) as { place: number; is_send: 0 | 1; id: number }[];
      const rows = keys.map(({ is_send, id }) => (is_send ? this.#send : this.#message).get(id));
      return { last: keys.at(-1)?.place, rows: rows.filter((row) => row !== undefined) as (PastMessage | PastSend)[] };
    });
    for (let after: number | undefined = 0; after !== undefined; ) {
      const { last, rows } = read(after);
      yield* rows;
      after = last;
    }
  }

  /** The keys in their order, in a table of this connection alone: no index has them so, and sorted once is enough. */
  #gather({ since = 0, until = Number.MAX_SAFE_INTEGER, threadId, messages, receipts }: HistoryWanted): void {
    this.#db.exec('DROP TABLE IF EXISTS temp.found; CREATE TEMP TABLE found (place INTEGER PRIMARY KEY, is_send, id)');
    const parts = [
      ...(messages ? [`SELECT ${MESSAGE_AT} AS at, 0 AS is_send, inbound_id AS id, thread_id FROM inbound`] : []),
      ...(receipts ? [`SELECT ${SEND_AT} AS at, 1 AS is_send, send_id AS id, thread_id FROM sends`] : []),
    ];
    this.#db
      .prepare(`
        INSERT INTO temp.found (is_send, id) SELECT is_send, id FROM (${parts.join(' UNION ALL ')})
        WHERE ${IN_RANGE} ORDER BY at, is_send, id`)
      .run({ since, until, threadId: threadId ?? null });
  }

  close(): void {
    this.#db.close();
  }
}
