import type { Database, Statement } from 'better-sqlite3';
import type { CommandAck } from '../protocol/wire.ts';

export type CommandChannel = 'websocket' | 'sync' | 'response';

/**
 * `received ──outcome known──▶ completed | failed`. A row is never executed twice. Final states do not change, but that a
 * command whose outcome was unknown (failed) is completed by the proof of it.
 */
export type CommandState = 'received' | 'completed' | 'failed';

export interface CommandRow {
  commandSeq: number;
  commandId: string;
  commandType: string;
  /** JSON */
  payload: string;
  channel: CommandChannel;
  state: CommandState;
  /** The send whose outcome is this command's. */
  sendId: number | null;
  issuedAt: number | null;
  receivedAt: number;
  finishedAt: number | null;
}

export interface NewCommand {
  commandId: string;
  commandType: string;
  payload: Record<string, unknown>;
  channel: CommandChannel;
  issuedAt: number | undefined;
  now: number;
}

export interface AckRow {
  ackId: number;
  commandId: string;
  body: CommandAck;
}

/** Ids remembered so that no command is executed twice: some 60 MB, decades of them at a command a minute. */
const KEPT_COMMANDS = 1_000_000;

const COLUMNS = `command_seq AS commandSeq, command_id AS commandId, command_type AS commandType, payload, channel, state,
  send_id AS sendId, issued_at AS issuedAt, received_at AS receivedAt, finished_at AS finishedAt`;

/** Orders from the backend, and the acks on them. */
export class Commands {
  readonly #insert: Statement;
  readonly #byId: Statement;
  readonly #bySend: Statement;
  readonly #setSend: Statement;
  readonly #finish: Statement;
  readonly #failedBySend: Statement;
  readonly #correct: Statement;
  readonly #last: Statement;
  readonly #open: Statement;
  readonly #openUploadRetries: Statement;
  readonly #forgetPayloads: Statement;
  readonly #prune: Statement;
  readonly #addAck: Statement;
  readonly #waiting: Statement;
  readonly #handedOver: Statement;
  readonly #lastAck: Statement;
  readonly #offerAgain: Statement;
  readonly #countWaiting: Statement;
  readonly #pruneAcks: Statement;

