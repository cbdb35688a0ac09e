import { describe, expect, it } from 'vitest';
import { pass, skip, warn } from '../../../src/ops/doctor/Check.ts';
import { examine, worstOf } from '../../../src/ops/doctor/examine.ts';
import { EdgeError } from '../../../src/util/EdgeError.ts';
import { FakeClock } from '../../support/FakeClock.ts';

describe('the checks, side by side', () => {
  it('make a finding of one that throws, and run the others', async () => {
    const found = await examine(
      [
        { name: 'a', run: () => Promise.reject(new Error('oops')) },
        {
          name: 'b',
          run: () => {
            throw new EdgeError('EDGE_SQLITE_MISSING', 'no binary');
          },
        },
        { name: 'c', run: () => pass('fine') },
      ],
      new FakeClock(),
    );
    expect(found).toMatchObject([
      { name: 'a', status: 'fail', text: 'EDGE_INTERNAL: oops' },
      { name: 'b', status: 'fail', text: 'EDGE_SQLITE_MISSING: no binary', fix: expect.stringContaining('npm ci') },
      { name: 'c', status: 'pass', fix: undefined },
    ]);
  });

  it('wait two seconds for one that does not end, and no longer', async () => {
    const clock = new FakeClock();
    const found = examine(
      [
        { name: 'slow', run: () => new Promise<never>(() => {}) },
        { name: 'b', run: () => pass('fine') },
      ],
      clock,
    );
    await clock.advance(2_000);
    expect(await found).toMatchObject([
      {
        status: 'warn',
        text: 'not found out within 2 s',
        fix: expect.stringContaining('doctor --only slow'),
        ms: 2_000,
        unknown: true,
      },
      { status: 'pass', ms: 0 },
    ]);
  });

  it('are as bad as the worst of them, and what was skipped counts for nothing', () => {
    expect(worstOf([skip('a')])).toBe('pass');
    expect(worstOf([pass('a'), skip('a'), warn('b', 'c')])).toBe('warn');
  });
});
