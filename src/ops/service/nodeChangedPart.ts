import type { Clock } from '../../util/Clock.ts';
import { messageOf } from '../../util/EdgeError.ts';
import type { Telemetry } from '../../util/Telemetry.ts';
import { runProgram } from '../macos/programs.ts';
import { NodeRuntime } from './NodeRuntime.ts';
import { servicePaths } from './servicePaths.ts';

interface NodeChangedOptions {
  readonly home: string;
  /** The Node that runs the agent. */
  readonly execPath: string;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** As a part of the agent: looks once at its start whether the Node that runs it is the one permissions were given to. */
export function nodeChangedPart({ home, execPath, clock, telemetry }: NodeChangedOptions) {
  const runtime = new NodeRuntime({ dir: servicePaths(home).runtimeDir, run: runProgram, clock });
  const look = async () => {
    const detail = runtime.foreign(execPath) ?? (await runtime.changed());
    if (detail) telemetry.conditionRaised('EDGE_NODE_CHANGED', detail);
  };
  return {
    /** Not waited for: a file of 100 MB may have to be read. */
    start() {
      look().catch((error: unknown) => {
        telemetry.conditionRaised('EDGE_NODE_CHANGED', `${runtime.path} cannot be looked at: ${messageOf(error)}`);
      });
    },
    stop() {},
  };
}
