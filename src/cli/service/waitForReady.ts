import type { Config } from '../../config/schema.ts';
import type { AgentStatus } from '../../ops/status.ts';
import { type Clock, sleep } from '../../util/Clock.ts';
import { askAgent } from '../takeStatus.ts';

const EVERY_MS = 250;
/** One that dies of its first work has answered before: it must still be there after this. */
const STEADY_MS = 2_000;

export interface Wait {
  readonly config: Pick<Config, 'state'>;
  /** Of the program that shall run; another one is the one before, on its way out. Undefined: any. */
  readonly version: string | undefined;
  readonly clock: Clock;
  readonly limitMs: number;
}

/** The status of an agent of this version that answers, and goes on doing so; undefined when there is none in time. */
export async function waitForReady({ config, version, clock, limitMs }: Wait): Promise<AgentStatus | undefined> {
  const end = clock.monotonic() + limitMs;
  let first: { pid: number; at: number } | undefined;
  for (;;) {
    const agent = await askAgent(config).catch(() => undefined);
    const at = clock.monotonic();
    if (!agent || (version !== undefined && agent.version !== version)) first = undefined;
    else if (first?.pid !== agent.pid) first = { pid: agent.pid, at };
    else if (at - first.at >= STEADY_MS) return agent;
    if (at >= end) return undefined;
    await sleep(clock, EVERY_MS);
  }
}