  constructor(db: Database) {
    this.#insert = db.prepare(`
      INSERT INTO commands (command_id, command_type, payload, channel, state, issued_at, received_at)
      VALUES (@commandId, @commandType, @payload, @channel, 'received', @issuedAt, @now)
      ON CONFLICT (command_id) DO NOTHING`);
    this.#byId = db.prepare(`SELECT ${COLUMNS} FROM commands WHERE command_id = ?`);
    this.#bySend = db.prepare(`SELECT ${COLUMNS} FROM commands WHERE send_id = ? AND state = 'received'`);
    this.#setSend = db.prepare('UPDATE commands SET send_id = ? WHERE command_id = ?');
    this.#finish = db.prepare(
      `UPDATE commands SET state = @state, finished_at = @now WHERE command_id = @commandId AND state = 'received'`,
    );
    this.#failedBySend = db.prepare(`SELECT ${COLUMNS} FROM commands WHERE send_id = ? AND state = 'failed'`);
    this.#correct = db.prepare(
      `UPDATE commands SET state = 'completed', finished_at = @now WHERE command_id = @commandId AND state = 'failed'`,
    );
    this.#last = db.prepare('SELECT command_id FROM commands ORDER BY command_seq DESC LIMIT 1').pluck();
    this.#open = db.prepare(`SELECT count(*) FROM commands WHERE state = 'received'`).pluck();
    this.#openUploadRetries = db
      .prepare(`
        SELECT command_id FROM commands WHERE state = 'received' AND command_type = 'upload_retry'
          AND payload ->> 'attachment_guid' = ? ORDER BY command_seq`)
      .pluck();
    this.#forgetPayloads = db.prepare(`
      UPDATE commands SET payload = '{}' WHERE command_seq IN (
        SELECT command_seq FROM commands WHERE finished_at < ? AND payload <> '{}' LIMIT +?)`);
    this.#prune = db.prepare(`
      DELETE FROM commands WHERE command_seq IN (
        SELECT command_seq FROM commands
        WHERE command_seq <= (SELECT max(command_seq) FROM commands) - ${KEPT_COMMANDS} AND state <> 'received'
        ORDER BY command_seq LIMIT +?)`);
    this.#addAck = db.prepare('INSERT INTO acks (command_id, body, created_at) VALUES (?, ?, ?)');
    this.#waiting = db.prepare(`
      SELECT ack_id AS ackId, command_id AS commandId, body FROM acks
      WHERE handed_over_at IS NULL AND ack_id > ? ORDER BY ack_id LIMIT +?`);
    this.#handedOver = db.prepare('UPDATE acks SET handed_over_at = ? WHERE ack_id = ?');
    this.#lastAck = db.prepare('SELECT max(ack_id) FROM acks WHERE command_id = ?').pluck();
    this.#offerAgain = db.prepare('UPDATE acks SET handed_over_at = NULL WHERE ack_id = ?');
    this.#countWaiting = db.prepare('SELECT count(*) FROM acks WHERE handed_over_at IS NULL').pluck();
    this.#pruneAcks = db.prepare(
      'DELETE FROM acks WHERE ack_id IN (SELECT ack_id FROM acks WHERE handed_over_at < ? LIMIT +?)',
    );
  }

  /** False when the command_id was known: the command must not be executed. */
  insert(command: NewCommand): boolean {
    return (
      this.#insert.run({
        ...command,
        payload: JSON.stringify(command.payload),
        issuedAt: command.issuedAt ?? null,
      }).changes === 1
    );
  }

  byId(commandId: string): CommandRow | undefined {
    return this.#byId.get(commandId) as CommandRow | undefined;
  }

  /** Commands whose outcome is that of this send and not told yet. */
  openBySend(sendId: number): CommandRow[] {
    return this.#bySend.all(sendId) as CommandRow[];
  }

  setSend(commandId: string, sendId: number): void {
    this.#setSend.run(sendId, commandId);
  }

  /** Final state; a second call changes nothing. */
  finish(commandId: string, state: 'completed' | 'failed', now: number): void {
    this.#finish.run({ commandId, state, now });
  }

  /** Commands that failed with this send. */
  failedBySend(sendId: number): CommandRow[] {
    return this.#failedBySend.all(sendId) as CommandRow[];
  }

  /** A command whose outcome was unknown is done after all. */
  correct(commandId: string, now: number): void {
    this.#correct.run({ commandId, now });
  }

  lastId(): string | null {
    return (this.#last.get() as string | undefined) ?? null;
  }

  /** How many commands have no outcome yet. */
  openCount(): number {
    return this.#open.get() as number;
  }

  /** The upload_retry commands for this attachment that have no outcome yet. */
  openUploadRetries(attachmentGuid: string): string[] {
    return this.#openUploadRetries.all(attachmentGuid) as string[];
  }

  addAck(body: CommandAck, now: number): void {
    this.#addAck.run(body.command_id, JSON.stringify(body), now);
  }

  /** Acks past `afterAckId` that nobody has taken yet, in order. */
  acksWaiting(afterAckId: number, limit: number): AckRow[] {
    const rows = this.#waiting.all(afterAckId, limit) as { ackId: number; commandId: string; body: string }[];
    return rows.map((row) => ({ ...row, body: JSON.parse(row.body) as CommandAck }));
  }

  markHandedOver(ackId: number, now: number): void {
    this.#handedOver.run(now, ackId);
  }

  /** The command came again: its latest ack, if any, is due once more. False when there is none yet. */
  offerLastAckAgain(commandId: string): boolean {
    const ackId = this.#lastAck.get(commandId) as number | null;
    if (ackId === null) return false;
    this.#offerAgain.run(ackId);
    return true;
  }

  acksWaitingCount(): number {
    return this.#countWaiting.get() as number;
  }

  /**
   * Drops payloads and acks of commands done before `before`, and ids beyond the last million. A command whose ack is gone
   * keeps its state, from which the ack can be told again.
   */
  prune(before: number, limit: number): number {
    return (
      this.#forgetPayloads.run(before, limit).changes +
      this.#prune.run(limit).changes +
      this.#pruneAcks.run(before, limit).changes
    );
  }
}
