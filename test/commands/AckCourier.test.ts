import { describe, expect, it, vi } from 'vitest';
import { EdgeError } from '../../src/util/EdgeError.ts';
import { settle } from '../support/FakeClock.ts';
import { courierRig } from './courierRig.ts';

describe('AckCourier over the socket', () => {
  it('sends acks in order, once, and counts them as handed over when a pong proves them', async () => {
    const { clock, pong, courier, sent, state, add, waiting, calls } = courierRig(true);
    add('a', 'b');
    courier.wake();
    expect(sent).toEqual(['a', 'b']);
    await clock.advance(1000);
    expect(state.pings).toBe(1);
    expect(waiting()).toEqual(['a', 'b']);
    pong();
    expect(waiting()).toEqual([]);
    expect(calls).toContainEqual({ event: 'acksHandedOver', args: [2, 'websocket'] });
  });

  it('takes no pong for a proof that may answer a ping from before the ack', async () => {
    const { clock, pong, state, add, waiting } = courierRig(true);
    state.unanswered = 2; // at the handshake, and one of the regular ones
    add('a');
    await clock.advance(1000);
    pong();
    pong();
    expect(waiting()).toEqual(['a']);
    pong();
    expect(waiting()).toEqual([]);
  });

  it('proves each ack by the pong to a ping after it, however many are on their way on a slow line', async () => {
    const { clock, pong, add, waiting } = courierRig(true);
    for (const id of ['a', 'b', 'c', 'd']) {
      add(id);
      await clock.advance(1000); // a ping each, and no answer yet
    }
    const left: string[][] = [];
    for (let n = 0; n < 4; n++) {
      pong();
      left.push(waiting());
    }
    expect(left).toEqual([['b', 'c', 'd'], ['c', 'd'], ['d'], []]);
  });

  it('goes on when a ping was lost on the way', async () => {
    const { clock, pong, state, add, waiting } = courierRig(true);
    state.unanswered = 1; // that one
    add('a');
    await clock.advance(1000);
    pong();
    expect([state.pings, waiting()]).toEqual([2, ['a']]);
    pong();
    expect(waiting()).toEqual([]);
  });

  it('asks again a second later for a pong when no ping could be written', async () => {
    const { clock, pong, state, add, waiting } = courierRig(true);
    state.takesPings = false;
    add(...Array.from({ length: 100 }, (_, i) => `c${i}`));
    await clock.advance(5000);
    state.takesPings = true;
    await clock.advance(1000);
    expect(state.pings).toBe(1);
    pong();
    expect(waiting()).toEqual([]);
  });

  it('takes a late pong for no proof, because the ack may have been lost with the ping, and sends it again', async () => {
    const { clock, pong, sent, add, waiting } = courierRig(true);
    add('a');
    await clock.advance(1000);
    await clock.advance(6000);
    pong();
    expect([sent, waiting()]).toEqual([['a', 'a'], ['a']]);
    await clock.advance(1000);
    pong();
    expect(waiting()).toEqual([]);
  });

  it('sends the unproven again over the next connection, or by HTTP', async () => {
    const { sent, posted, add, waiting, connect, disconnect } = courierRig(true);
    add('a');
    connect();
    expect(sent).toEqual(['a', 'a']);
    await disconnect();
    expect(posted).toEqual(['a']);
    expect(waiting()).toEqual([]);
  });

  it('has a hundred on their way at most, and goes on when they are proven', async () => {
    const { clock, pong, sent, add } = courierRig(true);
    add(...Array.from({ length: 150 }, (_, i) => `c${i}`));
    expect(sent).toHaveLength(100);
    await clock.advance(1000);
    pong();
    expect(sent).toHaveLength(150);
    expect(new Set(sent).size).toBe(150);
  });

  it('asks for another pong when state.db could not note what one proved', async () => {
    const { clock, pong, store, sent, state, add, waiting } = courierRig(true);
    add('a');
    await clock.advance(1000);
    vi.spyOn(store, 'transaction').mockImplementationOnce(() => {
      throw new EdgeError('EDGE_STATE_DIR', 'unable to open database file');
    });
    pong();
    expect(waiting()).toEqual(['a']);
    await clock.advance(10_000);
    pong();
    expect([state.pings, sent, waiting()]).toEqual([2, ['a'], []]);
  });

  it('sends an ack that is asked for again once more', async () => {
    const { clock, pong, store, courier, sent, add } = courierRig(true);
    add('a', 'b');
    await clock.advance(1000);
    pong();
    store.commands.offerLastAckAgain('a');
    courier.wake();
    expect(sent).toEqual(['a', 'b', 'a']);
  });
});

