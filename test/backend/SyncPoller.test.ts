import { describe, expect, it, onTestFinished } from 'vitest';
import { BackendError, type BackendErrorDetails } from '../../src/backend/BackendError.ts';
import { SyncPoller, type SyncPollerOptions } from '../../src/backend/SyncPoller.ts';
import type { SyncRequest, SyncResponse } from '../../src/protocol/wire.ts';
import { EdgeError } from '../../src/util/EdgeError.ts';
import type { ErrorCode } from '../../src/util/errors.ts';
import { FakeClock, settle } from '../support/FakeClock.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';

const EMPTY: SyncResponse = { commands: [], ack_events: [], config_updates: undefined, flaws: [] };
const REQUEST = { edge_agent_id: 'edge_15550100001' } as SyncRequest;

function poller(overrides: Partial<SyncPollerOptions> = {}) {
  const clock = new FakeClock();
  const { telemetry, calls } = recordingTelemetry();
  const syncs: number[] = [];
  const delivered: SyncResponse[] = [];
  const state = {
    events: false,
    answer: (_signal: AbortSignal): Promise<SyncResponse> => Promise.resolve(EMPTY),
  };
  const instance = new SyncPoller({
    clock,
    random: () => 0,
    telemetry,
    intervalSeconds: 30,
    sync: (_request, signal) => {
      syncs.push(clock.monotonic());
      return state.answer(signal);
    },
    collect: () => REQUEST,
    deliver: (response) => {
      delivered.push(response);
    },
    hasEvents: () => state.events,
    ...overrides,
  });
  onTestFinished(() => instance.stop());
  const argsOf = (event: string) => calls.filter((call) => call.event === event).map(({ args }) => args);
  return { poller: instance, clock, syncs, delivered, state, argsOf };
}

const failing = (code: ErrorCode, details: BackendErrorDetails = {}) => {
  return () => Promise.reject(new BackendError(code, 'refused', details));
};

describe('while the socket is down', () => {
  it('polls at once and then every interval, and says so once', async () => {
    const { poller: p, clock, syncs, argsOf } = poller();
    p.start();
    p.start();
    await clock.advance(90_000);
    expect(syncs).toEqual([0, 30_000, 60_000, 90_000]);
    expect(argsOf('deliveryByPolling')).toEqual([[{ everySeconds: 30, wasUp: false }]]);
  });

  it('counts the interval from the end of a poll', async () => {
    const { poller: p, clock, syncs, state } = poller();
    state.answer = () => new Promise((resolve) => clock.after(40_000, () => resolve(EMPTY)));
    p.start();
    await clock.advance(120_000);
    expect(syncs).toEqual([0, 70_000]);
  });

  it('reports what came and what was acknowledged, after it was taken in', async () => {
    const { poller: p, clock, state, delivered, argsOf } = poller();
    const answer = { ...EMPTY, commands: [1, 2], ack_events: ['e1'] };
    state.answer = () => new Promise((resolve) => clock.after(120, () => resolve(answer)));
    p.start();
    await clock.advance(200);
    expect(delivered).toEqual([answer]);
    expect(argsOf('synced')).toEqual([[{ commands: 2, events: 1, ms: 120 }]]);
  });

  it('leaves events to the next poll', async () => {
    const { poller: p, clock, syncs, state } = poller();
    p.start();
    await clock.advance(1000);
    state.events = true;
    p.syncSoon();
    await clock.advance(28_000);
    expect(syncs).toEqual([0]);
  });

  it('takes the interval of a config_update, within 1 and 3600 s', async () => {
    const { poller: p, clock, syncs } = poller();
    p.start();
    await clock.advance(2000);
    p.setIntervalSeconds(5);
    await clock.advance(8000);
    expect(syncs).toEqual([0, 5000, 10_000]);
    p.setIntervalSeconds(0.001);
    await clock.advance(2000);
    expect(syncs.slice(3)).toEqual([11_000, 12_000]);
    p.setIntervalSeconds(1e9);
    await clock.advance(3_600_000);
    expect(syncs.slice(5)).toEqual([3_612_000]);
  });

  it('makes a sync that was asked for in the moment in which the interval is set', async () => {
    const { poller: p, clock, syncs } = poller();
    p.start();
    await clock.advance(10_000);
    p.syncNow();
    p.setIntervalSeconds(3600);
    await clock.advance(60_000);
    expect(syncs).toEqual([0, 10_000]);
  });

  it('brings the rest of the events 5 s later whatever interval is set meanwhile, and sooner if that is shorter', async () => {
    const { poller: p, clock, syncs, state } = poller();
    state.answer = async () => ({ ...EMPTY, ack_events: ['e1'] });
    state.events = true;
    p.start();
    await clock.advance(1000);
    p.setIntervalSeconds(3600);
    await clock.advance(5000);
    p.setIntervalSeconds(2);
    await clock.advance(1000);
    expect(syncs).toEqual([0, 5000, 7000]);
  });
});

