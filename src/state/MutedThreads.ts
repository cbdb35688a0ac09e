import type { Database, Statement } from 'better-sqlite3';

interface MutedThread {
  threadId: string;
  sinceAt: number;
  untilAt: number;
}

/** Threads that get no automatic answer for a while. */
export class MutedThreads {
  readonly #get: Statement;
  readonly #all: Statement;
  readonly #mute: Statement;
  readonly #prune: Statement;

  constructor(db: Database) {
    this.#get = db
      .prepare('SELECT until_at FROM muted_threads WHERE thread_id = ? AND since_at <= ? AND until_at > ?')
      .pluck();
    this.#all = db.prepare(`
      SELECT thread_id AS threadId, since_at AS sinceAt, until_at AS untilAt FROM muted_threads
      WHERE since_at <= ? AND until_at > ? ORDER BY until_at DESC`);
    this.#mute = db.prepare(`
      INSERT INTO muted_threads (thread_id, since_at, until_at) VALUES (@threadId, @now, @until)
      ON CONFLICT (thread_id) DO UPDATE SET since_at = excluded.since_at, until_at = excluded.until_at`);
    this.#prune = db.prepare(`
      DELETE FROM muted_threads WHERE thread_id IN (SELECT thread_id FROM muted_threads WHERE until_at < ? LIMIT +?)`);
  }

  /** Until when the thread is muted; undefined when it is not. A clock that was set back ends it. */
  until(threadId: string, now: number): number | undefined {
    return this.#get.get(threadId, now, now) as number | undefined;
  }

  /** All that are muted, the one that is longest first. */
  muted(now: number): MutedThread[] {
    return this.#all.all(now, now) as MutedThread[];
  }

  mute(threadId: string, now: number, until: number): void {
    this.#mute.run({ threadId, now, until });
  }

  /** Forgets those that ended before `endedBefore`. */
  prune(endedBefore: number, limit: number): number {
    return this.#prune.run(endedBefore, limit).changes;
  }
}
