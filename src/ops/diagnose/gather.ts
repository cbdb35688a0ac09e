import type { Clock } from '../../util/Clock.ts';
import { messageOf } from '../../util/EdgeError.ts';
import type { Collected, Collector } from './Collector.ts';

/** How long one collector may take, ms: all run at once, and a person waits for the bundle. */
const LIMIT_MS = 10_000;

/** Runs all collectors side by side. One that throws, or is not done in time, costs the bundle its own file only. */
export function gather(collectors: readonly Collector[], clock: Clock, limitMs = LIMIT_MS): Promise<Collected[]> {
  return Promise.all(
    collectors.map(async ({ file, collect }): Promise<Collected> => {
      const startedAt = clock.monotonic();
      const ms = () => Math.round(clock.monotonic() - startedAt);
      const late = Promise.withResolvers<never>();
      const timer = clock.after(limitMs, () => late.reject(new Error(`not done after ${limitMs / 1000} s`)));
      try {
        // Not at once: those that wait for others are all under way before one computes.
        const content = await Promise.race([Promise.resolve().then(collect), late.promise]);
        return { file, ms: ms(), content };
      } catch (error) {
        return { file, ms: ms(), problem: messageOf(error) };
      } finally {
        timer.cancel();
      }
    }),
  );
}
