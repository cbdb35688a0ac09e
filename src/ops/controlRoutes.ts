import { z } from 'zod';
import { describeIssues, threadIdSchema } from '../protocol/wire.ts';
import type { ScheduleState } from '../state/Schedules.ts';
import type { SendRow, SendState } from '../state/SendRow.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock } from '../util/Clock.ts';
import { failed, type RouteReply, type Routes } from './routes.ts';
import type { AgentStatus } from './status.ts';

/** Body of POST /send. `key` makes a repeated request the same send. */
const sendSchema = z.object({ thread_id: threadIdSchema, text: z.string().min(1, 'is empty'), key: z.uuid() });
/** Body of POST /retry: one dead letter or all. */
const retrySchema = z.union([z.object({ guid: z.string().min(1) }), z.object({ all: z.literal(true) })]);
/** Body of POST /schedule/cancel. */
const cancelSchema = z.object({ schedule_id: z.string().min(1) });
/** Dead letters taken back a round. */
const RETRY_BATCH = 500;

/** How a send stands; what POST /send and GET /send?key= answer. */
export interface SendOutcome {
  readonly send_id: number;
  readonly state: SendState;
  readonly guid: string | null;
  readonly code: string | null;
  readonly detail: string | null;
}

/** Answer of POST /retry. */
export interface RetryOutcome {
  readonly retried: number;
}

/** Answer of POST /schedule/cancel: the state the schedule was found in, `pending` when it was cancelled, null without one. */
export interface CancelOutcome {
  readonly found: ScheduleState | null;
}

export interface ControlRoutesOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly status: () => AgentStatus;
  /** Sends were queued. */
  readonly onSends: () => void;
  /** Inbound rows are pending again. */
  readonly onInbound: () => void;
  /** Returns the state it was found in. */
  readonly cancelSchedule: (scheduleId: string) => ScheduleState | undefined;
}

/** What the agent does for `edge-agent status`, `send`, `retry` and `schedule cancel`. */
export function controlRoutes(options: ControlRoutesOptions): Routes {
  const { store, clock, status, onSends, onInbound, cancelSchedule } = options;
  return {
    'GET /status': () => ({ body: status() }),
    'POST /send': ({ body }) => {
      const parsed = sendSchema.safeParse(body);
      if (!parsed.success) return refused(parsed.error);
      const { key, thread_id: threadId, text } = parsed.data;
      const row = store.transaction(() =>
        store.sends.insert({ key: `cli:${key}`, threadId, text, bubbleType: 'normal', now: clock.now() }),
      );
      onSends();
      return { body: outcome(row) };
    },
    'GET /send': ({ query }) => {
      const row = store.sends.byKey(`cli:${query.get('key')}`);
      return row ? { body: outcome(row) } : failed(404, 'NOT_FOUND', 'there is no such send');
    },
    'POST /retry': ({ body }) => {
      const parsed = retrySchema.safeParse(body);
      if (!parsed.success) return refused(parsed.error);
      const retried = 'guid' in parsed.data ? reviveAll(store, [parsed.data.guid]) : reviveEvery(store);
      if (retried > 0) onInbound();
      const reply: RetryOutcome = { retried };
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

function reviveEvery(store: StateStore): number {
  let total = 0;
  for (;;) {
    const guids = store.inbound.deadLetters(RETRY_BATCH).map(({ guid }) => guid);
    if (guids.length === 0) return total;
    total += reviveAll(store, guids);
  }
}

function reviveAll(store: StateStore, guids: readonly string[]): number {
  return store.transaction(() => guids.filter((guid) => store.inbound.revive(guid)).length);
}

function outcome(row: SendRow): SendOutcome {
  return { send_id: row.sendId, state: row.state, guid: row.receiptGuid, code: row.errorCode, detail: row.errorDetail };
}

function refused(error: z.ZodError): RouteReply {
  return failed(400, 'EDGE_COMMAND_INVALID', describeIssues(error));
}
