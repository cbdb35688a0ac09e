import type { Clock, Timer } from '../util/Clock.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { type CrashLoop, STABLE_MS } from './CrashLoop.ts';

/** As a part of the agent: what slowed its start stands until it has been up for long enough. */
export function crashLoopPart(loop: CrashLoop, { clock, telemetry }: { clock: Clock; telemetry: Telemetry }) {
  let timer: Timer | undefined;
  return {
    start() {
      const { condition } = loop;
      if (condition) telemetry.conditionRaised(condition.code, condition.detail);
      timer = clock.after(STABLE_MS, () => {
        loop.forget();
        telemetry.conditionCleared('EDGE_CRASH_LOOP');
      });
    },
    stop() {
      timer?.cancel();
    },
  };
}
