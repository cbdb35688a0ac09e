import { z } from 'zod';
import { describeIssues, threadIdSchema } from '../protocol/wire.ts';
import type { ScheduleState } from '../state/Schedules.ts';
import type { NewSend, SendRow, SendState } from '../state/SendRow.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock } from '../util/Clock.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { dropLetters, reviveLetters } from './deadLetters.ts';
import { failed, type RouteReply, type Routes } from './routes.ts';
import type { AgentStatus } from './status.ts';

/** Body of POST /send. `key` makes a repeated request the same send. */
const sendSchema = z.object({ thread_id: threadIdSchema, text: z.string().min(1, 'is empty'), key: z.uuid() });
/** Body of POST /retry and POST /drop: one dead letter or all. */
const lettersSchema = z.union([z.object({ guid: z.string().min(1) }), z.object({ all: z.literal(true) })]);
/** Body of POST /schedule/cancel. */
const cancelSchema = z.object({ schedule_id: z.string().min(1) });

/**
 * How a text stands; what POST /send and GET /send?key= answer. Of several bubbles `state` is that of the first which is
 * not out yet, else of the first that failed or is unknown, with its code and detail, else of the first.
 */
export interface SendOutcome {
  readonly send_id: number;
  readonly state: SendState;
  readonly guid: string | null;
  /** Of all its bubbles, where it is several. */
  readonly guids?: readonly (string | null)[];
  readonly code: string | null;
  readonly detail: string | null;
}

/** Answer of POST /retry. */
export interface RetryOutcome {
  readonly retried: number;
}

/** Answer of POST /drop. */
export interface DropOutcome {
  readonly dropped: number;
}

/** Answer of POST /schedule/cancel: the state the schedule was found in, `pending` when it was cancelled, null without one. */
export interface CancelOutcome {
  readonly found: ScheduleState | null;
}

export interface ControlRoutesOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly telemetry: Pick<Telemetry, 'lettersDropped'>;
  readonly status: () => AgentStatus;
  /** Queues a text as the bubbles it takes; the first of them. */
  readonly queueText: (send: NewSend) => SendRow;
  /** Sends were queued. */
  readonly onSends: () => void;
  /** Inbound rows are pending again. */
  readonly onInbound: () => void;
  /** Returns the state it was found in. */
  readonly cancelSchedule: (scheduleId: string) => ScheduleState | undefined;
}

/** What the agent does for `edge-agent status`, `send`, `retry`, `drop` and `schedule cancel`. */
export function controlRoutes(options: ControlRoutesOptions): Routes {
  const { store, clock, telemetry, status, queueText, onSends, onInbound, cancelSchedule } = options;
  const revive = (guid: string | undefined) => {
    try {
      const retried = reviveLetters(store, guid);
      if (retried > 0) onInbound();
      return retried;
    } catch (error) {
      onInbound(); // where state.db takes no more in the middle, what it took waits
      throw error;
    }
  };
  const outcome = (row: SendRow) => outcomeOf([row, ...store.sends.partsOf(row.sendId)]);
  return {
    'GET /status': () => ({ body: status() }),
    'POST /send': ({ body }) => {
      const parsed = sendSchema.safeParse(body);
      if (!parsed.success) return refused(parsed.error);
      const { key, thread_id: threadId, text } = parsed.data;
      const row = store.transaction(() =>
        queueText({ key: `cli:${key}`, threadId, text, bubbleType: 'normal', now: clock.now() }),
      );
      onSends();
      return { body: outcome(row) };
    },
    'GET /send': ({ query }) => {
      const row = store.sends.byKey(`cli:${query.get('key')}`);
      return row ? { body: outcome(row) } : failed(404, 'NOT_FOUND', 'there is no such send');
    },
    'POST /retry': ({ body }) => {
      const parsed = lettersSchema.safeParse(body);
      if (!parsed.success) return refused(parsed.error);
      const reply: RetryOutcome = { retried: revive('guid' in parsed.data ? parsed.data.guid : undefined) };
      return { body: reply };
    },
    'POST /drop': ({ body }) => {
      const parsed = lettersSchema.safeParse(body);
      if (!parsed.success) return refused(parsed.error);
      const guid = 'guid' in parsed.data ? parsed.data.guid : undefined;
      const dropped = dropLetters(store, clock.now(), guid);
      if (dropped > 0) telemetry.lettersDropped(dropped, guid);
      const reply: DropOutcome = { dropped };
      return { body: reply };
    },
    'POST /schedule/cancel': ({ body }) => {
      const parsed = cancelSchema.safeParse(body);
      if (!parsed.success) return refused(parsed.error);
      const reply: CancelOutcome = { found: cancelSchedule(parsed.data.schedule_id) ?? null };
      return { body: reply };
    },
  };
}

function outcomeOf(whole: readonly SendRow[]): SendOutcome {
  const first = whole[0]!;
  const isIn = (states: readonly SendState[]) => (row: SendRow) => states.includes(row.state);
  const open = whole.findIndex(isIn(['held', 'queued', 'sending', 'accepted']));
  const shown = open >= 0 ? open : Math.max(0, whole.findIndex(isIn(['failed', 'unknown'])));
  const { state, errorCode, errorDetail } = whole[shown]!;
  const isSeveral = whole.length > 1;
  const part = isSeveral && errorDetail !== null ? `part ${shown + 1} of ${whole.length}: ` : '';
  return {
    send_id: first.sendId,
    state,
    guid: first.receiptGuid,
    ...(isSeveral ? { guids: whole.map(({ receiptGuid }) => receiptGuid) } : {}),
    code: errorCode,
    detail: errorDetail === null ? null : `${part}${errorDetail}`,
  };
}

function refused(error: z.ZodError): RouteReply {
  return failed(400, 'EDGE_COMMAND_INVALID', describeIssues(error));
}
