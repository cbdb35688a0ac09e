import { CONDITIONS, conditionOf } from '../util/conditions.ts';
import type { ErrorCode } from '../util/errors.ts';
import { COUNTERS, type CounterName, LABELLED_COUNTERS, type LabelledCounterName, type Metrics } from './metrics.ts';
import type { RouteReply } from './routes.ts';
import type { AgentStatus } from './status.ts';
import { WEBSOCKET_STATES } from './websocketStatus.ts';

const PREFIX = 'edge_agent_';
const CONDITION_CODES = Object.keys(CONDITIONS) as ErrorCode[];

/** The counters and the state of the agent in the text format of Prometheus. Loads prom-client when first asked. */
export async function prometheusText(metrics: Metrics, status: AgentStatus): Promise<RouteReply> {
  const { Counter, Gauge, Registry } = await import('prom-client');
  const registry = new Registry();
  const registers = [registry];
  for (const [name, help] of Object.entries(COUNTERS)) {
    new Counter({ name: `${PREFIX}${name}_total`, help, registers }).inc(metrics.get(name as CounterName));
  }
  for (const [name, { label, help }] of Object.entries(LABELLED_COUNTERS)) {
    const counter = new Counter({ name: `${PREFIX}${name}_total`, help, labelNames: [label], registers });
    for (const [value, count] of metrics.by(name as LabelledCounterName)) counter.inc({ [label]: value }, count);
  }

  const gauge = (name: string, help: string, value: number) =>
    new Gauge({ name: PREFIX + name, help, registers }).set(value);
  const { websocket } = status;
  gauge('websocket_up', 'Whether commands come over the WebSocket', websocket.up ? 1 : 0);
  gauge('websocket_failures', 'Dials and connections in a row that did not last', websocket.failures);
  if (websocket.round_trip_ms !== null) {
    gauge('websocket_round_trip_seconds', 'From the last ping to its pong', websocket.round_trip_ms / 1000);
  }
  if (websocket.last_frame_seconds_ago !== null) {
    gauge(
      'websocket_last_frame_age_seconds',
      'Since anything came over the WebSocket',
      websocket.last_frame_seconds_ago,
    );
  }
  const states = new Gauge({
    name: `${PREFIX}websocket_state`,
    help: '1 for the state the WebSocket is in, 0 for the others',
    labelNames: ['state'],
    registers,
  });
  for (const state of WEBSOCKET_STATES) states.set({ state }, websocket.state === state ? 1 : 0);
  gauge('chatdb_open', 'Whether chat.db can be read', status.chatdb.open ? 1 : 0);
  gauge('chatdb_cursor_rowid', 'ROWID up to which chat.db was taken in', status.cursor?.rowid ?? 0);
  gauge('resident_memory_bytes', 'Memory of the process', status.memory.rss_bytes);
  gauge('log_lines_lost', 'Log lines that could not be written since one last could', status.log_lines_lost);
  gauge('start_time_seconds', 'When the agent started, Unix time', seconds(status.started_at));
  gauge('last_inbound_time_seconds', 'When the last message came in, Unix time', seconds(status.last_inbound_at));
  const queues = new Gauge({ name: `${PREFIX}queue_rows`, help: 'Rows that wait', labelNames: ['queue'], registers });
  for (const [queue, rows] of Object.entries(status.queues)) queues.set({ queue }, rows);
  const stands = new Set(status.conditions.map(({ code }) => code));
  const conditions = new Gauge({
    name: `${PREFIX}condition`,
    help: '1 while the condition stands and is no consequence of another, else 0',
    labelNames: ['code', 'severity'],
    registers,
  });
  for (const code of new Set([...CONDITION_CODES, ...stands])) {
    conditions.set({ code, severity: conditionOf(code).severity }, stands.has(code) ? 1 : 0);
  }
  gauge('conditions_hidden', 'Conditions that follow from one that stands', status.hidden_conditions.length);
  new Gauge({
    name: `${PREFIX}info`,
    help: 'Always 1; says which agent and version this is',
    labelNames: ['agent_id', 'version'],
    registers,
  }).set({ agent_id: status.agent_id, version: status.version }, 1);
  return { body: await registry.metrics(), contentType: registry.contentType };
}

function seconds(time: string | null): number {
  return time === null ? 0 : Date.parse(time) / 1000;
}
