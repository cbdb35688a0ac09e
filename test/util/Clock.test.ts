import { expect, it, onTestFinished } from 'vitest';
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

it('calls whose time is past as soon as it can, and has Node warn of nothing', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error) => warnings.push(warning);
  process.on('warning', note);
  onTestFinished(() => void process.off('warning', note));
  for (const ms of [-3, -0.2, Number.NEGATIVE_INFINITY]) await new Promise<void>((done) => systemClock.after(ms, done));
  expect(warnings).toEqual([]);
});
