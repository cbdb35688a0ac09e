import type { Clock } from '../../util/Clock.ts';
import { codeOf, messageOf } from '../../util/EdgeError.ts';
import { ERRORS } from '../../util/errors.ts';
import { type Check, type Finding, fail, late, type Verdict } from './Check.ts';

/** How long one check may take, ms. All run at once, and who asks how the Mac is does not wait longer. */
const LIMIT_MS = 2_000;

export interface NamedFinding extends Finding {
  readonly name: string;
  /** How long it took. */
  readonly ms: number;
}

/** Runs all checks side by side, in their order. One that throws, or does not end in time, is a finding of its own. */
export function examine(checks: readonly Check[], clock: Clock, limitMs = LIMIT_MS): Promise<NamedFinding[]> {
  return Promise.all(
    checks.map(async ({ name, run }): Promise<NamedFinding> => {
      const startedAt = clock.monotonic();
      const over = Promise.withResolvers<Finding>();
      const timer = clock.after(limitMs, () => over.resolve(tooLong(name, limitMs)));
      // Not at once: those that wait for a program have it under way before one reads a file.
      const found = Promise.resolve().then(run).catch(defect);
      const finding = await Promise.race([found, over.promise]);
      timer.cancel();
      return { name, ...finding, ms: Math.round(clock.monotonic() - startedAt) };
    }),
  );
}

/** What was skipped counts for nothing. */
export function worstOf(findings: readonly Finding[]): Verdict {
  const worst = (['fail', 'warn'] as const).find((status) => findings.some((finding) => finding.status === status));
  return worst ?? 'pass';
}

function defect(error: unknown): Finding {
  const code = codeOf(error, 'EDGE_INTERNAL');
  return fail(`${code}: ${messageOf(error)}`, ERRORS[code].fix);
}

function tooLong(name: string, limitMs: number): Finding {
  return late(
    `not found out within ${limitMs / 1000} s`,
    `Run edge-agent doctor --only ${name} once more; if it stays, restart the Mac.`,
  );
}
