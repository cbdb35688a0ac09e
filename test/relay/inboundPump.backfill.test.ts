import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HELD_FOR_MS, QUIET_MS } from '../../src/relay/BackfillHold.ts';
import { InboundPump, type InboundPumpOptions } from '../../src/relay/InboundPump.ts';
import { EdgeError } from '../../src/util/EdgeError.ts';
import { silentTelemetry } from '../../src/util/Telemetry.ts';
import { FakeClock, settle } from '../support/FakeClock.ts';
import { ANNA, BERT, FakeBackend, insertPending, openStore } from './fakes.ts';

function setUp(change: Partial<InboundPumpOptions> = {}) {
  const clock = new FakeClock();
  const { store } = openStore(clock);
  const backend = new FakeBackend();
  const options: InboundPumpOptions = {
    store,
    clock,
    random: () => 0,
    telemetry: silentTelemetry,
    post: backend.post,
    acceptCommand() {},
    onSends() {},
    onSettled() {},
    maxInFlightPerThread: 4,
    maxConcurrentRequests: 8,
    ...change,
  };
  const pump = new InboundPump(options);
  const live = (guid: string, threadId = ANNA) => {
    insertPending(store, guid, threadId, clock.now());
    pump.wake();
  };
  /** `at` orders them: insertPending dates a row with the time it is given. */
  const old = (guid: string, threadId = ANNA, at = 0) => {
    insertPending(store, guid, threadId, at, true);
    pump.wake(true);
  };
  pump.start();
  return { clock, store, backend, pump, live, old, options };
}

describe('backfill', () => {
  it('goes once none has come for five seconds, oldest message of its thread first', async () => {
    const { backend, old, clock } = setUp();
    old('c', ANNA, 3);
    old('z', BERT, 9);
    await clock.advance(4_000);
    old('a', ANNA, 1);
    await clock.advance(QUIET_MS - 1);
    expect(backend.started).toEqual([]);
    old('b', ANNA, 2);
    await clock.advance(QUIET_MS - 1);
    expect(backend.started).toEqual([]);
    for (let n = 0; n < 4; n++) {
      await clock.advance(1);
      for (const call of backend.open) call.answer();
    }
    await settle();
    expect(backend.started.filter((guid) => guid !== 'z')).toEqual(['a', 'b', 'c']);
    expect(backend.started).toContain('z');
  });

  it('goes a minute after the first of it though more keeps coming', async () => {
    const { backend, old, clock } = setUp();
    for (let n = 0; n < 30; n++) {
      old(`m${n}`, ANNA, 100 - n);
      await clock.advance(2_000);
      if (n < 29) expect(backend.started).toEqual([]);
    }
    expect(clock.monotonic()).toBe(HELD_FOR_MS);
    expect(backend.started[0]).toBe('m29');
  });

  it('that comes after all is handed over is held anew', async () => {
    const { backend, old, clock } = setUp();
    old('a');
    await clock.advance(QUIET_MS);
    backend.last('a').answer();
    await settle();
    old('b');
    await clock.advance(QUIET_MS - 1);
    expect(backend.started).toEqual(['a']);
    await clock.advance(1);
    expect(backend.started).toEqual(['a', 'b']);
  });

  it('left from before a restart is held as if it had just come', async () => {
    const { backend, old, clock, pump, options } = setUp();
    old('a');
    await pump.stop();
    const next = new InboundPump(options);
    next.start();
    await clock.advance(QUIET_MS - 1);
    expect(backend.started).toEqual([]);
    await clock.advance(1);
    expect(backend.started).toEqual(['a']);
    backend.last('a').answer();
    await next.stop();
    expect(clock.pending).toBe(0);
  });

  it('has a quarter of the requests, and live messages the rest', async () => {
    const { backend, old, live, clock } = setUp({ maxConcurrentRequests: 8 });
    for (let n = 0; n < 10; n++) old(`old${n}`, `thread ${n}`);
    await clock.advance(QUIET_MS);
    expect(backend.open).toHaveLength(2);
    for (let n = 0; n < 10; n++) live(`live${n}`, `thread ${n}`);
    await settle();
    expect(backend.started.slice(2)).toEqual(['live0', 'live1', 'live2', 'live3', 'live4', 'live5']);
    backend.last('old0').answer();
    await settle();
    expect(backend.started.at(-1)).toBe('live6');
  });

  it('has one request where there are fewer than four', async () => {
    const { backend, old, clock } = setUp({ maxConcurrentRequests: 2 });
    for (let n = 0; n < 3; n++) old(`old${n}`, `thread ${n}`);
    await clock.advance(QUIET_MS);
    expect(backend.open).toHaveLength(1);
  });

  it('does not hold up what is live in its thread, held or being retried', async () => {
    const { backend, old, live, clock } = setUp();
    old('old');
    live('m1');
    await settle();
    expect(backend.started).toEqual(['m1']);
    await clock.advance(QUIET_MS);
    backend.last('old').fail(Object.assign(new EdgeError('EDGE_BACKEND_BUSY', '503'), { retryAfterMs: 60_000 }));
    await settle();
    live('m2');
    await settle();
    expect(backend.started).toEqual(['m1', 'old', 'm2']);
  });

  it('does not start past one of its thread that is parked', async () => {
    const { backend, store, old, clock, pump } = setUp({ maxConcurrentRequests: 16 });
    const place = { epoch: 1, chatRowid: 1, threadId: ANNA, backfill: true, now: 0 };
    store.transaction(() => store.inbound.insert({ ...place, guid: 'first', body: undefined, messageAt: 1 }));
    old('second', ANNA, 2);
    old('other', BERT, 3);
    await clock.advance(QUIET_MS);
    expect(backend.started).toEqual(['other']);
    const body = { ...backend.last('other').request, message_guid: 'first' };
    store.transaction(() => store.inbound.complete('first', { threadId: ANNA, body, backfill: true }));
    pump.wake(true);
    await settle();
    expect(backend.started).toEqual(['other', 'first', 'second']);
  });

  it('brought back from the dead letters is handed over again', async () => {
    const { backend, store, old, clock, pump } = setUp();
    old('a');
    await clock.advance(QUIET_MS);
    backend.last('a').fail(new EdgeError('EDGE_BACKEND_REJECTED', '422'));
    await settle();
    store.inbound.revive('a');
    pump.wake();
    await clock.advance(QUIET_MS);
    expect(backend.started).toEqual(['a', 'a']);
  });
});

