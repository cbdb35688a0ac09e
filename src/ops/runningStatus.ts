import type { StateStore } from '../state/StateStore.ts';
import type { Clock } from '../util/Clock.ts';
import { packageVersion } from '../util/version.ts';
import type { Health } from './Health.ts';
import { type AgentStatus, conditionsStatus, sendingStatus, storeStatus } from './status.ts';
import { websocketStatus } from './websocketStatus.ts';

export interface RunningParts {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly agentId: string;
  readonly chatDbPath: string;
  readonly health: Health;
  readonly log: { readonly lostLines: number };
  readonly feed: { readonly db: object | undefined; readonly lacks: readonly string[] };
  readonly link: { readonly isUp: boolean; readonly status: Parameters<typeof websocketStatus>[0] };
  readonly reports: { readonly phase: AgentStatus['phase'] };
  readonly messaging: { heldBack(): Parameters<typeof sendingStatus>[0] };
}

/** The status of the agent that these parts make up, each time it is asked for. */
export function runningStatus(o: RunningParts): () => AgentStatus {
  const { store, clock, agentId, chatDbPath, health, log, feed, link, messaging, reports } = o;
  return () => ({
    ...storeStatus(store, clock.now()),
    running: true,
    phase: reports.phase,
    version: packageVersion(),
    agent_id: agentId,
    pid: process.pid,
    websocket: websocketStatus(link.status, clock.now()),
    delivery: link.isUp ? 'websocket' : 'polling',
    chatdb: { path: chatDbPath, open: feed.db !== undefined, lacks: feed.lacks },
    sending: sendingStatus(messaging.heldBack()),
    ...conditionsStatus(health.view()),
    memory: { rss_bytes: process.memoryUsage.rss(), heap_used_bytes: process.memoryUsage().heapUsed },
    log_lines_lost: log.lostLines,
  });
}