describe('AckCourier over a socket that is full', () => {
  it('sends what was refused when there is room again, though nothing is on its way that a pong could prove', async () => {
    const { clock, pong, sent, posted, state, add, waiting } = courierRig(true);
    state.isFull = true;
    add('a', 'b');
    await clock.advance(10_000);
    state.isFull = false;
    await clock.advance(1000);
    expect(sent).toEqual(['a', 'b']);
    await clock.advance(1000);
    pong();
    expect([posted, waiting(), clock.pending]).toEqual([[], [], 0]);
  });

  it('sends it after a late pong, too', async () => {
    const { clock, pong, sent, state, add, waiting } = courierRig(true);
    add('a');
    await clock.advance(7000);
    state.isFull = true;
    pong();
    await clock.advance(2000);
    state.isFull = false;
    await clock.advance(2000);
    pong();
    expect([sent, waiting()]).toEqual([['a', 'a'], []]);
  });

  it('sends it after a long pause, too', async () => {
    const { clock, courier, sent, state, add } = courierRig(true);
    state.post = () => Promise.reject(new EdgeError('EDGE_BACKEND_UNREACHABLE', 'refused'));
    courier.pause();
    await clock.advance(2000);
    add('a');
    state.isFull = true;
    courier.resume();
    await clock.advance(2000);
    state.isFull = false;
    await clock.advance(1000);
    expect(sent).toEqual(['a']);
  });

  it('posts it after 30 s, with what is unproven, and is back with the next pong', async () => {
    const { clock, pong, sent, posted, state, add, waiting } = courierRig(true);
    add('a');
    state.isFull = true; // before the ping
    add('b');
    await clock.advance(29_999);
    expect([sent, posted]).toEqual([['a'], []]);
    await clock.advance(1);
    await settle();
    expect([posted, waiting()]).toEqual([['a', 'b'], []]);
    state.unanswered = 1; // of before
    pong();
    add('c'); // full as it still is
    await clock.advance(30_000);
    expect(posted).toEqual(['a', 'b', 'c']);
  });

  it('expects no pong when the request that was under way has brought what was refused', async () => {
    const { clock, posted, state, add, waiting, connect, calls } = courierRig(false);
    state.post = () => new Promise((resolve) => clock.after(500, resolve));
    add('a');
    state.isFull = true;
    connect();
    await clock.advance(40_000);
    expect([posted, waiting(), clock.pending]).toEqual([['a'], [], 0]);
    expect(calls.map(({ event }) => event)).toEqual(['acksHandedOver']);
  });

  it('leaves no timer when it stops', async () => {
    const { clock, courier, state, add } = courierRig(true);
    state.isFull = true;
    add('a');
    await courier.stop();
    expect(clock.pending).toBe(0);
  });
});

describe('AckCourier over a socket that lives and brings no pong', () => {
  it('posts what is not proven after 30 s, and says so once, so that no ack waits for a pong for ever', async () => {
    const { clock, sent, posted, add, waiting, calls } = courierRig(true);
    add(...Array.from({ length: 150 }, (_, i) => `c${i}`));
    await clock.advance(29_999);
    expect([sent.length, posted.length]).toEqual([100, 0]);
    await clock.advance(60_000);
    add('late');
    await settle();
    expect([posted.length, waiting()]).toEqual([151, []]);
    expect(calls.filter(({ event }) => event === 'failure')).toHaveLength(1);
  });

  it('posts what only a second pong could prove when none comes after the first', async () => {
    const { clock, pong, posted, add, waiting } = courierRig(true);
    add('a');
    await clock.advance(1000);
    add('b');
    await clock.advance(1000);
    pong();
    expect(waiting()).toEqual(['b']);
    await clock.advance(30_000);
    expect([posted, waiting()]).toEqual([['b'], []]);
  });

  it('goes back to the socket with the next pong, which proves nothing, or the next connection', async () => {
    const { clock, pong, sent, posted, state, add, waiting, connect } = courierRig(true);
    add('a');
    await clock.advance(31_000);
    expect([sent, posted]).toEqual([['a'], ['a']]);
    state.unanswered += 3; // the socket's own
    pong();
    add('b');
    await clock.advance(1000);
    for (let n = 0; n < 3; n++) pong();
    expect([sent, posted, waiting()]).toEqual([['a', 'b'], ['a'], ['b']]);
    await clock.advance(30_000);
    expect(posted).toEqual(['a', 'b']);
    connect();
    add('c');
    expect(sent).toEqual(['a', 'b', 'c']);
  });

  it('posts what is not proven when pongs come late twice in a row, as behind thousands of frames', async () => {
    const { clock, pong, sent, posted, add, waiting } = courierRig(true);
    add('a');
    for (let n = 0; n < 2; n++) {
      await clock.advance(7000);
      expect(posted).toEqual([]);
      pong();
    }
    await settle();
    expect([sent, posted, waiting()]).toEqual([['a', 'a'], ['a'], []]);
  });

  it('leaves no timer when it stops', async () => {
    const { clock, courier, add } = courierRig(true);
    add('a');
    await clock.advance(1000);
    await courier.stop();
    expect(clock.pending).toBe(0);
  });
});

describe('AckCourier while nothing is read from the socket', () => {
  it('keeps to the socket for a moment, then posts what is not proven, and what comes, in order', async () => {
    const { clock, courier, sent, posted, add, waiting } = courierRig(true);
    add('a');
    courier.pause();
    courier.pause();
    add('b');
    await clock.advance(1999);
    expect([sent, posted]).toEqual([['a', 'b'], []]);
    await clock.advance(1);
    add('c');
    await settle();
    expect([posted, waiting()]).toEqual([['a', 'b', 'c'], []]);
    courier.resume();
    courier.resume();
    add('d');
    expect(sent).toEqual(['a', 'b', 'd']);
  });

  it('goes on by HTTP when another connection comes up meanwhile', async () => {
    const { clock, courier, sent, posted, add, connect } = courierRig(true);
    courier.pause();
    await clock.advance(2000);
    connect();
    add('a');
    await settle();
    expect([sent, posted]).toEqual([[], ['a']]);
  });

  it('leaves no timer when it stops', async () => {
    const { clock, courier } = courierRig(true);
    courier.pause();
    await courier.stop();
    expect(clock.pending).toBe(0);
  });
});
