import type { AgentStatusView } from '../../../scripts/rig/AgentProcess.ts';
import type { FaultRun } from './FaultRun.ts';

/** How long two looks at chat.db may take, ms: it is looked at every second, whatever file events say. */
export const TWO_POLLS_MS = 2000;

/** Resolves when the agent tells of this condition. */
export function raised({ rig }: FaultRun, code: string): Promise<AgentStatusView> {
  return rig.agent.ready(({ conditions }) => conditions.some((one) => one.code === code));
}

/** Resolves when chat.db is open and nothing of it is held to be wrong. */
export function readsAgain({ rig }: FaultRun, withinMs = TWO_POLLS_MS): Promise<AgentStatusView> {
  return rig.agent.ready(
    ({ chatdb, conditions }) => chatdb.open && conditions.every(({ code }) => !code.startsWith('EDGE_CHATDB')),
    withinMs,
  );
}
