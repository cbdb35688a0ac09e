import type { Database, Statement } from 'better-sqlite3';
import type { SendRow } from './SendRow.ts';
import { OPEN } from './Sends.ts';

/** The first open send of a thread, as far as its turn depends on it. */
export interface Head
  extends Pick<SendRow, 'sendId' | 'threadId' | 'state' | 'notBeforeAt' | 'createdAt' | 'immediate'> {
  /** Length of its text, characters. */
  readonly chars: number;
  /** The thread has an open bubble that is immediate: this one, or one behind it. */
  readonly isUrgent: 0 | 1;
  /** When the bubble before it of the same answer was begun, the reflex included; null when it is the first. */
  readonly followsAt: number | null;
}

/** When something was begun that a limit counts. */
export interface Begun<Key> {
  readonly key: Key;
  /** ms since 1970 */
  readonly at: number;
}

/** One read past the open rows of a thread, however many they are. */
const HEAD_ID = (thread: string) =>
  `SELECT send_id FROM sends WHERE thread_id = ${thread} AND ${OPEN} ORDER BY position, bubble_index LIMIT 1`;

/**
 * The bubble before: the last begun one of its group, else the reflex that the answer's first bubble names. A reflex
 * that failed was seen by nobody.
 */
const HEAD = `SELECT h.send_id AS sendId, h.thread_id AS threadId, h.state, h.not_before_at AS notBeforeAt,
    h.created_at AS createdAt, h.immediate, length(h.text) AS chars,
    EXISTS (SELECT 1 FROM sends WHERE thread_id = h.thread_id AND immediate = 1 AND ${OPEN}) AS isUrgent,
    coalesce(
      (SELECT sending_at FROM sends
        WHERE group_key = h.group_key AND bubble_index < h.bubble_index AND sending_at IS NOT NULL
        ORDER BY bubble_index DESC LIMIT 1),
      (SELECT reflex.sending_at FROM sends AS first CROSS JOIN sends AS reflex
        WHERE first.group_key = h.group_key AND first.bubble_index = 0
          AND reflex.key = 'command:' || first.reflex_command_id AND reflex.state <> 'failed')) AS followsAt`;

/** Asked for every turn, or every start of the agent: none may cost more the more rows there are. */
export const PACE_QUERIES = {
  headOf: `${HEAD} FROM sends AS h WHERE h.send_id = (${HEAD_ID('?')})`,
  // From one thread to the next by the index, past the rows between.
  heads: `
    WITH RECURSIVE open_threads (thread_id) AS (
      SELECT * FROM (SELECT thread_id FROM sends WHERE ${OPEN} ORDER BY thread_id LIMIT 1)
      UNION ALL
      SELECT (SELECT thread_id FROM sends WHERE ${OPEN} AND thread_id > past.thread_id ORDER BY thread_id LIMIT 1)
      FROM open_threads AS past WHERE past.thread_id IS NOT NULL)
    ${HEAD} FROM open_threads AS t CROSS JOIN sends AS h WHERE h.send_id = (${HEAD_ID('t.thread_id')})`,
  begunSince:
    'SELECT send_id AS key, sending_at AS at FROM sends WHERE sending_at > ? ORDER BY sending_at DESC LIMIT +?',
  openedSince:
    'SELECT thread_id AS key, sending_at AS at FROM sends WHERE opens_thread = 1 AND sending_at > ? ORDER BY sending_at DESC',
} as const;

/** What order and pace are decided from: the rows of `sends`. */
export class SendPace {
  readonly #headOf: Statement;
  readonly #heads: Statement;
  readonly #begunSince: Statement;
  readonly #openedSince: Statement;
  readonly #waiting: Statement;
  readonly #waitingIn: Statement;

  constructor(db: Database) {
    this.#headOf = db.prepare(PACE_QUERIES.headOf);
    this.#heads = db.prepare(PACE_QUERIES.heads);
    this.#begunSince = db.prepare(PACE_QUERIES.begunSince);
    this.#openedSince = db.prepare(PACE_QUERIES.openedSince);
    const waiting = `SELECT count(*) FROM sends WHERE ${OPEN} AND state = 'queued' AND coalesce(not_before_at, 0) <= ?`;
    this.#waiting = db.prepare(waiting).pluck();
    this.#waitingIn = db.prepare(`${waiting} AND thread_id = ?`).pluck();
  }

  headOf(threadId: string): Head | undefined {
    return this.#headOf.get(threadId) as Head | undefined;
  }

  /** Of every thread that has one. */
  heads(): Head[] {
    return this.#heads.all() as Head[];
  }

  /** Sends begun after `since`, the newest first, each by its last attempt. */
  begunSince(since: number, limit: number): Begun<number>[] {
    return this.#begunSince.all(since, limit) as Begun<number>[];
  }

  /** Threads in which we wrote first after `since`, the newest first; one that was tried again may be there twice. */
  openedSince(since: number): Begun<string>[] {
    return this.#openedSince.all(since) as Begun<string>[];
  }

  /** Queued bubbles whose time has come, of all threads or of one. */
  waiting(now: number, threadId?: string): number {
    return (threadId === undefined ? this.#waiting.get(now) : this.#waitingIn.get(now, threadId)) as number;
  }
}
