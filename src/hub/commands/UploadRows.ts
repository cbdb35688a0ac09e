import type { Database, Statement } from 'better-sqlite3';
import type { NewUpload, StoredUpload } from './CommandStore.ts';

const COLUMNS = `agent_id AS agentId, attachment_guid AS attachmentGuid, message_guid AS messageGuid,
  thread_id AS threadId, name, mime_type AS mimeType, size_bytes AS sizeBytes, sha256, file, received_at AS receivedAt`;

/** edge_uploads: the files that came in, each once for an agent. */
export class UploadRows {
  readonly #insert: Statement;
  readonly #one: Statement;
  readonly #latestOf: Statement;
  readonly #latest: Statement;
  readonly #files: Statement;
  readonly #bytes: Statement;
  readonly #oldest: Statement;
  readonly #delete: Statement;

  constructor(db: Database) {
    this.#insert = db.prepare(`
      INSERT INTO edge_uploads (agent_id, attachment_guid, message_guid, thread_id, name, mime_type, size_bytes, sha256,
        file, received_at)
      VALUES (@agentId, @attachmentGuid, @messageGuid, @threadId, @name, @mimeType, @sizeBytes, @sha256, @file, @now)
      ON CONFLICT DO NOTHING`);
    this.#one = db.prepare(`
      SELECT ${COLUMNS} FROM edge_uploads WHERE attachment_guid = @guid AND (@agentId IS NULL OR agent_id = @agentId)
      ORDER BY upload_seq DESC LIMIT 1`);
    this.#latestOf = db.prepare(
      `SELECT ${COLUMNS} FROM edge_uploads WHERE agent_id = ? ORDER BY upload_seq DESC LIMIT +?`,
    );
    this.#latest = db.prepare(`SELECT ${COLUMNS} FROM edge_uploads ORDER BY upload_seq DESC LIMIT +?`);
    this.#files = db.prepare('SELECT file FROM edge_uploads').pluck();
    this.#bytes = db.prepare('SELECT coalesce(sum(size_bytes), 0) FROM edge_uploads').pluck();
    this.#oldest = db.prepare(
      'SELECT upload_seq AS seq, size_bytes AS bytes, file FROM edge_uploads ORDER BY upload_seq LIMIT +?',
    );
    this.#delete = db.prepare('DELETE FROM edge_uploads WHERE upload_seq = ?');
  }

  /** False when the agent's attachment was known. */
  add(upload: NewUpload, now: number): boolean {
    return this.#insert.run({ ...upload, now }).changes === 1;
  }

  one(guid: string, agentId: string | undefined): StoredUpload | undefined {
    return this.#one.get({ guid, agentId: agentId ?? null }) as StoredUpload | undefined;
  }

  /** Newest first. */
  latest(agentId: string | undefined, limit: number): StoredUpload[] {
    const rows = agentId === undefined ? this.#latest.all(limit) : this.#latestOf.all(agentId, limit);
    return rows as StoredUpload[];
  }

  files(): string[] {
    return this.#files.all() as string[];
  }

  /** Deletes the oldest rows until the others have `maxBytes` at most, `limit` a call; gives their files. */
  dropOldest(maxBytes: number, limit: number): string[] {
    let over = (this.#bytes.get() as number) - maxBytes;
    if (over <= 0) return [];
    const dropped: string[] = [];
    for (const { seq, bytes, file } of this.#oldest.all(limit) as { seq: number; bytes: number; file: string }[]) {
      if (over <= 0) break;
      over -= bytes;
      this.#delete.run(seq);
      dropped.push(file);
    }
    return dropped;
  }
}