describe('while the socket is up', () => {
  it('syncs once and stops polling, but for one sync every 5 minutes', async () => {
    const { poller: p, clock, syncs, argsOf } = poller();
    p.start();
    await clock.advance(10_000);
    p.socketUp();
    await clock.advance(610_000);
    expect(syncs).toEqual([0, 10_000, 310_000, 610_000]);
    p.socketDown();
    p.socketDown();
    await clock.advance(30_000);
    expect(syncs.slice(4)).toEqual([620_000, 650_000]);
    expect(argsOf('deliveryByPolling').slice(1)).toEqual([[{ everySeconds: 30, wasUp: true }]]);
  });

  it('syncs after the one under way when the socket comes up meanwhile', async () => {
    const { poller: p, clock, syncs, state } = poller();
    state.answer = () => new Promise((resolve) => clock.after(500, () => resolve(EMPTY)));
    p.start();
    await clock.advance(100);
    p.socketUp();
    await clock.advance(300);
    expect(syncs).toEqual([0]);
    await clock.advance(60_000);
    expect(syncs).toEqual([0, 500]);
  });

  it('counts the 5 minutes from the last sync, whatever that was for', async () => {
    const { poller: p, clock, syncs, state } = poller();
    p.start();
    p.socketUp();
    await clock.advance(200_000);
    state.events = true;
    state.answer = async () => {
      state.events = false;
      return { ...EMPTY, ack_events: ['e1'] };
    };
    p.syncSoon();
    await clock.advance(310_000);
    expect(syncs).toEqual([0, 200_200, 500_200]);
  });

  it('begins a sync that hangs anew when the socket goes or comes', async () => {
    const { poller: p, clock, syncs, state, argsOf } = poller();
    state.answer = (signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    p.start();
    p.socketUp();
    await clock.advance(3000);
    p.socketDown();
    await clock.advance(2000);
    p.socketUp();
    await clock.advance(10);
    expect(syncs).toEqual([0, 3000, 5000]);
    expect([argsOf('syncFailed'), argsOf('failure')]).toEqual([[], []]);
  });

  it('makes one sync at once when asked to, with or without events, and gives up one that hangs', async () => {
    const { poller: p, clock, syncs, state } = poller();
    p.start();
    p.socketUp();
    await clock.advance(10_000);
    state.answer = (signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    p.syncNow();
    await clock.advance(2000);
    state.answer = async () => EMPTY;
    p.syncNow();
    await clock.advance(60_000);
    expect(syncs).toEqual([0, 10_000, 12_000]);
  });

  it('says that it has caught up after the sync that the return of the socket asked for, not after one before', async () => {
    const caughtUp: number[] = [];
    const { poller: p, clock, state } = poller({ onCaughtUp: () => caughtUp.push(clock.monotonic()) });
    state.answer = () => new Promise((resolve) => clock.after(500, () => resolve(EMPTY)));
    p.start();
    await clock.advance(100);
    p.socketUp();
    await clock.advance(2000);
    expect(caughtUp).toEqual([1000]);
  });

  it.each([
    ['fails', 'EDGE_BACKEND_UNREACHABLE', 10, [0, 10]],
    ['is held back', 'EDGE_BACKEND_NOT_FOUND', 10, [0, 10]],
  ] as const)('has nothing to catch up with when the sync %s', async (_how, code, upAt, told) => {
    const caughtUp: number[] = [];
    const { poller: p, clock, state } = poller({ onCaughtUp: () => caughtUp.push(clock.monotonic()) });
    state.answer = failing(code);
    p.start();
    await clock.advance(upAt);
    p.socketUp();
    await clock.advance(10);
    expect(caughtUp).toEqual(told);
  });

  it('reads large answers while it may, the first at once', async () => {
    const limits: number[] = [];
    const { poller: p, clock } = poller({
      sync: async (_request, _signal, maxBodyBytes) => {
        limits.push(maxBodyBytes);
        return EMPTY;
      },
    });
    p.start();
    p.socketUp();
    await clock.advance(1000);
    p.allowLargeAnswers(true);
    p.allowLargeAnswers(true);
    await clock.advance(1000);
    p.allowLargeAnswers(false);
    p.syncNow();
    await clock.advance(1000);
    expect(limits).toEqual([1024 * 1024, 8 * 1024 * 1024, 1024 * 1024]);
  });

  it('reads a large answer after two that could not be used, until one could', async () => {
    const limits: number[] = [];
    const { poller: p, clock } = poller({
      sync: async (_request, _signal, maxBodyBytes) => {
        limits.push(maxBodyBytes);
        if (limits.length < 4) throw new BackendError('EDGE_BACKEND_ANSWER', 'it is larger than 1048576 bytes');
        return EMPTY;
      },
    });
    p.start();
    await clock.advance(60_000);
    expect(limits.slice(0, 5).map((bytes) => bytes / 1024 / 1024)).toEqual([1, 1, 8, 8, 1]);
  });

  it('sends waiting events after 200 ms, and at most every 5 s', async () => {
    const { poller: p, clock, syncs, state } = poller();
    p.start();
    p.socketUp();
    await clock.advance(60_000);
    state.events = true;
    state.answer = async () => {
      state.events = false;
      return { ...EMPTY, ack_events: ['e1'] };
    };
    p.syncSoon();
    p.syncSoon();
    await clock.advance(1000);
    state.events = true;
    p.syncSoon();
    await clock.advance(20_000);
    expect(syncs.slice(1)).toEqual([60_200, 65_200]);
  });

  it('makes no sync for events that are not there', async () => {
    const { poller: p, clock, syncs } = poller();
    p.start();
    p.socketUp();
    await clock.advance(60_000);
    p.syncSoon();
    await clock.advance(60_000);
    expect(syncs).toHaveLength(1);
  });

  it('gives the rest to a backend that takes some events, every 5 s, and does not press one that takes none', async () => {
    const { poller: p, clock, syncs, state } = poller();
    state.events = true;
    state.answer = async () => ({ ...EMPTY, ack_events: syncs.length < 3 ? ['e'] : [] });
    p.start();
    p.socketUp();
    await clock.advance(70_000);
    expect(syncs).toEqual([0, 5000, 10_000, 40_000, 70_000]);
  });

  it('repeats a sync that failed until one succeeds', async () => {
    const { poller: p, clock, syncs, state } = poller();
    p.start();
    await clock.advance(100);
    state.answer = failing('EDGE_BACKEND_UNREACHABLE');
    p.socketUp();
    await clock.advance(4000);
    state.answer = async () => EMPTY;
    await clock.advance(60_000);
    expect(syncs).toEqual([0, 100, 1100, 3100, 7100]);
  });
});

describe('a sync that fails', () => {
  it('is repeated by back-off from 1 to 60 s, and each failure is told', async () => {
    const { poller: p, clock, syncs, state, argsOf } = poller();
    state.answer = failing('EDGE_BACKEND_UNREACHABLE');
    p.start();
    await clock.advance(200_000);
    const gaps = syncs.slice(1).map((at, index) => at - syncs[index]!);
    expect(gaps).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
    expect(argsOf('syncFailed')).toHaveLength(syncs.length);
    expect(argsOf('syncFailed')[0]).toEqual(['EDGE_BACKEND_UNREACHABLE', 'refused']);
  });

  it('goes back to the interval after a success', async () => {
    const { poller: p, clock, syncs, state } = poller();
    state.answer = failing('EDGE_BACKEND_BUSY');
    p.start();
    await clock.advance(2000);
    state.answer = async () => EMPTY;
    await clock.advance(31_000);
    expect(syncs).toEqual([0, 1000, 3000, 33_000]);
  });

  it('waits as long as Retry-After says, even when the socket comes up', async () => {
    const { poller: p, clock, syncs, state } = poller();
    state.answer = failing('EDGE_BACKEND_BUSY', { status: 503, retryAfterMs: 20_000 });
    p.start();
    await clock.advance(5000);
    p.socketUp();
    await clock.advance(14_999);
    expect(syncs).toEqual([0]);
    await clock.advance(1);
    expect(syncs).toEqual([0, 20_000]);
  });

  it('with 404 is repeated every 5 minutes, with one warning until it has succeeded', async () => {
    const { poller: p, clock, syncs, state, argsOf } = poller();
    state.answer = failing('EDGE_BACKEND_NOT_FOUND', { status: 404 });
    p.start();
    await clock.advance(10_000);
    p.socketUp();
    p.socketDown();
    await clock.advance(590_000);
    expect(syncs).toEqual([0, 300_000, 600_000]);
    expect(argsOf('syncFailed')).toHaveLength(1);
    state.answer = async () => EMPTY;
    await clock.advance(300_000);
    state.answer = failing('EDGE_BACKEND_NOT_FOUND');
    await clock.advance(30_000);
    expect(argsOf('syncFailed')).toHaveLength(2);
  });

  it.each(['EDGE_BACKEND_AUTH', 'EDGE_SECRET_MISSING', 'EDGE_TLS_PIN'] as const)(
    'with %s is repeated once a minute',
    async (code) => {
      const { poller: p, clock, syncs, state, argsOf } = poller();
      state.answer = failing(code);
      p.start();
      await clock.advance(120_000);
      expect(syncs).toEqual([0, 60_000, 120_000]);
      expect(argsOf('syncFailed')).toHaveLength(3);
    },
  );

  it.each([
    [new EdgeError('EDGE_STATE_FULL', 'no room'), 'EDGE_STATE_FULL'],
    [new Error('defect'), 'EDGE_INTERNAL'],
  ])('because the answer could not be taken in (%s) is repeated, and told', async (error, code) => {
    let fails = true;
    const {
      poller: p,
      clock,
      syncs,
      argsOf,
    } = poller({
      deliver: () => {
        if (fails) throw error;
      },
    });
    p.start();
    await clock.advance(500);
    fails = false;
    await clock.advance(500);
    expect(syncs).toEqual([0, 1000]);
    expect(argsOf('failure')).toEqual([[code, `a sync was not taken in: ${error.message}`]]);
    expect(argsOf('synced')).toHaveLength(1);
  });

  it('because nothing could be collected does not end the polling', async () => {
    let fails = true;
    const {
      poller: p,
      clock,
      syncs,
    } = poller({
      collect: () => {
        if (fails) throw new Error('busy');
        return REQUEST;
      },
    });
    p.start();
    await clock.advance(500);
    fails = false;
    await clock.advance(500);
    expect(syncs).toEqual([1000]);
  });
});

describe('stop()', () => {
  it('breaks off the sync under way and delivers nothing', async () => {
    const { poller: p, clock, state, delivered, argsOf } = poller();
    state.answer = (signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    p.start();
    await clock.advance(100);
    await p.stop();
    expect([delivered, argsOf('syncFailed'), argsOf('failure'), clock.pending]).toEqual([[], [], [], 0]);
  });

  it('ends the polling, and whatever is asked later changes nothing', async () => {
    const { poller: p, clock, syncs } = poller();
    p.start();
    await clock.advance(100);
    await p.stop();
    p.socketUp();
    p.syncSoon();
    p.socketDown();
    p.setIntervalSeconds(1);
    await clock.advance(60_000);
    expect(syncs).toEqual([0]);
    expect(clock.pending).toBe(0);
  });
});

describe('a secret that is another', () => {
  it('is used at once, also when it was found out by the sync that is just refused', async () => {
    const { poller: p, clock, syncs, state } = poller();
    state.answer = async () => {
      state.answer = () => Promise.resolve(EMPTY);
      await settle();
      p.retryNow(); // as the client does, which reads the secret again before it hands the refusal on
      throw new BackendError('EDGE_BACKEND_AUTH', 'refused');
    };
    p.start();
    await clock.advance(1000);
    expect(syncs).toHaveLength(2);
  });
});
