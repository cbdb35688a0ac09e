import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BackendError } from '../../src/backend/BackendError.ts';
import { REFUSED_RETRY_MS } from '../../src/relay/BackendGate.ts';
import { QUIET_MS } from '../../src/relay/BackfillHold.ts';
import { InboundPump, type InboundPumpOptions, STOP_AFTER_MS } from '../../src/relay/InboundPump.ts';
import { EdgeError, STORE_UNWILLING } from '../../src/util/EdgeError.ts';
import { FakeClock, settle } from '../support/FakeClock.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';
import { ANNA, BERT, FakeBackend, insertPending, openStore } from './fakes.ts';

function setUp(change: Partial<InboundPumpOptions> = {}) {
  const clock = new FakeClock();
  const { store, path } = openStore(clock);
  const backend = new FakeBackend();
  const { telemetry, calls } = recordingTelemetry();
  const sends: number[] = [];
  const commands: unknown[] = [];
  const options: InboundPumpOptions = {
    store,
    clock,
    random: () => 0,
    telemetry,
    post: backend.post,
    acceptCommand: (raw) => commands.push(raw),
    onSends: () => sends.push(store.sends.openOf(ANNA).length),
    onSettled: () => {},
    maxInFlightPerThread: 4,
    maxConcurrentRequests: 32,
    ...change,
  };
  const pump = new InboundPump(options);
  const add = (guid: string, threadId = ANNA, backfill = false) => {
    insertPending(store, guid, threadId, clock.now(), backfill);
    pump.wake();
  };
  const told = (event: string) => calls.filter((call) => call.event === event).map((call) => call.args);
  const state = (guid: string) => store.inbound.byGuid(guid)?.state;
  pump.start();
  return { clock, store, path, backend, pump, add, told, state, sends, commands, options };
}

const unreachable = () => new EdgeError('EDGE_BACKEND_UNREACHABLE', 'connect ECONNREFUSED');
const busy = (retryAfterMs?: number) => Object.assign(new EdgeError('EDGE_BACKEND_BUSY', '503'), { retryAfterMs });

describe('messages of one thread', () => {
  it('start in order, each once the one before is written out, up to the limit', async () => {
    const { backend, add } = setUp();
    backend.writesAtOnce = false;
    for (let n = 1; n <= 6; n++) add(`m${n}`);
    await settle();
    expect(backend.started).toEqual(['m1']);
    for (let n = 1; n <= 4; n++) {
      backend.last(`m${n}`).writtenOut();
      await settle();
    }
    expect(backend.started).toEqual(['m1', 'm2', 'm3', 'm4']);
    backend.last('m3').answer();
    await settle();
    expect(backend.started).toEqual(['m1', 'm2', 'm3', 'm4', 'm5']);
  });

  it('wait for each other altogether when one may be in flight', async () => {
    const { backend, add } = setUp({ maxInFlightPerThread: 1 });
    add('m1');
    add('m2');
    await settle();
    expect(backend.started).toEqual(['m1']);
    backend.last('m1').answer();
    await settle();
    expect(backend.started).toEqual(['m1', 'm2']);
  });

  it('do not start past one that is being retried', async () => {
    const { backend, add, clock } = setUp();
    add('m1');
    add('m2');
    await settle();
    backend.last('m1').fail(busy());
    await settle();
    add('m3');
    backend.last('m2').answer();
    await clock.advance(900);
    expect(backend.started).toEqual(['m1', 'm2']);
    await clock.advance(200);
    expect(backend.started).toEqual(['m1', 'm2', 'm1']);
    backend.last('m1').answer();
    await settle();
    expect(backend.started).toEqual(['m1', 'm2', 'm1', 'm3']);
  });

  it('wait for a parked one until it is completed', async () => {
    const { backend, add, store, pump, clock } = setUp();
    const parked = { guid: 'm1', epoch: 1, chatRowid: 1, threadId: ANNA, body: undefined, backfill: false };
    store.transaction(() => store.inbound.insert({ ...parked, now: clock.now() }));
    add('m2');
    add('other', BERT);
    await settle();
    expect(backend.started).toEqual(['other']);
    const body = backend.last('other').request;
    store.transaction(() =>
      store.inbound.complete('m1', { threadId: ANNA, body: { ...body, message_guid: 'm1' }, backfill: false }),
    );
    pump.wake();
    await settle();
    expect(backend.started).toEqual(['other', 'm1', 'm2']);
  });
});

