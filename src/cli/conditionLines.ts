import type { ConditionStatus } from '../ops/status.ts';
import { causesOf } from '../util/conditions.ts';
import type { ErrorCode } from '../util/errors.ts';
import type { Taken } from './takeStatus.ts';

/** Each condition with what it means and what to do, and how many others follow from it. Critical ones first. */
export function conditionLines(status: Taken, ago: (time: string) => string): string[] {
  const { conditions, hidden_conditions: hidden } = status;
  if (conditions.length === 0) return [];
  const inOrder = [
    ...conditions.filter(({ severity }) => severity === 'critical'),
    ...conditions.filter(({ severity }) => severity !== 'critical'),
  ];
  return [
    '',
    status.running || status.ended === null || !status.stored ? 'Conditions' : 'Conditions when it ended',
    ...inOrder.flatMap((one) => lines(one, hidden, ago)),
  ];
}

function lines(condition: ConditionStatus, hidden: readonly ErrorCode[], ago: (time: string) => string): string[] {
  const { code, name, title, severity, text, means, fix, since } = condition;
  const following = hidden.filter((other) => causesOf(other).has(code)).length;
  const more = following > 0 ? `, and ${following} that ${following === 1 ? 'follows' : 'follow'} from it` : '';
  return [
    `  ${severity === 'warning' ? 'warning: ' : ''}${title} (${name}, ${code}) since ${ago(since)}${more}`,
    `    ${text.replace(/\s+/g, ' ')}`,
    `    ${means}`,
    `    ${fix}`,
  ];
}
