import type { Database } from 'better-sqlite3';

interface Job {
  work: () => unknown;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

/**
 * Writes of one turn of the event loop share one durable transaction: an fsync for all instead of one for each. Each
 * job has a savepoint of its own, so that one that throws takes nothing else with it. Promises resolve after COMMIT.
 *
 * After an I/O error every later write is refused: SQLite reports a failed fsync once, and commits after it seem to
 * succeed although what came before is lost.
 */
export class GroupCommit {
  readonly #db: Database;
  readonly #savepoint: (work: () => unknown) => unknown;
  #jobs: Job[] = [];
  #scheduled = false;
  #broken: unknown;

  constructor(db: Database) {
    this.#db = db;
    this.#savepoint = db.transaction((work: () => unknown) => work());
  }

  /** Runs `work` in the next transaction; jobs run in the order of the calls. */
  run<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#jobs.push({ work, resolve: resolve as (value: unknown) => void, reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      setImmediate(() => this.flush());
    });
  }

  /** Commits what waits, now. */
  flush(): void {
    this.#scheduled = false;
    const jobs = this.#jobs;
    this.#jobs = [];
    if (jobs.length === 0) return;
    const settle: (() => void)[] = [];
    try {
      if (this.#broken) throw this.#broken;
      this.#db
        .transaction(() => {
          for (const job of jobs) settle.push(this.#attempt(job));
        })
        .immediate();
    } catch (error) {
      if (isFatal(error)) this.#broken = error;
      for (const job of jobs) job.reject(error);
      return;
    }
    for (const done of settle) done();
  }

  #attempt(job: Job): () => void {
    try {
      const value = this.#savepoint(job.work);
      return () => job.resolve(value);
    } catch (error) {
      if (!this.#db.inTransaction) throw error; // SQLite rolled everything back: the disk is full or broken
      return () => job.reject(error);
    }
  }
}

function isFatal(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && (code.startsWith('SQLITE_IOERR') || code.startsWith('SQLITE_CORRUPT'));
}