describe('many threads', () => {
  it('are served in turn and never by more requests than allowed', async () => {
    const { backend, add } = setUp({ maxConcurrentRequests: 4, maxInFlightPerThread: 2 });
    for (let n = 1; n <= 3; n++) for (const thread of ['a', 'b', 'c']) add(`${thread}${n}`, thread);
    await settle();
    expect(backend.started).toEqual(['a1', 'b1', 'c1', 'a2']);
    backend.last('b1').answer();
    await settle();
    expect(backend.started.at(-1)).toBe('b2');
  });

  it('knock one at a time at a backend that is away, and together when it is back', async () => {
    const { backend, add, clock, told } = setUp();
    for (let n = 0; n < 100; n++) add(`m${n}`, `thread ${n}`);
    await settle();
    expect(backend.open).toHaveLength(32);
    for (const call of backend.open) call.fail(unreachable());
    await settle();
    expect(backend.open).toHaveLength(1);
    for (let minute = 0; minute < 30; minute++) {
      for (const call of backend.open) call.fail(unreachable());
      await clock.advance(60_000);
      expect(backend.open.length).toBeLessThanOrEqual(1);
    }
    expect(backend.calls.length).toBeLessThan(32 + 20);
    expect(told('conditionRaised')[0]?.[0]).toBe('EDGE_BACKEND_UNREACHABLE');
    await clock.advance(300_000);
    backend.open[0]!.answer();
    await settle();
    expect(backend.open.length).toBe(32);
    expect(told('conditionCleared')).toEqual([['EDGE_BACKEND_UNREACHABLE']]);
  });

  it('end that the backend cannot be reached with its refusal, which shows that it can', async () => {
    const { backend, add, clock, told } = setUp();
    add('m1');
    await settle();
    backend.open[0]!.fail(unreachable());
    await clock.advance(2_000);
    backend.open[0]!.fail(new EdgeError('EDGE_BACKEND_AUTH', 'POST /edge/message was answered 401'));
    await settle();
    expect(told('conditionRaised').map(([code]) => code)).toEqual(['EDGE_BACKEND_UNREACHABLE', 'EDGE_BACKEND_AUTH']);
    expect(told('conditionCleared')).toEqual([['EDGE_BACKEND_UNREACHABLE']]);
  });

  it('go at once when the backend is seen elsewhere', async () => {
    const { backend, add, clock, pump } = setUp();
    add('m1');
    for (let n = 0; n < 8; n++) {
      await clock.advance(300_000);
      backend.open[0]?.fail(unreachable());
    }
    await settle();
    const before = backend.calls.length;
    pump.backendSeen();
    await settle();
    expect(backend.calls.length).toBe(before + 1);
  });

  it('go at once when another secret is there than the one that was refused, and not before', async () => {
    const { backend, add, clock, pump } = setUp();
    for (const guid of ['m1', 'm2']) add(guid, guid === 'm1' ? ANNA : BERT);
    await settle();
    for (const call of [...backend.open]) call.fail(new EdgeError('EDGE_BACKEND_AUTH', '403'));
    await clock.advance(10_000);
    pump.backendSeen();
    await settle();
    expect(backend.started).toEqual(['m1', 'm2']);
    pump.secretChanged();
    await settle();
    expect(backend.started.slice(2).toSorted()).toEqual(['m1', 'm2']);
  });

  it('are never posted again without a pause, whatever Retry-After says', async () => {
    const { add, backend, clock } = setUp();
    add('m1');
    await settle();
    backend.last('m1').fail(busy(0));
    await settle();
    await clock.advance(999);
    expect(backend.started).toEqual(['m1']);
    await clock.advance(1);
    expect(backend.started).toEqual(['m1', 'm1']);
  });

  it('keep the time the backend asked for, or that a bad answer costs, though it is seen elsewhere', async () => {
    const { backend, add, clock, pump } = setUp();
    add('asked');
    add('bad', BERT);
    await settle();
    backend.last('asked').fail(Object.assign(busy(), { retryAfterMs: 600_000 }));
    backend.last('bad').fail(new EdgeError('EDGE_BACKEND_ANSWER', 'it is not JSON'));
    await settle();
    pump.backendSeen();
    await settle();
    expect(backend.started).toEqual(['asked', 'bad']);
    await clock.advance(2_000);
    pump.backendSeen();
    await settle();
    expect(backend.started).toEqual(['asked', 'bad', 'bad']);
    await clock.advance(600_000);
    expect(backend.started).toContain('asked');
    expect(backend.started.filter((guid) => guid === 'asked')).toHaveLength(2);
  });

  for (const code of ['EDGE_BACKEND_UNREACHABLE', 'EDGE_BACKEND_AUTH'] as const) {
    it(`are not held up by one message that always ends in ${code} while others are answered`, async () => {
      const { backend, add, clock } = setUp();
      const fail = () => backend.last('bad').fail(new EdgeError(code, 'only this one'));
      add('bad');
      await settle();
      fail();
      add('first', BERT);
      await clock.advance(61_000);
      for (const call of backend.open) if (call.request.message_guid !== 'bad') call.answer();
      await clock.advance(61_000);
      expect(backend.open.map(({ request }) => request.message_guid)).toEqual(['bad']);
      fail();
      await settle();
      add('second', BERT);
      add('third', '+15550100004');
      await settle();
      expect(backend.open.map(({ request }) => request.message_guid)).toEqual(['second', 'third']);
    });
  }

  it('are not held up by one message that the backend fails on', async () => {
    const { backend, add } = setUp();
    add('bad');
    await settle();
    backend.last('bad').fail(busy());
    add('good', BERT);
    await settle();
    expect(backend.started).toEqual(['bad', 'good']);
  });
});

