import { dirname } from 'node:path';
import { InstanceLock } from '../ops/InstanceLock.ts';
import type { Clock } from '../util/Clock.ts';
import type { EdgeError } from '../util/EdgeError.ts';
import { marks, standBy } from './standBy.ts';

/** How often it looks whether the other agent has gone, ms: as often as launchd would start it to look. */
const LOOK_MS = 10_000;

/**
 * Waits until no agent holds the lock at `path` any more, or the configuration `file`, which may name another state
 * directory, has changed. It answers nobody meanwhile, and leaves the log alone: both are the other agent's. Word of it stands in the folder. Resolves
 * with 'stop' when the agent is told to end.
 */
export async function awaitLock({
  path,
  file,
  error,
  clock,
  stop,
}: {
  path: string;
  file: string;
  /** EDGE_ALREADY_RUNNING, as it was met. */
  error: EdgeError;
  clock: Clock;
  stop: Promise<string>;
}): Promise<'stop' | 'look'> {
  const before = marks([file]);
  const since = clock.now();
  for (;;) {
    const outcome = await standBy({
      error,
      files: [file],
      before,
      control: undefined,
      stateDir: dirname(path),
      since,
      clock,
      logger: undefined,
      retryMs: LOOK_MS,
      stop,
    });
    if (outcome === 'stop' || marks([file]) !== before || !InstanceLock.isHeld(path)) return outcome;
  }
}
