import { describe, expect, it } from 'vitest';
import { EXIT_0 } from './FakeMac.ts';
import { ANNA, BEN, SETTLE_MS, type SenderRig, senderRig } from './senderRig.ts';

const YEAR_MS = 365 * 86_400_000;

describe('a receipt behind thousands of rows of ours', () => {
  /** Before the row of the first bubble 5000 others of another thread are written, dated `agoMs` ago. */
  function crowded(agoMs: number): SenderRig {
    const rig = senderRig();
    rig.mac.onRun = (call) => {
      const dateAt = rig.clock.now() - agoMs;
      if (rig.mac.calls.length === 1)
        for (let n = 0; n < 5000; n++) rig.mac.write({ target: BEN, text: '' }, { dateAt });
      rig.mac.write(call);
      return EXIT_0;
    };
    return rig;
  }

  it('is found at once where they are old ones that iCloud brings', async () => {
    const rig = crowded(YEAR_MS);
    const send = rig.command('c-1', ANNA, 'hello');
    await rig.wake();
    expect(rig.state(send)).toBe('confirmed');
    expect(rig.mac.rowsRead).toBeLessThan(100);
  });

  it('is not taken for missing where they are new: nothing is sent again, and the outcome corrected', async () => {
    const rig = crowded(0);
    const send = rig.command('c-1', ANNA, 'hello');
    await rig.wake();
    await rig.clock.advance(SETTLE_MS);
    expect(rig.row(send)).toMatchObject({ state: 'unknown', attempts: 1 });
    await rig.clock.advance(10_000);
    expect(rig.state(send)).toBe('confirmed');
    expect(rig.texts()).toEqual(['hello']);
    expect(rig.acks().map(({ status }) => status)).toEqual(['failed', 'completed']);
  });

  it('is not taken for missing after a crash either, when a second attempt was already decided', async () => {
    const rig = crowded(0);
    rig.mac.onRun = () => EXIT_0;
    const send = rig.command('c-1', ANNA, 'hello');
    await rig.wake();
    rig.sender.hold();
    await rig.clock.advance(SETTLE_MS);
    expect(rig.row(send)).toMatchObject({ state: 'queued', attempts: 1 });
    for (let n = 0; n < 5000; n++) rig.mac.write({ target: BEN, text: '' });
    rig.crash();
    await rig.clock.advance(1000);
    expect(rig.state(send)).toBe('unknown');
    expect(rig.texts()).toEqual(['hello']);
  });
});

describe('a clock that is set back while a bubble is on its way', () => {
  const MINUTE = 60_000;
  const setBack = (minutes: number): SenderRig => {
    const rig = senderRig();
    rig.mac.onRun = (call) => {
      if (rig.mac.calls.length === 1) rig.clock.jumpWall(-minutes * MINUTE);
      rig.mac.write(call);
      return EXIT_0;
    };
    return rig;
  };

  it.each([5, 31, 24 * 60])('by %i minutes does not hide its receipt', async (minutes) => {
    const rig = setBack(minutes);
    const send = rig.command('c-1', ANNA, 'hello');
    await rig.wake();
    expect(rig.state(send)).toBe('confirmed');
    await rig.clock.advance(3 * SETTLE_MS);
    expect(rig.texts()).toEqual(['hello']);
  });

  it('does not hide it from an agent that is started twenty minutes after it was written', async () => {
    const rig = setBack(24 * 60);
    const write = rig.mac.onRun;
    rig.mac.onRun = (call) => {
      void write(call);
      rig.clock.halt();
      return new Promise<never>(() => {});
    };
    const send = rig.command('c-1', ANNA, 'hello');
    await rig.wake();
    expect(rig.state(send)).toBe('sending');
    rig.clock.jumpWall(20 * MINUTE);
    rig.crash();
    expect(rig.state(send)).toBe('confirmed');
    expect(rig.texts()).toEqual(['hello']);
  });

  it('does not make a receipt of the same words in a row of before that iCloud brings', async () => {
    const rig = setBack(31);
    const setBackThen = rig.mac.onRun;
    rig.mac.onRun = async (call) => {
      await setBackThen(call);
      rig.mac.amend(101, { dateAt: rig.clock.now() - 82 * MINUTE });
      return EXIT_0;
    };
    const send = rig.command('c-1', ANNA, 'hello');
    await rig.wake();
    expect(rig.state(send)).toBe('accepted');
  });
});