describe('an answer', () => {
  it('becomes sends and commands, and the message done, in one transaction', async () => {
    const { backend, add, state, store, sends, commands, told } = setUp();
    add('m1');
    await settle();
    backend
      .last('m1')
      .answer({ should_respond: true, reply_bubbles: ['a', ' ', 'b'], commands: [{ command_id: 'c1' }] });
    await settle();
    expect(store.sends.byGroup('reply:m1').map(({ key, text }) => [key, text])).toEqual([
      ['reply:m1:0', 'a'],
      ['reply:m1:1', 'b'],
    ]);
    expect(commands).toEqual([{ command_id: 'c1' }]);
    expect(state('m1')).toBe('done');
    expect(sends).toEqual([2]);
    expect(told('messageHandedOver')).toMatchObject([[{ guid: 'm1', bubbles: 2, attempts: 1 }]]);
    expect(told('failure')).toMatchObject([['EDGE_BACKEND_ANSWER', expect.stringContaining('1 bubbles without text')]]);
  });

  it('with bubbles and without should_respond sends nothing, and says what the backend has to answer', async () => {
    const { backend, add, state, store, told } = setUp();
    const answers = [{ reply_bubbles: ['a', 'b'] }, { reply_bubbles: ['a'], should_respond: false }, {}];
    for (const [n, answer] of answers.entries()) {
      add(`m${n}`);
      await settle();
      backend.last(`m${n}`).answer(answer);
      await settle();
      expect(state(`m${n}`)).toBe('done');
    }
    expect(store.sends.openOf(ANNA)).toEqual([]);
    expect(told('frameRefused')).toEqual([
      [
        'EDGE_BACKEND_ANSWER',
        'answer to m0: its bubbles (2) are not sent, for it has no should_respond; ' +
          'answer "should_respond": true to have them sent, or false to say nothing',
      ],
    ]);
  });

  it('to old news is not sent, and its commands run', async () => {
    const { backend, add, state, store, commands, clock } = setUp();
    add('m1', ANNA, true);
    await clock.advance(QUIET_MS);
    backend.last('m1').answer({ should_respond: true, reply_text: 'late', commands: [{}] });
    await settle();
    expect(store.sends.openOf(ANNA)).toEqual([]);
    expect(commands).toHaveLength(1);
    expect(state('m1')).toBe('done');
  });

  it('that says the message is known ends it', async () => {
    const { backend, add, state, sends } = setUp();
    add('m1');
    await settle();
    backend.last('m1').known();
    await settle();
    expect(state('m1')).toBe('done');
    expect(sends).toEqual([]);
  });

  it('goes before a waiting answer to a later message, and not into one that has begun', async () => {
    const { backend, add, store } = setUp();
    for (const guid of ['m1', 'm2', 'm3']) add(guid);
    await settle();
    const texts = () => store.sends.openOf(ANNA).map(({ text }) => text);
    backend.last('m3').answer({ should_respond: true, reply_bubbles: ['3a', '3b'] });
    await settle();
    backend.last('m1').answer({ should_respond: true, reply_bubbles: ['1a', '1b'] });
    await settle();
    expect(texts()).toEqual(['1a', '1b', '3a', '3b']);
    store.sends.markSending(store.sends.headOf(ANNA)!.sendId, { rowid: 0, epoch: 1 }, 0);
    backend.last('m2').answer({ should_respond: true, reply_bubbles: ['2a'] });
    await settle();
    expect(texts()).toEqual(['1a', '1b', '2a', '3a', '3b']);
  });

  it('does not go before one whose first bubble was tried already', async () => {
    const { backend, add, store } = setUp();
    add('m1');
    add('m2');
    await settle();
    backend.last('m2').answer({ should_respond: true, reply_bubbles: ['2a', '2b'] });
    await settle();
    const { sendId } = store.sends.headOf(ANNA)!;
    store.sends.markSending(sendId, { rowid: 0, epoch: 1 }, 0);
    store.sends.requeue(sendId, {});
    backend.last('m1').answer({ should_respond: true, reply_text: '1a' });
    await settle();
    expect(store.sends.openOf(ANNA).map(({ text }) => text)).toEqual(['2a', '2b', '1a']);
  });

  it('says once that the reflex has said its first bubble', async () => {
    const { backend, add, store, told, clock } = setUp();
    const reflex = { threadId: ANNA, text: 'lol', bubbleType: 'reflex' as const, now: clock.now() };
    add('m1');
    const { sendId } = store.sends.insert({ ...reflex, key: 'command:r1', commandId: 'r1' });
    store.sends.markConfirmed(sendId, { guid: 'g', rowid: 1 }, clock.now());
    await settle();
    backend.last('m1').answer({ should_respond: true, reply_bubbles: ['lol', 'b'] });
    await settle();
    expect(told('reflexMatched')).toEqual([[{ commandId: 'r1', threadId: ANNA, kept: 'reflex' }]]);
    expect(store.sends.openOf(ANNA).map(({ text }) => text)).toEqual(['b']);
  });

  it.each(STORE_UNWILLING)('that cannot be stored is asked for again (%s)', async (code) => {
    let isUnwilling = true;
    const { backend, add, state, clock, told } = setUp({
      acceptCommand: () => {
        if (isUnwilling) throw new EdgeError(code, 'injected');
      },
    });
    add('m1');
    await settle();
    backend.last('m1').answer({ commands: [{}] });
    await settle();
    expect(state('m1')).toBe('pending');
    isUnwilling = false;
    await clock.advance(2_000);
    backend.last('m1').answer({ commands: [{}] });
    await settle();
    expect(backend.started).toEqual(['m1', 'm1']);
    expect(state('m1')).toBe('done');
    expect(told('conditionRaised')).toEqual([]);
  });

  it('is asked for again within a second when state.db takes it again, however long it took nothing', async () => {
    const { backend, add, state, clock, path } = setUp();
    add('m1');
    await settle();
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    for (let second = 0; second < 70; second++) {
      for (const post of backend.open) post.answer({ should_respond: true, reply_text: 'hello' });
      await clock.advance(1_000);
    }
    const posts = backend.started.length;
    expect(posts).toBeLessThan(10); // the backend is not asked each second what cannot be kept
    other.close();
    await clock.advance(1_000);
    expect(backend.started.length).toBe(posts + 1);
    backend.last('m1').answer({ should_respond: true, reply_text: 'hello' });
    await settle();
    expect(state('m1')).toBe('done');
  }, 30_000);
});

