import type { AgentStatus, DownStatus } from '../status.ts';
import type { Redaction } from './Redaction.ts';

/** The status, field by field: what comes from elsewhere, such as a backend's answer to a message, stays out. */
export function statusFacts(status: AgentStatus | DownStatus, redaction: Redaction) {
  const { conditions, dead_letters, version, started_at, stopped_at, queues, cursor } = status;
  return {
    running: status.running,
    agent_id: status.agent_id,
    version,
    started_at,
    stopped_at,
    last_inbound_at: status.last_inbound_at,
    last_unsent_at: status.last_unsent_at,
    cursor,
    queues,
    muted_threads: status.muted_threads,
    conditions: conditions.map(({ code, name, severity, since, text }) => ({
      code,
      name,
      severity,
      since,
      text: redaction.own(text),
    })),
    hidden_conditions: status.hidden_conditions,
    dead_letters: dead_letters.map(({ guid, thread, code, since }) => ({ guid, thread, code, since })),
    ...(status.running && {
      pid: status.pid,
      delivery: status.delivery,
      websocket: websocketFacts(status.websocket, redaction),
      chatdb: status.chatdb,
      sending: status.sending,
      memory: status.memory,
      log_lines_lost: status.log_lines_lost,
    }),
  };
}

/** Times and figures as they are; of the last problem the agent's own words. */
function websocketFacts({ last_problem, ...facts }: AgentStatus['websocket'], redaction: Redaction) {
  return { ...facts, last_problem: last_problem && { ...last_problem, text: redaction.own(last_problem.text) } };
}
