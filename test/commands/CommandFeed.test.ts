import { describe, expect, it, onTestFinished } from 'vitest';
import { CommandFeed } from '../../src/commands/CommandFeed.ts';
import { EdgeError } from '../../src/util/EdgeError.ts';
import type { ErrorCode } from '../../src/util/errors.ts';
import { FakeClock, settle } from '../support/FakeClock.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';

/** A handler that takes what there is room for, and time as told. */
function rig(state: { room?: number; fails?: ErrorCode; costMs?: number } = {}) {
  const clock = new FakeClock();
  let workedMs = 0;
  const { telemetry, calls } = recordingTelemetry();
  const handled: unknown[] = [];
  const told: string[] = [];
  const feed = new CommandFeed({
    clock: {
      now: () => clock.now(),
      monotonic: () => clock.monotonic() + workedMs,
      after: (ms, fn) => clock.after(ms, fn),
      every: (ms, fn) => clock.every(ms, fn),
    },
    telemetry,
    handler: {
      handle(raw, channel) {
        if (state.fails) throw new EdgeError(state.fails, 'not now');
        if (state.room === 0) throw new EdgeError('EDGE_COMMANDS_FULL', 'no room');
        if (state.room !== undefined) state.room -= 1;
        workedMs += state.costMs ?? 0;
        handled.push(channel === 'sync' ? `sync ${raw}` : raw);
      },
      hasRoom: () => (state.room ?? 1) > 0,
      get waiting() {
        return 10_000;
      },
    },
    throttled: () => [{ pause: () => told.push('pause'), resume: () => told.push('resume') }],
    refuse: (code) => told.push(code),
    syncNow: () => told.push('sync'),
  });
  onTestFinished(() => feed.stop());
  /** The event loop goes round until all that can be handled is. */
  const turns = async () => {
    for (let round = 0; round < 20; round++) await settle();
  };
  const take = (...raws: unknown[]) => {
    for (const raw of raws) feed.take(raw, typeof raw === 'string' ? raw.length : 10);
  };
  const events = () => calls.map(({ event }) => event);
  return { clock, feed, state, handled, told, take, turns, events };
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('CommandFeed', () => {
  it('handles a frame before take() returns when nothing is before it', () => {
    const { handled, take } = rig();
    take(1, 2);
    expect(handled).toEqual([1, 2]);
  });

  it('handles a burst in slices with the event loop in between, in order', async () => {
    const { turns, handled, take } = rig({ costMs: 4 });
    take(...numbers(1, 20));
    expect(handled).toHaveLength(4);
    await turns();
    expect(handled).toEqual(numbers(1, 20));
  });

  it('puts the commands of a sync behind the frames that came before, and says when they are through', async () => {
    const { turns, feed, handled, take } = rig({ costMs: 10 });
    take(1, 2, 3);
    let through = false;
    const fetched = feed.fetched(['a', 'b']).then(() => {
      through = true;
    });
    take(4);
    expect(through).toBe(false);
    await turns();
    await fetched;
    expect(handled).toEqual([1, 2, 3, 'sync a', 'sync b', 4]);
  });

  it('pauses the socket past 1,000 frames and goes on at half of them', async () => {
    const { turns, told, handled, take } = rig({ costMs: 1 });
    take(...numbers(1, 1015));
    expect(told).toEqual([]);
    take(1016);
    expect(told).toEqual(['pause']);
    await turns();
    expect(told).toEqual(['pause', 'resume']);
    expect(handled).toEqual(numbers(1, 1016));
  });

  it('pauses the socket past 8 MiB of frames', async () => {
    const { turns, told, take } = rig({ costMs: 20 });
    take(...Array.from({ length: 10 }, () => 'x'.repeat(1024 * 1024)));
    expect(told).toEqual(['pause']);
    await turns();
    expect(told).toEqual(['pause', 'resume']);
  });
});

describe('CommandFeed without room', () => {
  it('pauses the socket, keeps what is in memory, and goes on in order when there is room', async () => {
    const { clock, state, told, handled, take, events } = rig({ room: 3 });
    take(1, 2, 3, 4, 5);
    expect([handled, told]).toEqual([[1, 2, 3], ['pause']]);
    await clock.advance(5000);
    expect(handled).toEqual([1, 2, 3]);
    state.room = 10;
    await clock.advance(1000);
    expect([handled, told]).toEqual([
      [1, 2, 3, 4, 5],
      ['pause', 'resume'],
    ]);
    expect(events()).toEqual(['commandsPaused', 'commandsResumed']);
  });

  it('takes what fits of a sync, lets the sync succeed, and passes over those after it until there is room', async () => {
    const { clock, feed, state, handled } = rig({ room: 2 });
    await feed.fetched([1, 2, 3, 4]);
    await feed.fetched([1, 2, 3, 4, 5]);
    expect(handled).toEqual(['sync 1', 'sync 2']);
    state.room = 10;
    await clock.advance(1000);
    expect(handled).toEqual(['sync 1', 'sync 2', 'sync 3', 'sync 4']);
    await feed.fetched([5]);
    expect(handled.at(-1)).toBe('sync 5');
  });

  it('asks for what it passed over as soon as there is room, and keeps newer frames waiting until it came', async () => {
    const { clock, feed, state, told, handled, take } = rig({ room: 1 });
    take(1, 2);
    feed.catchUp(); // another connection came up
    await feed.fetched(['older']);
    feed.caughtUp();
    take('newer');
    await clock.advance(5000);
    state.room = 10;
    await clock.advance(1000);
    expect([handled, told]).toEqual([
      [1, 2],
      ['pause', 'sync', 'resume'],
    ]);
    await feed.fetched(['older']);
    feed.caughtUp();
    expect(handled).toEqual([1, 2, 'sync older', 'newer']);
  });

  it('keeps frames waiting no longer than 2 s for what it passed over', async () => {
    const { clock, feed, state, handled, take } = rig({ room: 0 });
    take(1);
    feed.catchUp();
    await feed.fetched(['older']);
    take('newer');
    state.room = 10;
    await clock.advance(1000);
    expect(handled).toEqual([1]);
    await clock.advance(2000);
    expect(handled).toEqual([1, 'newer']);
  });

  it('leaves no timer when it stops, and takes nothing any more', async () => {
    const { clock, feed, handled, take } = rig({ room: 0 });
    feed.catchUp();
    take(1);
    feed.caughtUp();
    feed.stop();
    take(2);
    feed.catchUp();
    await feed.fetched([3]);
    expect([handled, clock.pending]).toEqual([[], 0]);
  });

  it('lets go whoever waits for a sync when it stops', async () => {
    const { feed, handled } = rig({ costMs: 20 });
    const fetched = feed.fetched([1, 2]);
    feed.stop();
    await fetched;
    expect(handled).toEqual(['sync 1']);
  });
});

describe('CommandFeed when a command cannot be stored', () => {
  it.each(['EDGE_STATE_BUSY', 'EDGE_STATE_DIR'] as const)(
    'gives the connection up and drops what is behind, so that it comes again in order (%s)',
    async (code) => {
      const { turns, state, told, handled, take } = rig({ costMs: 20 });
      take(1, 2, 3);
      state.fails = code;
      await turns();
      expect([handled, told]).toEqual([[1], [code]]);
      delete state.fails;
      take(2, 3);
      await turns();
      expect(handled).toEqual([1, 2, 3]);
    },
  );

  it('reads on afterwards, also when there was no room before', async () => {
    const { clock, state, told, handled, take } = rig({ room: 0 });
    take(1);
    state.room = 5;
    state.fails = 'EDGE_STATE_FULL';
    await clock.advance(1000);
    expect(told).toEqual(['pause', 'EDGE_STATE_FULL', 'resume']);
    delete state.fails;
    take(1);
    expect(handled).toEqual([1]);
  });

  it('fails the sync that brought it, and leaves the socket alone if that brought nothing', async () => {
    const { feed, told, events } = rig({ fails: 'EDGE_STATE_FULL' });
    await expect(feed.fetched([1, 2])).rejects.toMatchObject({ code: 'EDGE_STATE_FULL' });
    expect([told, events()]).toEqual([[], []]);
  });

  it('goes on behind a command that meets a defect', async () => {
    const { state, feed, handled, take, events, told } = rig({ fails: 'EDGE_INTERNAL' });
    take(1);
    await feed.fetched([2]);
    delete state.fails;
    take(3);
    expect([handled, told]).toEqual([[3], []]);
    expect(events()).toEqual(['failure', 'failure']);
  });
});

describe('CommandFeed on a new connection', () => {
  it('puts what was queued without a socket before what the new one brings', async () => {
    const { feed, handled, take } = rig();
    feed.catchUp();
    take(3, 4);
    await feed.fetched([1, 2]);
    expect(handled).toEqual(['sync 1', 'sync 2']);
    feed.caughtUp();
    take(5);
    expect(handled).toEqual(['sync 1', 'sync 2', 3, 4, 5]);
  });

  it('waits for that sync 2 s at most', async () => {
    const { clock, feed, handled, take } = rig();
    feed.catchUp();
    take(1);
    await clock.advance(1999);
    expect(handled).toEqual([]);
    await clock.advance(1);
    expect(handled).toEqual([1]);
  });

  it('reads no more than 1,000 frames ahead meanwhile', () => {
    const { feed, told, take } = rig();
    feed.catchUp();
    take(...numbers(1, 1001));
    expect(told).toEqual(['pause']);
    feed.caughtUp();
    expect(told).toEqual(['pause', 'resume']);
  });
});