describe('a failure', () => {
  it('is retried with doubling delays up to five minutes, for ever', async () => {
    const { backend, add, clock, told, state } = setUp();
    add('m1');
    for (let n = 0; n < 12; n++) {
      await clock.advance(300_000);
      backend.open[0]!.fail(busy());
    }
    await settle();
    const delays = told('messageRetried').map((args) => (args[0] as { retryInMs: number }).retryInMs / 1_000);
    expect(delays).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    expect(state('m1')).toBe('pending');
  });

  it('obeys Retry-After', async () => {
    const { backend, add, clock } = setUp();
    add('m1');
    await settle();
    backend.last('m1').fail(busy(30_000));
    await clock.advance(29_999);
    expect(backend.calls).toHaveLength(1);
    await clock.advance(1);
    expect(backend.calls).toHaveLength(2);
  });

  it('is a condition from the second answer in a row that asks to come again, until one is taken', async () => {
    const { add, clock, backend, told } = setUp();
    add('m1');
    await settle();
    backend.last('m1').fail(busy());
    await clock.advance(1000);
    expect(told('conditionRaised')).toEqual([]);
    backend.last('m1').fail(busy());
    await clock.advance(2000);
    backend.last('m1').fail(busy());
    await clock.advance(4000);
    expect(new Set(told('conditionRaised').map(([code]) => code))).toEqual(new Set(['EDGE_BACKEND_BUSY']));
    expect(told('conditionCleared')).toEqual([]);
    backend.last('m1').answer();
    await settle();
    expect(told('conditionCleared')).toEqual([['EDGE_BACKEND_BUSY']]);
  });

  it('of the secret is retried once a minute, one message at a time', async () => {
    const { backend, add, clock, told } = setUp();
    for (const thread of ['a', 'b', 'c']) add(thread, thread);
    await settle();
    for (const call of backend.open) call.fail(new EdgeError('EDGE_BACKEND_AUTH', '401'));
    for (let minute = 1; minute <= 5; minute++) {
      await clock.advance(REFUSED_RETRY_MS);
      expect(backend.calls).toHaveLength(3 + minute);
      backend.open[0]!.fail(new EdgeError('EDGE_BACKEND_AUTH', '401'));
    }
    await clock.advance(REFUSED_RETRY_MS);
    backend.open[0]!.answer();
    await settle();
    expect(told('conditionCleared')).toEqual([['EDGE_BACKEND_AUTH']]);
    expect(backend.open.length).toBeGreaterThan(0);
  });

  it('of this message alone sets it aside, and the next goes on', async () => {
    const { backend, add, state, told, store, pump } = setUp({ maxInFlightPerThread: 1 });
    add('m1');
    add('m2');
    await settle();
    backend.last('m1').fail(new EdgeError('EDGE_BACKEND_REJECTED', '422: no'));
    await settle();
    expect(state('m1')).toBe('dead');
    expect(store.inbound.byGuid('m1')?.errorDetail).toBe('422: no');
    expect(told('messageSetAside')).toMatchObject([[{ guid: 'm1', code: 'EDGE_BACKEND_REJECTED' }]]);
    expect(backend.started).toEqual(['m1', 'm2']);
    backend.last('m2').answer();
    store.inbound.revive('m1');
    pump.wake();
    await settle();
    expect(backend.started).toEqual(['m1', 'm2', 'm1']);
  });

  it('of this message alone keeps what the backend said for status, and out of the log', async () => {
    const { backend, add, told, store } = setUp();
    add('m1');
    await settle();
    backend.last('m1').fail(new BackendError('EDGE_BACKEND_REJECTED', 'answered 422', { status: 422, body: 'no: hi' }));
    await settle();
    expect(store.inbound.byGuid('m1')?.errorDetail).toBe('answered 422: no: hi');
    expect(told('messageSetAside')).toMatchObject([[{ detail: 'answered 422' }]]);
  });

  it('of the agent itself sets the message aside instead of looping', async () => {
    const { backend, add, state } = setUp({
      acceptCommand: () => {
        throw new TypeError('a defect');
      },
    });
    add('m1');
    await settle();
    backend.last('m1').answer({ should_respond: true, reply_text: 'a', commands: [{}] });
    await settle();
    expect(state('m1')).toBe('dead');
  });

  it('is retried on time when the wall clock steps back', async () => {
    const { backend, add, clock } = setUp();
    add('m1');
    await settle();
    backend.last('m1').fail(busy());
    clock.jumpWall(-86_400_000);
    await clock.advance(1_000);
    expect(backend.calls).toHaveLength(2);
  });

  it('is retried at once after a restart that found the wall clock set back', async () => {
    const { backend, add, clock, pump, options } = setUp();
    add('m1');
    await settle();
    backend.last('m1').fail(busy(60_000));
    await settle();
    clock.jumpWall(-120_000);
    await pump.stop();
    new InboundPump(options).start();
    await settle();
    expect(backend.calls).toHaveLength(2);
  });

  it('is retried when the backend asked for it after a restart', async () => {
    const { backend, add, clock, pump, options } = setUp();
    add('m1');
    await settle();
    backend.last('m1').fail(busy(60_000));
    await settle();
    await pump.stop();
    new InboundPump(options).start();
    await clock.advance(59_000);
    expect(backend.calls).toHaveLength(1);
    await clock.advance(1_000);
    expect(backend.calls).toHaveLength(2);
  });
});

