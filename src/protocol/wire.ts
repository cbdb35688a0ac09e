import { z } from 'zod';

/**
 * The wire between agent and backend, shared by agent, hub and tests. Liberal in what it accepts: unknown fields pass,
 * a field that is absent may also be null where deployed backends send it so.
 */

/** Longest command_id accepted, characters; backends use UUIDs or names such as `test_001`. */
export const MAX_COMMAND_ID_LENGTH = 128;
/** Largest WebSocket frame and HTTP answer read, bytes. */
export const MAX_BODY_BYTES = 1024 * 1024;
/** Largest answer to a sync while a command is known to be too large for a frame, bytes. */
export const MAX_LARGE_ANSWER_BYTES = 8 * 1024 * 1024;

const optional = <T extends z.ZodType>(type: T) => type.nullish().transform((value) => value ?? undefined);

export const commandSchema = z.object({
  // Half a surrogate pair is another character once stored, and two such ids would be one.
  command_id: z
    .string()
    .min(1)
    .max(MAX_COMMAND_ID_LENGTH)
    .refine((id) => id.isWellFormed(), 'is not Unicode'),
  command_type: z.string().min(1),
  payload: z
    .record(z.string(), z.unknown())
    .nullish()
    .transform((value) => value ?? {}),
  priority: z
    .enum(['normal', 'immediate'])
    .nullish()
    .catch(undefined)
    .transform((value) => value ?? 'normal'),
  timestamp: optional(z.string()),
});
/** An order from the backend. */
export type Command = z.output<typeof commandSchema>;

export const threadIdSchema = z.string().trim().min(1, 'is empty').max(512);

export const sendMessageNowSchema = z.object({
  thread_id: threadIdSchema,
  text: z.string().min(1),
  bubble_type: z
    .enum(['reflex', 'burst', 'normal'])
    .nullish()
    .transform((value) => value ?? 'normal'),
});
export const scheduleMessageSchema = z.object({
  thread_id: threadIdSchema,
  message_text: z.string().min(1),
  send_at: z.iso.datetime({ offset: true, local: true }),
  is_group: optional(z.boolean()),
  recurrence: optional(
    z.object({
      /** RFC 5545, such as `FREQ=WEEKLY;BYDAY=MO,WE`, with or without `RRULE:`; it begins at send_at. */
      rrule: z.string().min(1).max(500),
      /** IANA name in which the rule counts days and hours. */
      time_zone: optional(z.string().min(1).max(100)),
    }),
  ),
});
export const sendAttachmentSchema = z.object({
  thread_id: threadIdSchema,
  url: optional(z.string().min(1).max(4096)),
  data_base64: optional(z.string().min(1)),
  name: z.string().min(1).max(255),
  mime_type: z.string().min(1).max(255),
  caption: optional(z.string()),
});
export const uploadRetrySchema = z.object({ attachment_guid: z.string().min(1).max(200) });
export const cancelScheduledSchema = z.object({ schedule_id: z.string().min(1).max(MAX_COMMAND_ID_LENGTH) });
export const listScheduledSchema = z.object({ status: optional(z.string()) });

export type AckStatus = 'received' | 'completed' | 'failed';

/** `command_ack.data` and the body of POST /edge/command/ack: both forms that deployed backends read. */
export interface CommandAck {
  command_id: string;
  success: boolean;
  error: string | null;
  timestamp: string;
  status: AckStatus;
  completed_at?: string;
  result?: unknown;
}

/** What the agent writes to the socket. */
export type AgentFrame = { type: 'ping' } | { type: 'command_ack'; data: CommandAck };

/** Body of POST /edge/message. */
export interface MessageRequest {
  thread_id: string;
  sender: string;
  filtered_text: string;
  message_guid: string;
  original_timestamp: string;
  is_group: boolean;
  participants: string[];
  chat_guid: string;
  service: string;
  was_redacted: boolean;
  redacted_fields: string[];
  filter_reason: string;
  /** `pending`: the file had not been downloaded when the message went. */
  attachments?: { guid: string; name: string; mime_type: string; size_bytes: number; pending?: true }[];
  reply_to_guid?: string;
  backfill?: true;
  /** Set when the body could not be decoded; the text is then the text column or empty. */
  decode_error?: string;
}

