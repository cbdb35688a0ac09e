import { expect, it, onTestFinished } from 'vitest';
import { tempDir } from '../../support/tempDir.ts';
import { FaultRun, type FaultRunOptions } from './FaultRun.ts';
import {
  isHealthy,
  keepsSecrets,
  saysNothingUncaught,
  stopsInOrder,
  takesNoMoreThanBefore,
  watchWhatItShows,
  whatItShows,
} from './invariants.ts';
import { judge, type Verdict } from './judge.ts';
import { missing, type Need } from './needs.ts';
import { type CaseReport, report } from './report.ts';
import { settings } from './settings.ts';

/** How long everything may take to come right once the fault is over, ms of the real clock. */
const RECOVERY_MS = 15_000;
const MAX_RSS_MEGABYTES = 150;
/** What stripping the types takes on top, where the agent is not the compiled one that an installation runs. */
const TYPESCRIPT_MEGABYTES = 30;

export interface FaultCase extends FaultRunOptions {
  /** What the case cannot be brought about without; where it is not to be had, the case is skipped and says so. */
  needs?: readonly Need[];
  /** Before the agent starts. */
  setup?(run: FaultRun): void | Promise<void>;
  /**
   * Brings the fault about, shows how the agent bears it, and lifts it. Nobody starts an agent again that ended or was
   * killed but this function: `run.restart()`, as launchd would.
   */
  fault(run: FaultRun): Promise<void>;
  /** What must hold besides, once all is quiet and before the agent is stopped. */
  expect?(run: FaultRun): void | Promise<void>;
  /** The agent is not to live through it: the exit code that it left with. Nobody waits for it to come right then. */
  ends?: number;
  /** Whether the commands of a thread go out in the order in which they were asked for. @default false: an answer with commands that got lost is given again after later ones */
  commandsInOrder?: boolean;
  /** Whether state.db is lost or an older one put in its place: events are then told anew. @default false */
  losesState?: boolean;
  /** Codes of conditions that the fault leaves behind, as long as nobody decides. @default none */
  conditions?: readonly string[];
  /** What the agent may say on stderr. @default nothing */
  stderr?: RegExp;
  /** The fault is a defect that nobody catches, and the log is to say so. @default false */
  isDefect?: boolean;
  /** How long it may take to come right, ms. @default 15000 */
  recoveryMs?: number;
  /** The most that a process of the agent may take, ever; 30 more where it is not compiled. @default 150 */
  maxRssMegabytes?: number;
  /** How long the case may take, ms. @default 120000 */
  timeoutMs?: number;
  /** Where it is not that of the whole run. */
  seed?: number;
}

/**
 * One fault against the whole daemon. When it is over the agent must come right by itself, and then three ledgers are
 * compared that know nothing of each other: what was written to the Mac, what the backend got, what osascript did.
 *
 * @param title `C5 …`: the case, which has its line in scripts/faults/cases.ts, and a sentence of behaviour.
 */
export function faultTest(title: string, o: FaultCase): void {
  it(title, { timeout: (o.timeoutMs ?? 120_000) * settings.patience }, async ({ skip }) => {
    const startedAt = performance.now();
    const told = { case: title.split(' ')[0]!, title, seed: o.seed ?? settings.seed };
    const reason = missing(o.needs ?? []);
    if (reason !== undefined) {
      const nothing = { runs: 0, recoveriesMs: [], tookMs: 0 };
      report({ ...told, verdict: 'skipped', reason, ...nothing });
      skip(reason);
    }
    const run = await FaultRun.create(tempDir(), o);
    onTestFinished(() => run.close());
    let failure: unknown;
    try {
      await bear(run, o);
    } catch (error) {
      failure = error;
    }
    report({ ...told, ...figuresOf(run, o), tookMs: Math.round(performance.now() - startedAt), ...verdictOf(failure) });
    if (failure) throw withLog(failure, run);
  });
}

