import { expect, it } from 'vitest';
import { systemClock } from '../../src/util/Clock.ts';

it('calls nobody before his time, which Node’s own timers do', async () => {
  const earlyMs = await Promise.all(
    Array.from({ length: 200 }, (_, n) => {
      const ms = 5 + n / 7;
      const due = systemClock.monotonic() + ms;
      const { promise, resolve } = Promise.withResolvers<number>();
      systemClock.after(ms, () => resolve(due - systemClock.monotonic()));
      return promise;
    }),
  );
  expect(earlyMs.filter((ms) => ms > 0)).toEqual([]);
});
