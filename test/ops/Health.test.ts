import { describe, expect, it } from 'vitest';
import { type Condition, Health } from '../../src/ops/Health.ts';
import { FakeClock } from '../support/FakeClock.ts';

describe('Health', () => {
  it('tells the beginning of a condition from its going on, and keeps its first time', async () => {
    const clock = new FakeClock(1000);
    const told: Condition[][] = [];
    const health = new Health({ clock, onChange: (standing) => told.push(standing) });
    expect(health.raise('EDGE_BACKEND_AUTH', '401')).toBe(true);
    await clock.advance(500);
    expect(health.raise('EDGE_BACKEND_AUTH', '401')).toBe(false);
    expect(health.raise('EDGE_BACKEND_AUTH', '403')).toBe(false);
    expect(health.raise('EDGE_CHATDB_MISSING', 'no file')).toBe(true);
    expect(health.standing()).toEqual([
      { code: 'EDGE_BACKEND_AUTH', detail: '403', since: 1000 },
      { code: 'EDGE_CHATDB_MISSING', detail: 'no file', since: 1500 },
    ]);
    expect(health.clear('EDGE_BACKEND_AUTH')).toBe(true);
    expect(health.clear('EDGE_BACKEND_AUTH')).toBe(false);
    expect(told.map((standing) => standing.length)).toEqual([1, 1, 2, 1]);
  });
});
