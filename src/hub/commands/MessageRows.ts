import type { Database, Statement } from 'better-sqlite3';
import type { NewMessage, StoredMessage } from './CommandStore.ts';

interface Row {
  agentId: string;
  guid: string;
  threadId: string;
  sender: string;
  backfill: number;
  body: string;
  answer: string | null;
  receivedAt: number;
  answeredAt: number | null;
}

const COLUMNS = `agent_id AS agentId, message_guid AS guid, thread_id AS threadId, sender, backfill, body, answer,
  received_at AS receivedAt, answered_at AS answeredAt`;

/** edge_messages: what came in, and the one answer to each. */
export class MessageRows {
  readonly #insert: Statement;
  readonly #byGuid: Statement;
  readonly #latest: Statement;
  readonly #answer: Statement;
  readonly #prune: Statement;

  constructor(db: Database) {
    this.#insert = db.prepare(`
      INSERT INTO edge_messages (agent_id, message_guid, thread_id, sender, backfill, body, received_at)
      VALUES (@agentId, @guid, @threadId, @sender, @backfill, @body, @now) ON CONFLICT DO NOTHING`);
    this.#byGuid = db.prepare(`SELECT ${COLUMNS} FROM edge_messages WHERE agent_id = ? AND message_guid = ?`);
    this.#latest = db.prepare(`
      SELECT * FROM (SELECT message_seq, ${COLUMNS} FROM edge_messages WHERE agent_id = ? ORDER BY message_seq DESC LIMIT +?)
      ORDER BY message_seq`);
    this.#answer = db.prepare(`
      UPDATE edge_messages SET answer = @answer, answered_at = @now
      WHERE agent_id = @agentId AND message_guid = @guid AND answer IS NULL`);
    this.#prune = db.prepare(`
      DELETE FROM edge_messages WHERE message_seq IN (
        SELECT message_seq FROM edge_messages WHERE received_at < ? ORDER BY received_at LIMIT +?)`);
  }

  /** False when the key was known. */
  add(message: NewMessage, now: number): boolean {
    const row = { ...message, backfill: Number(message.backfill), body: JSON.stringify(message.body), now };
    return this.#insert.run(row).changes === 1;
  }

  byGuid(agentId: string, guid: string): StoredMessage | undefined {
    const row = this.#byGuid.get(agentId, guid) as Row | undefined;
    return row && toMessage(row);
  }

  latest(agentId: string, limit: number): StoredMessage[] {
    return (this.#latest.all(agentId, limit) as Row[]).map(toMessage);
  }

  /** False when there was an answer already. */
  answer(key: { agentId: string; guid: string }, answer: string, now: number): boolean {
    return this.#answer.run({ agentId: key.agentId, guid: key.guid, answer, now }).changes === 1;
  }

  prune(before: number, limit: number): number {
    return this.#prune.run(before, limit).changes;
  }
}

function toMessage(row: Row): StoredMessage {
  return {
    agentId: row.agentId,
    guid: row.guid,
    threadId: row.threadId,
    sender: row.sender,
    backfill: row.backfill === 1,
    body: JSON.parse(row.body),
    answer: row.answer ?? undefined,
    receivedAt: row.receivedAt,
    answeredAt: row.answeredAt ?? undefined,
  };
}
