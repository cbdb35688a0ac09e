import { STORE_UNWILLING } from '../util/EdgeError.ts';
import type { ErrorCode } from '../util/errors.ts';
import type { Metrics } from './metrics.ts';
import { prometheusText } from './prometheus.ts';
import type { RouteReply, Routes } from './routes.ts';
import type { AgentStatus, ConditionStatus, DownStatus } from './status.ts';

/** While one of these stands nothing new can be remembered, so nothing new is taken in. */
const NOT_WRITABLE: readonly ErrorCode[] = [...STORE_UNWILLING, 'EDGE_STATE_IO'];

/** What GET /health answers. `text` is left out: any user of this Mac can ask the port. */
export interface HealthReply {
  /** False while a critical condition stands. */
  readonly healthy: boolean;
  readonly conditions: readonly Omit<ConditionStatus, 'text'>[];
  readonly hidden_conditions: readonly ErrorCode[];
}

/** What GET /ready answers. */
export interface ReadyReply {
  readonly ready: boolean;
  /** Why not. */
  readonly reasons: readonly string[];
}

/** What monitors ask, the same over the control socket and the loopback port; nothing of it changes anything. */
export function healthRoutes({ metrics, status }: { metrics: Metrics; status: () => AgentStatus }): Routes {
  return {
    'GET /live': live,
    'GET /health': () => health(status(), true),
    'GET /ready': () => ready(whyNotReady(status())),
    'GET /metrics': async () => prometheusText(metrics, status()),
  };
}

/** The same of a process that does no work, for `reason`. Without figures: who asks for them learns that it is down. */
export function idleRoutes(status: DownStatus, reason: string): Routes {
  return { 'GET /live': live, 'GET /health': () => health(status, false), 'GET /ready': () => ready([reason]) };
}

function live(): RouteReply {
  return { body: { live: true } };
}

/** 200 while nothing critical stands, else 503. */
function health({ conditions, hidden_conditions }: AgentStatus | DownStatus, works: boolean): RouteReply {
  const healthy = works && conditions.every(({ severity }) => severity !== 'critical');
  const body: HealthReply = { healthy, conditions: conditions.map(({ text, ...shown }) => shown), hidden_conditions };
  return { status: healthy ? 200 : 503, body };
}

function ready(reasons: readonly string[]): RouteReply {
  const body: ReadyReply = { ready: reasons.length === 0, reasons };
  return { status: body.ready ? 200 : 503, body };
}

function whyNotReady({ phase, chatdb, conditions }: AgentStatus): string[] {
  const unwritable = conditions.find(({ code }) => NOT_WRITABLE.includes(code));
  return [
    ...(phase === 'running' ? [] : [`the agent is ${phase}`]),
    ...(chatdb.open ? [] : ['chat.db is not open']),
    ...(unwritable ? [`state.db cannot be written: ${unwritable.code}`] : []),
  ];
}
