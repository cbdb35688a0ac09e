import type { EdgeAck } from './ack.ts';

/**
 * ```
 *            pushed or polled           ack                    ack
 *   queued ──────────────────▶ delivered ──▶ received ──▶ completed | failed
 *     ▲                            │    └──────────────────────▲
 *     └── no ack in time, or the   │
 *         socket it went by closed ┘        a reflex ──socket closed──▶ superseded (the answer carries it)
 * ```
 * `completed` and `failed` are final, but for a failure that says `unknown outcome`: the proof of the command may follow
 * it, and completes it. An ack that comes late still moves a superseded reflex on: it tells the truth.
 */
export type CommandState = 'queued' | 'delivered' | 'received' | 'completed' | 'failed' | 'superseded';
export type Priority = 'normal' | 'immediate';
/** How a command left the hub: `response` is the answer to a message. */
export type DeliveryChannel = 'websocket' | 'sync' | 'response';

export interface NewCommand {
  commandId: string;
  agentId: string;
  commandType: string;
  payload: Record<string, unknown>;
  priority: Priority;
}

export interface StoredCommand extends NewCommand {
  state: CommandState;
  /** Guid of the message whose reflex this is. A reflex goes by socket only and is never polled. */
  reflexFor: string | undefined;
  deliveries: number;
  error: string | undefined;
  createdAt: number;
  deliveredAt: number | undefined;
  finishedAt: number | undefined;
}

export interface StoredAck {
  status: EdgeAck['status'];
  body: unknown;
  /** How often an ack of this status came; the first is kept. */
  times: number;
  receivedAt: number;
}

export interface NewMessage {
  agentId: string;
  /** The idempotency key. */
  guid: string;
  threadId: string;
  sender: string;
  backfill: boolean;
  /** The body as posted. */
  body: unknown;
}

export interface StoredMessage extends NewMessage {
  /** The answer as it was written to the wire, JSON; undefined while it is being worked out. */
  answer: string | undefined;
  receivedAt: number;
  answeredAt: number | undefined;
}

export interface StoredEvent {
  agentId: string;
  eventId: string;
  eventType: string;
  threadId: string | undefined;
  details: unknown;
  receivedAt: number;
}

export interface NewUpload {
  agentId: string;
  /** The idempotency key. */
  attachmentGuid: string;
  messageGuid: string;
  threadId: string;
  /** As the agent names it; never a name on disk. */
  name: string;
  mimeType: string;
  sizeBytes: number;
  sha256: string;
  /** Its name in the folder of uploads. */
  file: string;
}

export interface StoredUpload extends NewUpload {
  receivedAt: number;
}

export interface AgentRecord {
  agentId: string;
  firstSeenAt: number;
  lastSeenAt: number;
  lastCommandId: string | undefined;
  /** `status` of the last sync. */
  status: Record<string, unknown>;
}

export interface SyncReport {
  agentId: string;
  lastCommandId: string | undefined;
  status: Record<string, unknown>;
  events: readonly { eventId: string; eventType: string; threadId: string | undefined; details: unknown }[];
}

/** What a message's row says at its arrival. */
export interface Reception {
  /** The stored answer, when there is one. */
  answer: string | undefined;
  /** The reflex that was pushed for it before the hub went down in mid-answer. */
  reflex: StoredCommand | undefined;
}

/**
 * The hub's memory: commands and their acks, the ledger of messages and answers, events. A promise that resolves
 * stands for a row on disk; one that rejects, for nothing written.
 */
export interface CommandStore {
  /**
   * Adds a command, or returns the one that has its id.
   * @throws EdgeError EDGE_COMMAND_INVALID: the id is another agent's; EDGE_COMMANDS_FULL: too many wait
   */
  enqueue(command: NewCommand): Promise<StoredCommand>;
  /** Adds the reflex of a message, as delivered, or returns the one the message has. */
  enqueueReflex(command: NewCommand, messageGuid: string): Promise<StoredCommand>;
  /** The agent's commands that are due, oldest first, marked delivered; none while each waits for its ack. */
  take(agentId: string, channel: DeliveryChannel): Promise<StoredCommand[]>;
  /**
   * A socket came or went: what went by one, or by a sync, and has no ack is due again, or newer commands would go
   * before what was lost; reflexes are superseded. No id: all agents.
   */
  release(agentId?: string): Promise<void>;
  /** The reflex was not pushed after all. */
  supersede(commandId: string): Promise<void>;
  /** Agents with commands that are due. */
  agentsWithDue(): Promise<string[]>;
  /** Records an ack; gives the command's state after it, undefined when the agent has no such command. */
  acknowledge(agentId: string, ack: EdgeAck): Promise<CommandState | undefined>;
  command(commandId: string): Promise<{ command: StoredCommand; acks: StoredAck[] } | undefined>;
  /** Commands of an agent by state. */
  commandCounts(agentId: string): Promise<Partial<Record<CommandState, number>>>;

  receiveMessage(message: NewMessage): Promise<Reception>;
  /** Stores the answer together with the commands it gives rise to; gives the stored one if there was one already. */
  answerMessage(
    key: { agentId: string; guid: string },
    answer: string,
    commands: readonly (NewCommand & { channel: 'response' | 'queue' })[],
  ): Promise<string>;
  message(agentId: string, guid: string): Promise<StoredMessage | undefined>;
  /** The latest messages of an agent, oldest first. */
  messages(agentId: string, limit?: number): Promise<StoredMessage[]>;

  /** Records a sync; gives the ids of all events in it, new or known. */
  recordSync(report: SyncReport): Promise<string[]>;
  events(agentId: string, limit?: number): Promise<StoredEvent[]>;
  agent(agentId: string): Promise<AgentRecord | undefined>;
  /** How many agents were here since then, ms since 1970. */
  agentCount(seenSince: number): Promise<number>;
  /** The agent was here (a socket opened). */
  seen(agentId: string): Promise<void>;

  /** False when the agent's attachment was known: nothing is written then. */
  addUpload(upload: NewUpload): Promise<boolean>;
  /** The attachment of the agent, of whichever agent sent it last where none is named. */
  upload(attachmentGuid: string, agentId?: string): Promise<StoredUpload | undefined>;
  /** The latest uploads, newest first. */
  uploads(agentId: string | undefined, limit: number): Promise<StoredUpload[]>;
  /** Names in the folder of uploads that have a row. */
  uploadFiles(): Promise<string[]>;
  /** Deletes the oldest rows until the others have `maxBytes` at most; gives the names of their files. */
  dropOldestUploads(maxBytes: number): Promise<string[]>;

  /** Deletes a batch of finished rows past retention; gives how many. */
  prune(): Promise<number>;
  close(): Promise<void>;
}