describe('stop', () => {
  it('lets a POST under way end and starts nothing', async () => {
    const { backend, add, pump, state } = setUp();
    add('m1');
    await settle();
    const stopped = pump.stop();
    add('m2');
    backend.last('m1').answer();
    await stopped;
    expect(state('m1')).toBe('done');
    expect(backend.started).toEqual(['m1']);
  });

  it('aborts a POST that goes on for too long, whose message stays', async () => {
    const { backend, add, pump, state, clock, told } = setUp();
    add('m1');
    await settle();
    const stopped = pump.stop();
    await clock.advance(STOP_AFTER_MS);
    await stopped;
    expect(backend.last('m1').signal.aborted).toBe(true);
    expect(state('m1')).toBe('pending');
    expect(told('messageRetried')).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});

describe('any order of answers, failures and restarts', () => {
  it('hands every message over, each answered once, first attempts of a thread in order', async () => {
    const step = fc.record({
      choice: fc.nat(1_000),
      kind: fc.constantFrom('answer', 'answer', 'fail', 'away', 'wait', 'restart', 'add'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const {
          clock,
          store,
          backend,
          options,
          pump: first,
        } = setUp({ maxConcurrentRequests: 5, maxInFlightPerThread: 2 });
        let pump = first;
        let count = 0;
        const add = () => {
          insertPending(store, `m${count}`, `thread ${count % 3}`, clock.now());
          count++;
          pump.wake();
        };
        for (let n = 0; n < 6; n++) add();
        for (const { choice, kind } of steps) {
          await settle();
          const call = backend.open[choice % Math.max(backend.open.length, 1)];
          expect(backend.open.length).toBeLessThanOrEqual(5);
          for (let thread = 0; thread < 3; thread++) {
            const inThread = backend.open.filter(({ request }) => request.thread_id === `thread ${thread}`);
            expect(inThread.length).toBeLessThanOrEqual(2);
          }
          if (kind === 'answer') call?.answer({ should_respond: true, reply_text: 'a' });
          else if (kind === 'fail') call?.fail(busy());
          else if (kind === 'away') call?.fail(unreachable());
          else if (kind === 'wait') await clock.advance(choice * 10);
          else if (kind === 'add') add();
          else {
            const stopped = pump.stop();
            await clock.advance(STOP_AFTER_MS);
            await stopped;
            pump = new InboundPump(options);
            pump.start();
          }
        }
        for (let round = 0; round < 200 && store.inbound.counts().pending > 0; round++) {
          for (const call of backend.open) call.answer({ should_respond: true, reply_text: 'a' });
          await clock.advance(60_000);
        }
        await pump.stop();
        expect(store.inbound.counts()).toMatchObject({ parked: 0, pending: 0, dead: 0 });
        expect(store.sends.counts().queued).toBe(count);
        for (let thread = 0; thread < 3; thread++) {
          const ids = backend.calls
            .filter(({ request }) => request.thread_id === `thread ${thread}`)
            .map(({ request }) => Number(request.message_guid.slice(1)));
          const firsts = [...new Set(ids)];
          expect(firsts).toEqual(firsts.toSorted((a, b) => a - b));
        }
      }),
      { numRuns: 40 },
    );
  });
});
