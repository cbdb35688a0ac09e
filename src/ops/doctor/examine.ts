import { messageOf } from '../../util/EdgeError.ts';
import { ERRORS } from '../../util/errors.ts';
import type { Check, Finding, Verdict } from './Check.ts';

export interface NamedFinding extends Finding {
  readonly name: string;
}

export interface Report {
  /** The worst of the findings. */
  readonly status: Verdict;
  /** In the order of the checks. */
  readonly checks: readonly NamedFinding[];
}

/** Runs all checks side by side. One that throws is a finding of its own. */
export async function examine(checks: readonly Check[]): Promise<Report> {
  const found = await Promise.all(checks.map(async (check) => ({ name: check.name, ...(await findingOf(check)) })));
  return { status: worstOf(found), checks: found };
}

export function worstOf(findings: readonly Finding[]): Verdict {
  const worst = (['fail', 'warn'] as const).find((status) => findings.some((finding) => finding.status === status));
  return worst ?? 'pass';
}

async function findingOf(check: Check): Promise<Finding> {
  try {
    return await check.run();
  } catch (error) {
    return { status: 'fail', text: `EDGE_INTERNAL: ${messageOf(error)}`, fix: ERRORS.EDGE_INTERNAL.fix };
  }
}
