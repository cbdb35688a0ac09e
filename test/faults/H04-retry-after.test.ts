import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { faultTest } from './harness/faultTest.ts';
import { passes, says } from './harness/treatments.ts';

const RATE = 20;
const MINUTE_MS = 60_000;
/** How coarse the agent's clock is seen from here, ms of its own. */
const SLACK_MS = 40 * RATE;

faultTest('H4 obeys Retry-After in each of its forms through 500, 502, 503 and 504, and no longer than 15 min', {
  hasSocket: false,
  async fault(run) {
    const { rig, front, clock, ledger } = run;
    const known = ledger.accepted.size;
    await clock.run(RATE);
    const inSeconds = (seconds: number) => new Date(clock.now() + seconds * 1000).toUTCString();
    /** What is asked for, and the seconds to wait at least and at most. */
    const forms: [status: number, header: () => string | undefined, least: number, most: number][] = [
      [500, () => undefined, 1, 1.3],
      [502, () => 'soon', 1, 1.3],
      [503, () => '20', 20, 25],
      [503, () => '20', 20, 25],
      [503, () => '20', 20, 25],
      [504, () => inSeconds(31), 29, 39],
      [503, () => inSeconds(-3600), 1, 1.3],
      [503, () => '0', 1, 1.3],
      [503, () => '1000000000', 900, 1125],
      [503, () => inSeconds(365 * 86_400), 900, 1125],
    ];
    const times = new Map<string, number[]>();
    front.treat = ({ path, key, body }) => {
      if (path !== '/edge/message') return passes;
      const mine = times.get(key!) ?? [];
      times.set(key!, [...mine, clock.elapsedMs]);
      if (mine.length > 0) return passes;
      const [status, header] = forms[Number(/form (\d+)/.exec(body)![1])]!;
      const value = header();
      return says(status, '{}', value === undefined ? {} : { 'retry-after': value });
    };
    const guids = forms.map((_, n) => run.write(`+1555010${String(n + 2).padStart(4, '0')}`, { ending: `form ${n}` }));
    const taken = () => ledger.accepted.size - known;
    await waitFor('all but the longest', () => taken() === forms.length - 2);
    await run.passUntil('the longest', () => taken() === forms.length, { stepMs: MINUTE_MS, mostMs: 20 * MINUTE_MS });
    const told = guids.map((guid) =>
      Number(new RegExp(`${guid} from .* tried again in ([\\d.]+) s`).exec(rig.agent.log)![1]),
    );
    forms.forEach(([, , least, most], n) => {
      const [first, second] = times.get(guids[n]!)!;
      expect([n, told[n]! >= least && told[n]! <= most, told[n]]).toEqual([n, true, told[n]]);
      expect(second! - first!, `form ${n}`).toBeGreaterThanOrEqual(least * 1000 - SLACK_MS);
    });
    expect(new Set(told.slice(2, 5)).size, 'the same wait is spread').toBeGreaterThan(1);
    await clock.run(1);
    front.standAside();
  },
});
