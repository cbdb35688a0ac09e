import type { RunProgram } from '../../ops/macos/programs.ts';
import type { AgentStatus } from '../../ops/status.ts';

/** doctor takes under 3 s; the steps to a backend that does not answer take longer. */
const DOCTOR_MS = 60_000;

interface Finding {
  readonly name: string;
  readonly status: string;
  readonly text: string;
  readonly fix?: string | null;
  /** It took too long to find out. */
  readonly unknown?: boolean;
}

export interface Missing {
  /** What stands between this Mac and an agent that works, each with what to do. */
  readonly missing: readonly string[];
  /** What doctor did not find out in time, each with what to do: on a Mac that is busy with an install it is no lack. */
  readonly unknown: readonly string[];
}

export interface Examined {
  readonly run: RunProgram;
  readonly node: string;
  readonly program: string;
  readonly config: string;
  /** What it knows itself goes before what doctor finds: permissions are the agent's own, and not the terminal's. */
  readonly agent: AgentStatus | undefined;
}

export async function whatIsMissing({ run, node, program, config, agent }: Examined): Promise<Missing> {
  const conditions = (agent?.conditions ?? []).map(({ name, text, fix }) => ({ name, text, fix }));
  const args = [program, 'doctor', '--json', '--config', config];
  const { exitCode, stdout, stderr } = await run(node, args, { timeoutMs: DOCTOR_MS });
  const findings = parsed(stdout)?.filter(({ status }) => status === 'fail' || status === 'warn');
  const first = stderr.trim().split('\n')[0] || `it ended with ${exitCode ?? 'a signal'}`;
  const found: readonly Finding[] = findings ?? [
    { name: 'doctor', status: 'fail', text: first, fix: 'Run `edge-agent doctor`.' },
  ];
  const known = new Set(conditions.map(({ fix }) => fix));
  const lacks = found.filter(({ fix, unknown }) => !unknown && !(fix && known.has(fix)));
  return {
    missing: [...conditions, ...lacks].map(inWords),
    unknown: found.filter(({ unknown }) => unknown).map(inWords),
  };
}

function inWords({ name, text, fix }: Pick<Finding, 'name' | 'text' | 'fix'>): string {
  return `${name}: ${text}${fix ? `\n     ${fix}` : ''}`;
}

function parsed(stdout: string): readonly Finding[] | undefined {
  try {
    return (JSON.parse(stdout) as { checks: readonly Finding[] }).checks;
  } catch {
    return undefined;
  }
}
