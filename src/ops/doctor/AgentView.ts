import type { ErrorCode } from '../../util/errors.ts';
import type { AgentStatus } from '../status.ts';

/** What the agent of this state.dir says of itself. `silent`: something listens on its socket and does not answer. */
export type AgentView =
  | { readonly kind: 'running'; readonly status: AgentStatus }
  | { readonly kind: 'down' }
  | { readonly kind: 'silent' };

/** Whether the running agent has met this trouble itself, which tells more than any look from outside. */
export function hasMet(agent: AgentView, code: ErrorCode): boolean {
  return agent.kind === 'running' && agent.status.conditions.some((condition) => condition.code === code);
}
