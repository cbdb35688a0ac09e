import type { Database, Statement } from 'better-sqlite3';
import type { AgentRecord, StoredEvent, SyncReport } from './CommandStore.ts';

/** edge_agents and edge_events: who was here, and what they reported. */
export class AgentRows {
  readonly #seen: Statement;
  readonly #synced: Statement;
  readonly #agent: Statement;
  readonly #count: Statement;
  readonly #insertEvent: Statement;
  readonly #events: Statement;
  readonly #pruneEvents: Statement;

  constructor(db: Database) {
    this.#seen = db.prepare(`
      INSERT INTO edge_agents (agent_id, first_seen_at, last_seen_at) VALUES (@agentId, @now, @now)
      ON CONFLICT (agent_id) DO UPDATE SET last_seen_at = @now`);
    this.#synced = db.prepare(`
      UPDATE edge_agents SET last_command_id = coalesce(@lastCommandId, last_command_id), status = @status
      WHERE agent_id = @agentId`);
    this.#agent = db.prepare(`
      SELECT agent_id AS agentId, first_seen_at AS firstSeenAt, last_seen_at AS lastSeenAt,
        last_command_id AS lastCommandId, status FROM edge_agents WHERE agent_id = ?`);
    this.#count = db.prepare('SELECT count(*) FROM edge_agents WHERE last_seen_at >= ?').pluck();
    this.#insertEvent = db.prepare(`
      INSERT INTO edge_events (agent_id, event_id, event_type, thread_id, details, received_at)
      VALUES (@agentId, @eventId, @eventType, @threadId, @details, @now) ON CONFLICT DO NOTHING`);
    this.#events = db.prepare(`
      SELECT * FROM (
        SELECT event_seq, agent_id AS agentId, event_id AS eventId, event_type AS eventType, thread_id AS threadId,
          details, received_at AS receivedAt FROM edge_events WHERE agent_id = ? ORDER BY event_seq DESC LIMIT +?)
      ORDER BY event_seq`);
    this.#pruneEvents = db.prepare(`
      DELETE FROM edge_events WHERE event_seq IN (
        SELECT event_seq FROM edge_events WHERE received_at < ? ORDER BY received_at LIMIT +?)`);
  }

  seen(agentId: string, now: number): void {
    this.#seen.run({ agentId, now });
  }

  recordSync(report: SyncReport, now: number): string[] {
    const { agentId } = report;
    this.seen(agentId, now);
    this.#synced.run({ agentId, lastCommandId: report.lastCommandId ?? null, status: JSON.stringify(report.status) });
    for (const event of report.events) {
      this.#insertEvent.run({
        agentId,
        eventId: event.eventId,
        eventType: event.eventType,
        threadId: event.threadId ?? null,
        details: JSON.stringify(event.details ?? {}),
        now,
      });
    }
    return report.events.map((event) => event.eventId);
  }

  agent(agentId: string): AgentRecord | undefined {
    const row = this.#agent.get(agentId) as
      | (Omit<AgentRecord, 'status' | 'lastCommandId'> & { status: string; lastCommandId: string | null })
      | undefined;
    return row && { ...row, lastCommandId: row.lastCommandId ?? undefined, status: JSON.parse(row.status) };
  }

  count(seenSince: number): number {
    return this.#count.get(seenSince) as number;
  }

  events(agentId: string, limit: number): StoredEvent[] {
    type Row = Omit<StoredEvent, 'details' | 'threadId'> & {
      event_seq: number;
      details: string;
      threadId: string | null;
    };
    return (this.#events.all(agentId, limit) as Row[]).map(({ event_seq: _, ...row }) => ({
      ...row,
      threadId: row.threadId ?? undefined,
      details: JSON.parse(row.details),
    }));
  }

  pruneEvents(before: number, limit: number): number {
    return this.#pruneEvents.run(before, limit).changes;
  }
}
