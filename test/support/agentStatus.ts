import type { AgentStatus } from '../../src/ops/status.ts';

/** The status of an agent at rest, with what a test changes. */
export function agentStatus(changes: Partial<AgentStatus> = {}): AgentStatus {
  return {
    running: true,
    version: '0.1.0',
    agent_id: 'edge_15550100001',
    pid: 4711,
    started_at: '2026-01-01T00:00:00.000Z',
    stopped_at: null,
    last_inbound_at: null,
    websocket: { up: true, since: '2026-01-01T00:00:01.000Z' },
    delivery: 'websocket',
    chatdb: { path: '/chat.db', open: true },
    cursor: { epoch: 1, rowid: 100 },
    queues: {
      inbound_parked: 0,
      inbound_pending: 0,
      dead_letters: 0,
      sends_queued: 0,
      sends_in_flight: 0,
      sends_failed: 0,
      sends_unknown: 0,
      schedules: 0,
      commands_open: 0,
      acks: 0,
      events: 0,
    },
    dead_letters: [],
    conditions: [],
    memory: { rss_bytes: 80_000_000, heap_used_bytes: 20_000_000 },
    log_lines_lost: 0,
    ...changes,
  };
}
