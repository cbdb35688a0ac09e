import { type AgentStatus, NO_QUEUES } from '../../src/ops/status.ts';

/** The status of an agent at rest, with what a test changes. */
export function agentStatus(changes: Partial<AgentStatus> = {}): AgentStatus {
  return {
    running: true,
    phase: 'running',
    version: '0.1.0',
    agent_id: 'edge_15550100001',
    pid: 4711,
    started_at: '2026-01-01T00:00:00.000Z',
    stopped_at: null,
    last_inbound_at: null,
    last_unsent_at: null,
    websocket: {
      up: true,
      state: 'live',
      since: '2026-01-01T00:00:01.000Z',
      round_trip_ms: 12.5,
      last_frame_seconds_ago: 3,
      next_dial_at: null,
      failures: 0,
      last_problem: null,
    },
    delivery: 'websocket',
    chatdb: { path: '/chat.db', open: true, lacks: [] },
    cursor: { epoch: 1, rowid: 100 },
    queues: NO_QUEUES,
    muted_threads: [],
    dead_letters: [],
    sending: { waiting_for_rate: 0, next_at: null },
    conditions: [],
    hidden_conditions: [],
    memory: { rss_bytes: 80_000_000, heap_used_bytes: 20_000_000 },
    log_lines_lost: 0,
    ...changes,
  };
}
