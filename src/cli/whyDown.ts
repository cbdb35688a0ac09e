import type { DownStatus } from '../ops/status.ts';
import { EdgeError } from '../util/EdgeError.ts';
import { launchdService } from './service/launchdService.ts';

/** launchctl answers in milliseconds; a status is not to wait for a launchd that hangs, ms. */
const LAUNCHCTL_MS = 2_000;

/** What launchd says of the agent of this user. */
export interface LaunchdView {
  /** Its property list is in its place. */
  readonly installed: boolean;
  readonly loaded: boolean;
  readonly pid: number | null;
  readonly state: string | null;
  readonly last_exit_code: number | null;
  readonly last_signal: string | null;
}

/**
 * Why no agent runs. `stopped`: by SIGTERM or SIGINT, as `launchctl bootout`, a logout and a shutdown send it; `failed`:
 * it ended by itself with a code; `killed`: neither of these, so a signal that cannot be caught, a power cut or a crash
 * of Node; `starting`: launchd runs its process, which does not answer yet; `unknown`: state.db cannot be read, which
 * knows; `state-gone`: it is not there any more.
 */
export type WhyDown =
  | 'never-ran'
  | 'unknown'
  | 'state-gone'
  | 'starting'
  | 'stopped'
  | 'failed'
  | 'crash-loop'
  | 'killed';

export interface Ended {
  readonly why: WhyDown;
  /** When it ended; of one that was killed when it was alive for the last time, to a minute. ISO 8601 */
  readonly at: string | null;
  /** Of what it ended by itself with. */
  readonly code: string | null;
  /** Null where there is no launchctl. */
  readonly launchd: LaunchdView | null;
  /** The Node that launchd would start it with, where that is gone: nothing else starts it then. */
  readonly missing_node: string | null;
}

export interface EndTraces {
  readonly status: Pick<DownStatus, 'started_at' | 'stopped_at' | 'conditions'> & { readonly stored: boolean };
  /** What CrashLoop and RunMark remember. */
  readonly failure: { readonly code: string; readonly at: number } | undefined;
  /** An agent has run here, and state.db is not there. */
  readonly stateGone: boolean;
  /** What the log and RunMark say of it, ms since 1970. */
  readonly lastAliveAt: number | undefined;
  readonly launchd: LaunchdView | null;
}

/** Reads the traces that an agent leaves when it ends. */
export function whyDown({ status, failure, stateGone, lastAliveAt, launchd }: EndTraces): Omit<Ended, 'missing_node'> {
  const { conditions, started_at, stopped_at } = status;
  if (failure && conditions.some(({ code }) => code === 'EDGE_CRASH_LOOP')) {
    return { why: 'crash-loop', at: iso(failure.at), code: failure.code, launchd };
  }
  const startedAt = started_at === null ? undefined : Date.parse(started_at);
  const stoppedAt = stopped_at === null ? undefined : Date.parse(stopped_at);
  // Written at each end with a code, and gone with each stop in order.
  if (failure && failure.at >= Math.max(startedAt ?? 0, stoppedAt ?? 0)) {
    return { why: 'failed', at: iso(failure.at), code: failure.code, launchd };
  }
  if (launchd?.state === 'running') return { why: 'starting', at: null, code: null, launchd };
  if (stateGone) return { why: 'state-gone', at: null, code: null, launchd };
  if (startedAt === undefined) return { why: status.stored ? 'never-ran' : 'unknown', at: null, code: null, launchd };
  if (stoppedAt !== undefined && stoppedAt >= startedAt) return { why: 'stopped', at: stopped_at, code: null, launchd };
  return { why: 'killed', at: iso(Math.max(startedAt, lastAliveAt ?? 0)), code: null, launchd };
}

/** Null where there is no launchctl, or it does not answer as one does. */
export async function askLaunchd(): Promise<LaunchdView | null> {
  try {
    const service = launchdService({ launchctlMs: LAUNCHCTL_MS });
    const { installed, loaded, pid, state, lastExitCode, lastSignal } = await service.state();
    return { installed, loaded, pid, state, last_exit_code: lastExitCode, last_signal: lastSignal };
  } catch (error) {
    if (!(error instanceof EdgeError)) throw error;
    return null;
  }
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