describe('any order of live rows, backfill, answers and restarts', () => {
  it('hands each over once, backfill by date, and never more of it than its share', async () => {
    const step = fc.record({
      do: fc.constantFrom('live', 'old', 'old', 'answer', 'fail', 'wait', 'restart'),
      choice: fc.nat(1_000),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { backend, clock, live, old, store, pump: first, options } = setUp();
        let pump = first;
        let n = 0;
        for (const { do: what, choice } of steps) {
          const call = backend.open[choice % Math.max(1, backend.open.length)];
          if (what === 'live') live(`live${n++}`, `t${choice % 2}`);
          else if (what === 'old') old(`old${n++}`, `t${choice % 2}`, choice);
          else if (what === 'answer') call?.answer();
          else if (what === 'fail') call?.fail(new EdgeError('EDGE_BACKEND_BUSY', '503'));
          else if (what === 'wait') await clock.advance(choice * 20);
          else {
            const stopped = pump.stop();
            await clock.advance(10_000);
            await stopped;
            pump = new InboundPump(options);
            pump.start();
          }
          pump.wake(what === 'old');
          await settle();
          const oldOnes = backend.open.filter(({ request }) => request.message_guid.startsWith('old'));
          expect(oldOnes.length).toBeLessThanOrEqual(2);
        }
        for (let round = 0; round < 100 && store.inbound.counts().pending > 0; round++) {
          for (const call of backend.open) call.answer();
          await clock.advance(60_000);
        }
        expect(store.inbound.counts()).toMatchObject({ parked: 0, pending: 0, dead: 0 });
        expect(new Set(backend.started).size).toBe(n);
        await pump.stop();
      }),
      { numRuns: 40 },
    );
  });
});
