import type { Database } from 'better-sqlite3';
import type { Clock } from '../../util/Clock.ts';
import { AgentRows } from './AgentRows.ts';
import type { EdgeAck } from './ack.ts';
import { CommandRows } from './CommandRows.ts';
import type {
  AgentRecord,
  CommandState,
  CommandStore,
  DeliveryChannel,
  NewCommand,
  NewMessage,
  NewUpload,
  Reception,
  StoredAck,
  StoredCommand,
  StoredEvent,
  StoredMessage,
  StoredUpload,
  SyncReport,
} from './CommandStore.ts';
import { GroupCommit } from './GroupCommit.ts';
import { MessageRows } from './MessageRows.ts';
import { openHubDatabase } from './schema.ts';
import { UploadRows } from './UploadRows.ts';

/** How long rows stay, days: longer than the longest outage after which an agent may post a key again. */
const KEEP_DAYS = 90;
/** Rows deleted a call: a short transaction, so that nothing waits behind it. */
const PRUNE_BATCH = 500;
const DAY_MS = 86_400_000;
/** Rows the reading methods give when no limit is named. */
const READ_ROWS = 1_000;

/** The hub's memory in one SQLite file, with group commit. */
export class SqliteCommandStore implements CommandStore {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #ackTimeoutMs: number;
  readonly #writes: GroupCommit;
  readonly #commands: CommandRows;
  readonly #messages: MessageRows;
  readonly #agents: AgentRows;
  readonly #uploads: UploadRows;

  private constructor(o: { db: Database; clock: Clock; ackTimeoutMs: number }) {
    this.#db = o.db;
    this.#clock = o.clock;
    this.#ackTimeoutMs = o.ackTimeoutMs;
    this.#writes = new GroupCommit(o.db);
    this.#commands = new CommandRows(o.db);
    this.#messages = new MessageRows(o.db);
    this.#agents = new AgentRows(o.db);
    this.#uploads = new UploadRows(o.db);
  }

  /** Opens or creates the file. `ackTimeoutMs`: how long a delivered command waits for its ack before it is due again. */
  static open(o: { path: string; clock: Clock; ackTimeoutMs: number }): SqliteCommandStore {
    return new SqliteCommandStore({ db: openHubDatabase(o.path), clock: o.clock, ackTimeoutMs: o.ackTimeoutMs });
  }

  enqueue(command: NewCommand): Promise<StoredCommand> {
    return this.#write((now) => this.#commands.add(command, { channel: undefined, reflexFor: undefined, now }));
  }

  enqueueReflex(command: NewCommand, messageGuid: string): Promise<StoredCommand> {
    return this.#write((now) => this.#commands.add(command, { channel: 'websocket', reflexFor: messageGuid, now }));
  }

  take(agentId: string, channel: DeliveryChannel): Promise<StoredCommand[]> {
    return this.#write((now) => this.#commands.take(agentId, { channel, before: now - this.#ackTimeoutMs, now }));
  }

  release(agentId?: string): Promise<void> {
    return this.#write((now) => this.#commands.release(agentId, now));
  }

  supersede(commandId: string): Promise<void> {
    return this.#write((now) => this.#commands.supersede(commandId, now));
  }

  async agentsWithDue(): Promise<string[]> {
    return this.#commands.agentsWithDue(this.#clock.now() - this.#ackTimeoutMs);
  }

  acknowledge(agentId: string, ack: EdgeAck): Promise<CommandState | undefined> {
    return this.#write((now) => this.#commands.acknowledge(agentId, ack, now));
  }

  async command(commandId: string): Promise<{ command: StoredCommand; acks: StoredAck[] } | undefined> {
    const command = this.#commands.byId(commandId);
    return command && { command, acks: this.#commands.acks(commandId) };
  }

  async commandCounts(agentId: string): Promise<Partial<Record<CommandState, number>>> {
    return this.#commands.counts(agentId);
  }

  receiveMessage(message: NewMessage): Promise<Reception> {
    return this.#write((now) => {
      if (this.#messages.add(message, now)) return { answer: undefined, reflex: undefined };
      const { agentId, guid } = message;
      return {
        answer: this.#messages.byGuid(agentId, guid)?.answer,
        reflex: this.#commands.reflexOf(agentId, guid),
      };
    });
  }

  answerMessage(
    key: { agentId: string; guid: string },
    answer: string,
    commands: readonly (NewCommand & { channel: 'response' | 'queue' })[],
  ): Promise<string> {
    return this.#write((now) => {
      if (!this.#messages.answer(key, answer, now)) {
        const stored = this.#messages.byGuid(key.agentId, key.guid)?.answer;
        if (stored === undefined) throw new Error('an answer to a message that was never received');
        return stored;
      }
      for (const { channel, ...command } of commands) {
        this.#commands.add(command, { channel: channel === 'queue' ? undefined : channel, reflexFor: undefined, now });
      }
      return answer;
    });
  }

  async message(agentId: string, guid: string): Promise<StoredMessage | undefined> {
    return this.#messages.byGuid(agentId, guid);
  }

  async messages(agentId: string, limit: number = READ_ROWS): Promise<StoredMessage[]> {
    return this.#messages.latest(agentId, limit);
  }

  recordSync(report: SyncReport): Promise<string[]> {
    return this.#write((now) => this.#agents.recordSync(report, now));
  }

  async events(agentId: string, limit: number = READ_ROWS): Promise<StoredEvent[]> {
    return this.#agents.events(agentId, limit);
  }

  async agent(agentId: string): Promise<AgentRecord | undefined> {
    return this.#agents.agent(agentId);
  }

  async agentCount(seenSince: number): Promise<number> {
    return this.#agents.count(seenSince);
  }

  seen(agentId: string): Promise<void> {
    return this.#write((now) => this.#agents.seen(agentId, now));
  }

  addUpload(upload: NewUpload): Promise<boolean> {
    return this.#write((now) => this.#uploads.add(upload, now));
  }

  async upload(attachmentGuid: string, agentId?: string): Promise<StoredUpload | undefined> {
    return this.#uploads.one(attachmentGuid, agentId);
  }

  async uploads(agentId: string | undefined, limit: number): Promise<StoredUpload[]> {
    return this.#uploads.latest(agentId, limit);
  }

  async uploadFiles(): Promise<string[]> {
    return this.#uploads.files();
  }

  dropOldestUploads(maxBytes: number): Promise<string[]> {
    return this.#write(() => this.#uploads.dropOldest(maxBytes, PRUNE_BATCH));
  }

  prune(): Promise<number> {
    return this.#write((now) => {
      const before = now - KEEP_DAYS * DAY_MS;
      return (
        this.#commands.prune(before, PRUNE_BATCH) +
        this.#messages.prune(before, PRUNE_BATCH) +
        this.#agents.pruneEvents(before, PRUNE_BATCH)
      );
    });
  }

  async close(): Promise<void> {
    this.#writes.flush();
    this.#db.close();
  }

  #write<T>(work: (now: number) => T): Promise<T> {
    return this.#writes.run(() => work(this.#clock.now()));
  }
}
