import type { Database, Statement } from 'better-sqlite3';
import { EdgeError } from '../../util/EdgeError.ts';
import { type EdgeAck, isCorrection } from './ack.ts';
import type { CommandState, DeliveryChannel, NewCommand, Priority, StoredAck, StoredCommand } from './CommandStore.ts';

interface Row {
  commandId: string;
  agentId: string;
  commandType: string;
  payload: string;
  priority: Priority;
  state: CommandState;
  reflexFor: string | null;
  deliveries: number;
  error: string | null;
  createdAt: number;
  deliveredAt: number | null;
  finishedAt: number | null;
}

const COLUMNS = `command_id AS commandId, agent_id AS agentId, command_type AS commandType, payload, priority, state,
  reflex_for AS reflexFor, deliveries, error, created_at AS createdAt, delivered_at AS deliveredAt,
  finished_at AS finishedAt`;
/** Due: not delivered, or delivered and without an ack for too long. */
const DUE = `reflex_for IS NULL AND state IN ('queued', 'delivered') AND (state = 'queued' OR delivered_at <= @before)`;

/** Commands handed over at once, and their size: an agent reads answers of up to 1 MiB. */
const TAKE_ROWS = 100;
const TAKE_BYTES = 512 * 1024;

/** Commands of one agent that may wait: hours of sending at a bubble a second. */
const MAX_OPEN = 10_000;

/** edge_commands and edge_acks. The state machine stands in CommandStore.ts. */
export class CommandRows {
  readonly #insert: Statement;
  readonly #byId: Statement;
  readonly #byReflex: Statement;
  readonly #isFull: Statement;
  readonly #due: Statement;
  readonly #inOtherHands: Statement;
  readonly #agentsWithDue: Statement;
  readonly #deliver: Statement;
  readonly #requeue: Statement;
  readonly #supersedeAll: Statement;
  readonly #supersede: Statement;
  readonly #move: Statement;
  readonly #insertAck: Statement;
  readonly #acks: Statement;
  readonly #counts: Statement;
  readonly #pruneAcks: Statement;
  readonly #prune: Statement;

