import { describe, expect, it } from 'vitest';
import { websocketStatus } from '../../src/ops/websocketStatus.ts';

const T = Date.UTC(2026, 0, 1);

describe('the socket in the status', () => {
  it('has its age, its round trip, and nulls for what is not known', () => {
    const live = {
      isUp: true,
      since: T - 60_000,
      state: 'live',
      roundTripMs: 12.345,
      lastFrameAgeMs: 3210,
      nextDialInMs: undefined,
      failures: 0,
      lastProblem: undefined,
    } as const;
    expect(websocketStatus(live, T)).toEqual({
      up: true,
      state: 'live',
      since: '2025-12-31T23:59:00.000Z',
      round_trip_ms: 12.3,
      last_frame_seconds_ago: 3.2,
      next_dial_at: null,
      failures: 0,
      last_problem: null,
    });
  });

  it('says when it is dialed again and why it was lost, without handles', () => {
    const waiting = {
      isUp: false,
      since: undefined,
      state: 'waiting',
      roundTripMs: undefined,
      lastFrameAgeMs: undefined,
      nextDialInMs: 4000,
      failures: 3,
      lastProblem: { code: '1008', text: 'closed with 1008: +15550100002 is busy' },
    } as const;
    expect(websocketStatus(waiting, T)).toEqual({
      up: false,
      state: 'waiting',
      since: null,
      round_trip_ms: null,
      last_frame_seconds_ago: null,
      next_dial_at: '2026-01-01T00:00:04.000Z',
      failures: 3,
      last_problem: { code: '1008', text: 'closed with 1008: …0002 is busy' },
    });
  });
});
