import { it, onTestFinished } from 'vitest';
import { tempDir } from '../support/tempDir.ts';
import { FaultRun, type FaultRunOptions } from './FaultRun.ts';
import {
  bubblesWentOutOnce,
  isHealthy,
  keepsSecrets,
  messagesArrivedOnce,
  outcomesAreTrue,
  stopsInOrder,
  takesNoMoreThanBefore,
} from './invariants.ts';

/** How long everything may take to come right once the fault is over, ms of the real clock. */
const RECOVERY_MS = 15_000;

export interface FaultCase extends FaultRunOptions {
  /** Before the agent starts. */
  setup?(run: FaultRun): void | Promise<void>;
  /** Brings the fault about, shows how the agent bears it, and lifts it. */
  fault(run: FaultRun): Promise<void>;
  /** What must hold besides, once all is quiet and before the agent is stopped. */
  expect?(run: FaultRun): void | Promise<void>;
  /** How long the case may take, ms. @default 60000 */
  timeoutMs?: number;
}

/**
 * One fault against the whole daemon. When it is over the agent must come right by itself, and then three ledgers are
 * compared that know nothing of each other: what was written to the Mac, what the backend got, what osascript did.
 */
export function faultTest(title: string, o: FaultCase): void {
  it(title, { timeout: o.timeoutMs ?? 60_000 }, async () => {
    const run = await FaultRun.create(tempDir(), o);
    onTestFinished(() => run.close());
    await o.setup?.(run);
    const { startsAgent = true, hasSocket = true } = o;
    if (startsAgent) {
      await run.rig.startAgent({ withSocket: hasSocket });
      await run.both();
      await run.quiet(RECOVERY_MS);
    }
    const before = startsAgent ? run.figures : undefined;

    await o.fault(run);

    const { pid } = run.rig.agent;
    await run.quiet(RECOVERY_MS);
    await isHealthy(run, RECOVERY_MS);
    messagesArrivedOnce(run);
    bubblesWentOutOnce(run);
    await outcomesAreTrue(run);
    await o.expect?.(run);
    await takesNoMoreThanBefore(run, before);
    const status = JSON.stringify(await run.rig.agent.status());
    await stopsInOrder(run, pid);
    keepsSecrets(run, status);
  });
}
