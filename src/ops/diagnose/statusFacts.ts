import type { AgentStatus, DownStatus } from '../status.ts';
import { ownWords } from './ownWords.ts';

/** The status, field by field: what comes from elsewhere, such as a backend's answer to a message, stays out. */
export function statusFacts(status: AgentStatus | DownStatus) {
  const { conditions, dead_letters, version, started_at, stopped_at, last_inbound_at, queues, cursor } = status;
  return {
    running: status.running,
    agent_id: status.agent_id,
    version,
    started_at,
    stopped_at,
    last_inbound_at,
    cursor,
    queues,
    muted_threads: status.muted_threads,
    conditions: conditions.map(({ code, name, severity, since, text }) => ({
      code,
      name,
      severity,
      since,
      text: ownWords(text),
    })),
    hidden_conditions: status.hidden_conditions,
    dead_letters: dead_letters.map(({ guid, thread, code, since }) => ({ guid, thread, code, since })),
    ...(status.running && {
      pid: status.pid,
      delivery: status.delivery,
      websocket: websocketFacts(status.websocket),
      chatdb: status.chatdb,
      sending: status.sending,
      memory: status.memory,
      log_lines_lost: status.log_lines_lost,
    }),
  };
}

/** Times and figures as they are; of the last problem the agent's own words. */
function websocketFacts({ last_problem, ...facts }: AgentStatus['websocket']) {
  return { ...facts, last_problem: last_problem && { ...last_problem, text: ownWords(last_problem.text) } };
}