/** The answer to POST /edge/message; commands are checked one by one later, so that a bad one spoils only itself. */
export const messageResponseSchema = z.object({
  /** Nothing is sent unless it is true; that it is absent is told from false, which is a decision. */
  should_respond: optional(z.boolean()),
  reply_bubbles: optional(z.array(z.string())),
  reply_text: optional(z.string()),
  reflex_message: optional(z.string()),
  burst_messages: optional(z.array(z.string())),
  // A delay that makes no sense is no reason to say nothing: the answer would be asked for without end.
  burst_delay_ms: optional(z.number().nonnegative()).catch(undefined),
  commands: optional(z.array(z.unknown())),
  reflex_command_id: optional(z.string()),
});
export type MessageResponse = z.output<typeof messageResponseSchema>;

export type EdgeEventType =
  | 'message_sent'
  | 'message_delivered'
  | 'message_failed'
  | 'message_edited'
  | 'message_unsent'
  | 'reaction_added'
  | 'reaction_removed'
  | 'group_changed'
  | 'message_filtered'
  | 'agent_status'
  | 'error';

/** Something that happened on the Mac. */
export interface EdgeEvent {
  event_id: string;
  event_type: EdgeEventType;
  thread_id?: string;
  details: Record<string, unknown>;
}

/** Body of POST /edge/sync. */
export interface SyncRequest {
  edge_agent_id: string;
  last_command_id: string | null;
  pending_events: EdgeEvent[];
  status: { scheduled_messages: number; active_rules: number; uptime_seconds: number };
}

export const configUpdateSchema = z.object({
  sync_interval: optional(z.number().positive()),
  log_level: optional(z.enum(['debug', 'info', 'warn', 'error'])),
});

const configUpdatesSchema = optional(z.record(z.string(), z.unknown()));

/**
 * The answer to POST /edge/sync. What is wrong in one part spoils that part alone, or the commands in the others would
 * be asked for without end; `flaws` says what was left out.
 */
export const syncResponseSchema = z
  .object({ commands: z.unknown(), ack_events: z.unknown(), config_updates: z.unknown() })
  .partial()
  .transform((parts) => {
    const flaws: string[] = [];
    const list = (name: 'commands' | 'ack_events'): unknown[] => {
      const value = parts[name] ?? [];
      if (Array.isArray(value)) return value;
      flaws.push(`${name} is no list`);
      return [];
    };
    const commands = list('commands');
    const acked = list('ack_events');
    const ackEvents = acked.filter((id) => typeof id === 'string');
    if (ackEvents.length < acked.length) flaws.push('ack_events holds what is no string');
    const config = configUpdatesSchema.safeParse(parts.config_updates);
    if (!config.success) flaws.push('config_updates is no object');
    return { commands, ack_events: ackEvents, config_updates: config.data, flaws };
  });
export type SyncResponse = z.output<typeof syncResponseSchema>;

/** Any frame from the backend; `data` is checked by type. */
export const frameSchema = z.object({ type: z.string(), data: z.unknown().optional() });

/** Longest wait that a backend may ask for, ms: a slip must not silence an agent for a day. */
const MAX_ASKED_WAIT_MS = 15 * 60_000;

/** `drain.data`: the backend is about to close; the agent leaves, polls, and comes back after so many ms. */
export const drainSchema = z.object({
  retry_after_ms: z
    .number()
    .nonnegative()
    .nullish()
    .catch(undefined)
    .transform((value) => Math.min(value ?? 0, MAX_ASKED_WAIT_MS)),
});

/** `connected.data`, the greeting. */
export const greetingSchema = z.object({
  /** After the loss of this connection the first dial waits up to so many ms more, at random: a large fleet asks for it. */
  reconnect_spread_ms: z
    .number()
    .nonnegative()
    .nullish()
    .catch(undefined)
    .transform((value) => Math.min(value ?? 0, 60_000)),
  /** The backend takes this connection for a look by the doctor, and follows with a command of type `probe`. */
  probe: z
    .boolean()
    .nullish()
    .catch(undefined)
    .transform((value) => value ?? false),
});

/** A handshake with this header is a look by the doctor: the agent's own connection stays, and no commands come. */
export const PROBE_HEADER = 'X-Edge-Probe';

/** The problems of a failed parse as `field: what was expected`, joined. */
export function describeIssues(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.') || '(root)'}: ${issue.message}`).join('; ');
}
