import { describe, expect, it } from 'vitest';
import { WakeDetector } from '../../src/ops/WakeDetector.ts';
import { FakeClock } from '../support/FakeClock.ts';

describe('WakeDetector', () => {
  it('is silent while time passes, and tells of a sleep at the first tick after it', async () => {
    const clock = new FakeClock();
    const gaps: number[] = [];
    const detector = new WakeDetector({ clock, onWake: (gap) => gaps.push(gap) });
    detector.start();
    await clock.advance(60_000);
    expect(gaps).toEqual([]);
    clock.jumpWall(3_600_000); // timers stood still
    await clock.advance(5_000);
    expect(gaps).toEqual([3_605_000]);
    clock.jumpWall(-86_400_000);
    clock.jumpWall(9_000);
    await clock.advance(60_000);
    expect(gaps).toHaveLength(1);
    detector.stop();
    expect(clock.pending).toBe(0);
  });
});
