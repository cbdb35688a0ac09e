import type { Database, Statement } from 'better-sqlite3';

/** Single facts: when the agent started and stopped, and what a reader of the file should know of it. */
export type MetaKey =
  | 'started_at'
  | 'stopped_at'
  | 'version'
  | 'agent_id'
  | 'conditions'
  /** When it was last tried whether writes go through again, ms since 1970. */
  | 'looked_at'
  /** When this state.db was begun, ms since 1970: messages from before are history, not mail. */
  | 'begun_at'
  /** JSON: how far the first pass over a new chat.db goes; '' when there is none. */
  | 'catch_up'
  /** What was done with before this has been deleted by retention, ms since 1970. */
  | 'pruned_before'
  /** JSON: what the watchdog knows of Messages: see messaging/WatchdogRecord.ts. */
  | 'watchdog'
  /** When the last wake message was queued, ms since 1970. */
  | 'wake_message_at'
  /** JSON: since when edits and unsends have not all been looked for; '' when they have. */
  | 'changes_since'
  /** How many bubbles were begun, ever: see state/HighWater.ts. */
  | 'bubbles_begun'
  /** JSON: the time of which this file knows nothing: see state/Forgotten.ts. */
  | 'forgotten'
  /** JSON: the time in which bubbles may have been begun of which this file knows nothing: see state/Forgotten.ts. */
  | 'unsure'
  /** The folder of the status page, which only who was let in knows: see ops/page/pageParts.ts. */
  | 'page_folder';

export class Meta {
  readonly #get: Statement;
  readonly #set: Statement;

  constructor(db: Database) {
    this.#get = db.prepare('SELECT value FROM meta WHERE key = ?').pluck();
    this.#set = db.prepare(
      'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
    );
  }

  get(key: MetaKey): string | undefined {
    return this.#get.get(key) as string | undefined;
  }

  set(key: MetaKey, value: string): void {
    this.#set.run(key, value);
  }
}