  constructor(db: Database) {
    this.#insert = db.prepare(`
      INSERT INTO edge_commands
        (command_id, agent_id, command_type, payload, priority, state, reflex_for, channel, deliveries, created_at,
         delivered_at)
      VALUES (@commandId, @agentId, @commandType, @payload, @priority, iif(@channel IS NULL, 'queued', 'delivered'),
        @reflexFor, @channel, @channel IS NOT NULL, @now, iif(@channel IS NULL, NULL, @now))
      ON CONFLICT DO NOTHING`);
    this.#byId = db.prepare(`SELECT ${COLUMNS} FROM edge_commands WHERE command_id = ?`);
    this.#byReflex = db.prepare(`SELECT ${COLUMNS} FROM edge_commands WHERE agent_id = ? AND reflex_for = ?`);
    this.#isFull = db
      .prepare(`
        SELECT 1 FROM edge_commands WHERE agent_id = ? AND state IN ('queued', 'delivered') LIMIT 1 OFFSET ${MAX_OPEN - 1}`)
      .pluck();
    this.#due = db.prepare(`
      SELECT command_seq AS seq, ${COLUMNS} FROM edge_commands
      WHERE agent_id = @agentId AND ${DUE} ORDER BY command_seq LIMIT ${TAKE_ROWS}`);
    this.#inOtherHands = db
      .prepare(`
        SELECT command_seq FROM edge_commands WHERE agent_id = @agentId AND reflex_for IS NULL AND state = 'delivered'
          AND channel IN ('websocket', 'sync') AND channel <> @channel AND delivered_at > @before AND command_seq < @last
        ORDER BY command_seq LIMIT 1`)
      .pluck();
    this.#agentsWithDue = db.prepare(`SELECT DISTINCT agent_id FROM edge_commands WHERE ${DUE}`).pluck();
    this.#deliver = db.prepare(`
      UPDATE edge_commands SET state = 'delivered', channel = @channel, delivered_at = @now, deliveries = deliveries + 1
      WHERE command_id = @commandId`);
    this.#requeue = db.prepare(`
      UPDATE edge_commands SET state = 'queued', delivered_at = NULL
      WHERE (@agentId IS NULL OR agent_id = @agentId) AND state = 'delivered' AND channel IN ('websocket', 'sync')
        AND reflex_for IS NULL`);
    this.#supersedeAll = db.prepare(`
      UPDATE edge_commands SET state = 'superseded', finished_at = @now
      WHERE (@agentId IS NULL OR agent_id = @agentId) AND state = 'delivered' AND reflex_for IS NOT NULL`);
    this.#supersede = db.prepare(`
      UPDATE edge_commands SET state = 'superseded', finished_at = @now
      WHERE command_id = @commandId AND state = 'delivered'`);
    this.#move = db.prepare(`
      UPDATE edge_commands SET state = @state, error = @error, finished_at = @finishedAt WHERE command_id = @commandId`);
    this.#insertAck = db.prepare(`
      INSERT INTO edge_acks (command_id, status, body, received_at) VALUES (@commandId, @status, @body, @now)
      ON CONFLICT (command_id, status) DO UPDATE SET times = times + 1`);
    this.#acks = db.prepare(`
      SELECT status, body, times, received_at AS receivedAt FROM edge_acks WHERE command_id = ? ORDER BY received_at, rowid`);
    this.#counts = db.prepare('SELECT state, count(*) AS count FROM edge_commands WHERE agent_id = ? GROUP BY state');
    const old = `SELECT command_id FROM edge_commands
      WHERE created_at < @before AND state IN ('completed', 'failed', 'superseded') ORDER BY created_at LIMIT +@limit`;
    this.#pruneAcks = db.prepare(`DELETE FROM edge_acks WHERE command_id IN (${old})`);
    this.#prune = db.prepare(`DELETE FROM edge_commands WHERE command_id IN (${old})`);
  }

  /**
   * Adds a command, delivered already when a channel is given; an id that is known changes nothing.
   * @throws EdgeError EDGE_COMMANDS_FULL, EDGE_COMMAND_INVALID: the id is another agent's
   */
  add(
    command: NewCommand,
    o: { channel: DeliveryChannel | undefined; reflexFor: string | undefined; now: number },
  ): StoredCommand {
    if (this.#isFull.get(command.agentId)) {
      throw new EdgeError('EDGE_COMMANDS_FULL', `${MAX_OPEN} commands to ${command.agentId} wait`);
    }
    this.#insert.run({
      commandId: command.commandId,
      agentId: command.agentId,
      commandType: command.commandType,
      payload: JSON.stringify(command.payload),
      priority: command.priority,
      reflexFor: o.reflexFor ?? null,
      channel: o.channel ?? null,
      now: o.now,
    });
    const stored =
      o.reflexFor === undefined ? this.byId(command.commandId) : this.reflexOf(command.agentId, o.reflexFor);
    if (stored?.agentId !== command.agentId) {
      throw new EdgeError('EDGE_COMMAND_INVALID', 'command_id: it is the id of a command to another agent');
    }
    return stored;
  }

  byId(commandId: string): StoredCommand | undefined {
    return toCommand(this.#byId.get(commandId) as Row | undefined);
  }

  reflexOf(agentId: string, messageGuid: string): StoredCommand | undefined {
    return toCommand(this.#byReflex.get(agentId, messageGuid) as Row | undefined);
  }

  /**
   * What is due, marked delivered; `before`: deliveries up to then have waited long enough for their ack. Nothing behind one
   * that went the other way and waits for its ack: of what goes two ways nobody knows what comes first.
   */
  take(agentId: string, o: { channel: DeliveryChannel; before: number; now: number }): StoredCommand[] {
    const taken: StoredCommand[] = [];
    let bytes = 0;
    const { channel, before } = o;
    const due = this.#due.all({ agentId, before }) as (Row & { seq: number })[];
    const last = due.at(-1)?.seq ?? 0;
    const end = (this.#inOtherHands.get({ agentId, channel, before, last }) as number | undefined) ?? last + 1;
    for (const { seq, ...row } of due) {
      if (seq > end) break;
      bytes += Buffer.byteLength(row.payload);
      if (bytes > TAKE_BYTES && taken.length > 0) break;
      this.#deliver.run({ commandId: row.commandId, channel: o.channel, now: o.now });
      taken.push(toCommand({ ...row, state: 'delivered', deliveries: row.deliveries + 1, deliveredAt: o.now })!);
    }
    return taken;
  }

  agentsWithDue(before: number): string[] {
    return this.#agentsWithDue.all({ before }) as string[];
  }

  release(agentId: string | undefined, now: number): void {
    this.#requeue.run({ agentId: agentId ?? null });
    this.#supersedeAll.run({ agentId: agentId ?? null, now });
  }

  supersede(commandId: string, now: number): void {
    this.#supersede.run({ commandId, now });
  }

  acknowledge(agentId: string, ack: EdgeAck, now: number): CommandState | undefined {
    const command = this.byId(ack.commandId);
    if (command?.agentId !== agentId) return undefined;
    this.#insertAck.run({ commandId: ack.commandId, status: ack.status, body: JSON.stringify(ack.body), now });
    if (isFinal(command) && !isCorrection(ack, command)) return command.state;
    this.#move.run({
      commandId: ack.commandId,
      state: ack.status,
      error: ack.error ?? null,
      finishedAt: ack.status === 'received' ? null : now,
    });
    return ack.status;
  }

  acks(commandId: string): StoredAck[] {
    const rows = this.#acks.all(commandId) as (Omit<StoredAck, 'body'> & { body: string })[];
    return rows.map((row) => ({ ...row, body: JSON.parse(row.body) }));
  }

  counts(agentId: string): Partial<Record<CommandState, number>> {
    const rows = this.#counts.all(agentId) as { state: CommandState; count: number }[];
    return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
  }

  prune(before: number, limit: number): number {
    this.#pruneAcks.run({ before, limit });
    return this.#prune.run({ before, limit }).changes;
  }
}

function isFinal({ state }: StoredCommand): boolean {
  return state === 'completed' || state === 'failed';
}

function toCommand(row: Row | undefined): StoredCommand | undefined {
  if (!row) return undefined;
  return {
    ...row,
    payload: JSON.parse(row.payload) as Record<string, unknown>,
    reflexFor: row.reflexFor ?? undefined,
    error: row.error ?? undefined,
    deliveredAt: row.deliveredAt ?? undefined,
    finishedAt: row.finishedAt ?? undefined,
  };
}