/** Why one fault was not borne; undefined: it was. For who tries many, within a test of their own. */
export async function failureOf(o: FaultCase): Promise<unknown> {
  const run = await FaultRun.create(tempDir(), o);
  try {
    await bear(run, o);
    return undefined;
  } catch (error) {
    return error;
  } finally {
    await run.close();
  }
}

/** The case itself, which rejects where anything is wrong. */
export async function bear(run: FaultRun, o: FaultCase): Promise<void> {
  const { startsAgent = true, hasSocket = true, recoveryMs = RECOVERY_MS } = o;
  await o.setup?.(run);
  if (startsAgent) {
    await run.rig.startAgent({ withSocket: hasSocket });
    await run.both();
    await run.quiet(RECOVERY_MS);
  }
  const before = startsAgent ? run.figures : undefined;
  run.recoveriesMs.length = 0; // a restart before the fault heals nothing

  const endsLooking = watchWhatItShows(run);
  await o.fault(run).finally(endsLooking);

  const liftedAt = run.liftedAt ?? performance.now();
  if (o.ends !== undefined) {
    expect(run.rig.agent.isRunning).toBe(false);
    expect(run.rig.agent.exitCode).toBe(o.ends);
    await o.expect?.(run);
    saysNothingUncaught(run, o.stderr ?? /^$/, o.isDefect ?? false);
    keepsSecrets(run, '');
    return;
  }
  const { pid } = run.rig.agent;
  const judged = () => verdictOn(run, o);
  const withVerdict = (error: Error) => {
    throw new Error(`${error.message}: ${JSON.stringify(judged())}`);
  };
  await run.done(recoveryMs).catch(withVerdict);
  await isHealthy(run, recoveryMs, o.conditions ?? []);
  run.healed(performance.now() - liftedAt);
  await run.quiet(recoveryMs).catch(withVerdict);
  expect(judged()).toEqual(NOTHING_WRONG);
  await o.expect?.(run);
  const uncompiled = settings.isCompiled ? 0 : TYPESCRIPT_MEGABYTES;
  await takesNoMoreThanBefore(run, before, (o.maxRssMegabytes ?? MAX_RSS_MEGABYTES) + uncompiled);
  const shown = await whatItShows(run);
  await stopsInOrder(run, pid);
  expect(judged()).toEqual(NOTHING_WRONG); // its last words included, and what it did after the first look
  saysNothingUncaught(run, o.stderr ?? /^$/, o.isDefect ?? false);
  keepsSecrets(run, shown);
}

const NOTHING_WRONG: Verdict = { lost: [], doubled: [], outOfOrder: [], madeUp: [], untrue: [] };

function verdictOn({ evidence }: FaultRun, { commandsInOrder = false, losesState = false }: FaultCase): Verdict {
  return judge({ ...evidence, commandsInOrder, losesState });
}

function figuresOf(run: FaultRun, o: FaultCase) {
  const { lost, doubled, outOfOrder } = verdictOn(run, o);
  const { inside, peakRssMegabytes } = run;
  return {
    runs: run.runs,
    // What waits when the agent is not to live through it is not lost.
    ...(o.ends === undefined && { lost: lost.length }),
    doubled: doubled.length,
    outOfOrder: outOfOrder.length,
    recoveriesMs: run.recoveriesMs.map(Math.round),
    ...(run.note !== undefined && { note: run.note }),
    ...(run.samples.length > 0 && { samples: run.samples }),
    ...(inside && { gapP99Ms: inside.gapP99Ms, gapMaxMs: inside.gapMaxMs }),
    ...(peakRssMegabytes !== undefined && { peakRssMegabytes }),
  };
}

function verdictOf(failure: unknown): Pick<CaseReport, 'verdict' | 'reason'> {
  if (!failure) return { verdict: 'passed' };
  return { verdict: 'failed', reason: failure instanceof Error ? failure.message : String(failure) };
}

/** What nobody can do without who has to find out why a case failed. */
function withLog(failure: unknown, { rig }: FaultRun): unknown {
  if (failure instanceof Error) failure.message += `\n${rig.agent.stderr}\n${rig.agent.log.slice(-8000)}`;
  return failure;
}
