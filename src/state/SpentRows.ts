import type { Database, Statement } from 'better-sqlite3';

/**
 * Why a row of chat.db belongs to a send without proving it: `refused` an earlier attempt that Messages marked failed;
 * `ghost` the empty row of a form of address that was the wrong one; `twice` a bubble that went out once more.
 */
export type SpentReason = 'refused' | 'ghost' | 'twice';

/** Rows of chat.db that no other send may take for its receipt. */
export class SpentRows {
  readonly #add: Statement;
  readonly #has: Statement;
  readonly #of: Statement;
  readonly #refused: Statement;
  readonly #prune: Statement;

  constructor(db: Database) {
    this.#add = db.prepare(
      'INSERT INTO spent_rows (guid, send_id, why, created_at) VALUES (?, ?, ?, ?) ON CONFLICT (guid) DO NOTHING',
    );
    this.#has = db.prepare('SELECT 1 FROM spent_rows WHERE guid = ?');
    this.#of = db.prepare('SELECT send_id AS sendId, why FROM spent_rows WHERE guid = ?');
    this.#refused = db.prepare("SELECT count(*) FROM spent_rows WHERE send_id = ? AND why = 'refused'").pluck();
    this.#prune = db.prepare(
      'DELETE FROM spent_rows WHERE guid IN (SELECT guid FROM spent_rows WHERE created_at < ? LIMIT +?)',
    );
  }

  add(guid: string, sendId: number, why: SpentReason, now: number): void {
    this.#add.run(guid, sendId, why, now);
  }

  has(guid: string): boolean {
    return this.#has.get(guid) !== undefined;
  }

  /** The send it belongs to, and why it proves nothing. */
  of(guid: string): { sendId: number; why: SpentReason } | undefined {
    return this.#of.get(guid) as { sendId: number; why: SpentReason } | undefined;
  }

  /** How many attempts of the send Messages marked failed, not counting one whose row ended it. */
  refused(sendId: number): number {
    return this.#refused.get(sendId) as number;
  }

  prune(before: number, limit: number): number {
    return this.#prune.run(before, limit).changes;
  }
}
