import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SlidingWindow } from '../../src/messaging/SlidingWindow.ts';

const WINDOW_MS = 1000;

it('lets no more begin within any window than the limit, and lets begin what it can', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.record({ afterMs: fc.integer({ min: 0, max: 600 }), key: fc.integer({ min: 0, max: 30 }) }), {
        maxLength: 60,
      }),
      (limit, asks) => {
        const window = new SlidingWindow<number>({ limit, windowMs: WINDOW_MS });
        const last = new Map<number, number>();
        let now = 0;
        for (const { afterMs, key } of asks) {
          now += afterMs;
          const within = [...last].filter(([, at]) => at > now - WINDOW_MS);
          const others = within.filter(([other]) => other !== key);
          const waitMs = window.waitMs(key, now);
          const mayBegin = others.length < limit;
          expect(waitMs === 0).toBe(mayBegin);
          if (!mayBegin) expect(waitMs).toBe(Math.min(...within.map(([, at]) => at)) + WINDOW_MS - now);
          if (waitMs > 0) continue;
          window.begin(key, now);
          last.set(key, now);
        }
      },
    ),
  );
});

it('keeps the newest of more than the limit allows', () => {
  const window = new SlidingWindow<string>({ limit: 2, windowMs: WINDOW_MS });
  for (const [key, at] of [
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ] as const)
    window.begin(key, at);
  expect(window.waitMs('d', 10)).toBe(992);
});

it('is no limit at 0', () => {
  const window = new SlidingWindow<string>({ limit: 0, windowMs: WINDOW_MS });
  for (let n = 0; n < 9; n++) window.begin(`${n}`, 0);
  expect(window.waitMs('x', 0)).toBe(0);
});
