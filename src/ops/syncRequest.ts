import type { SyncRequest } from '../protocol/wire.ts';
import type { StateStore } from '../state/StateStore.ts';

/** Events reported in one sync; the rest follows in the next. */
const EVENTS_A_SYNC = 100;
/** Details of events in one sync at most, bytes, unless the first alone has more: backends take bodies of 1 MiB. */
const EVENT_BYTES = 256 * 1024;

/** What the agent reports when it asks for commands. */
export function syncRequest(store: StateStore, agent: { agentId: string; uptimeMs: number }): SyncRequest {
  return {
    edge_agent_id: agent.agentId,
    last_command_id: store.commands.lastId(),
    pending_events: store.events.waiting(EVENTS_A_SYNC, EVENT_BYTES),
    status: {
      scheduled_messages: store.schedules.pendingCount(),
      active_rules: 0,
      uptime_seconds: Math.round(agent.uptimeMs / 1000),
    },
  };
}
