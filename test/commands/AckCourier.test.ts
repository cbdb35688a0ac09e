import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AckCourier } from '../../src/commands/AckCourier.ts';
import { completedAck } from '../../src/protocol/ack.ts';
import type { CommandAck } from '../../src/protocol/wire.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { EdgeError } from '../../src/util/EdgeError.ts';
import { FakeClock, settle } from '../support/FakeClock.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';
import { tempDir } from '../support/tempDir.ts';

function rig(up: boolean) {
  const clock = new FakeClock();
  const store = StateStore.open(join(tempDir(), 'state.db'), clock.now());
  onTestFinished(() => store.close());
  const { telemetry, calls } = recordingTelemetry();
  const sent: string[] = [];
  const posted: string[] = [];
  const state = {
    up,
    pings: 0,
    unanswered: 0,
    takesPings: true,
    post: async (_ack: CommandAck, _signal: AbortSignal): Promise<void> => {},
  };
  const courier = new AckCourier({
    store,
    clock,
    telemetry,
    random: () => 0,
    isSocketUp: () => state.up,
    sendFrame: (frame) => {
      if (state.up && frame.type === 'command_ack') sent.push(frame.data.command_id);
      return state.up;
    },
    postAck: (ack, signal) => {
      posted.push(ack.command_id);
      return state.post(ack, signal);
    },
    sendPing: () => {
      if (!state.takesPings) return false;
      state.pings += 1;
      state.unanswered += 1;
      return true;
    },
    unansweredPings: () => state.unanswered,
  });
  courier.start();
  const pong = () => {
    state.unanswered -= 1;
    courier.pong();
  };
  const add = (...ids: string[]) => {
    for (const id of ids) store.commands.addAck(completedAck(id, clock.now()), clock.now());
    courier.wake();
  };
  const waiting = () => store.commands.acksWaiting(0, 1000).map((ack) => ack.commandId);
  const connect = () => {
    state.up = true;
    courier.socketUp();
  };
  const disconnect = async () => {
    state.up = false;
    courier.socketDown();
    await settle();
  };
  return { clock, store, courier, pong, calls, sent, posted, state, add, waiting, connect, disconnect };
}

describe('AckCourier over the socket', () => {
  it('sends acks in order, once, and counts them as handed over when a pong proves them', async () => {
    const { clock, pong, courier, sent, state, add, waiting, calls } = rig(true);
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
    const { clock, pong, state, add, waiting } = rig(true);
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
    const { clock, pong, add, waiting } = rig(true);
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
    const { clock, pong, state, add, waiting } = rig(true);
    state.unanswered = 1; // that one
    add('a');
    await clock.advance(1000);
    pong();
    expect([state.pings, waiting()]).toEqual([2, ['a']]);
    pong();
    expect(waiting()).toEqual([]);
  });

  it('asks again a second later for a pong when no ping could be written', async () => {
    const { clock, pong, state, add, waiting } = rig(true);
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
    const { clock, pong, sent, add, waiting } = rig(true);
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
    const { sent, posted, add, waiting, connect, disconnect } = rig(true);
    add('a');
    connect();
    expect(sent).toEqual(['a', 'a']);
    await disconnect();
    expect(posted).toEqual(['a']);
    expect(waiting()).toEqual([]);
  });

  it('has a hundred on their way at most, and goes on when they are proven', async () => {
    const { clock, pong, sent, add } = rig(true);
    add(...Array.from({ length: 150 }, (_, i) => `c${i}`));
    expect(sent).toHaveLength(100);
    await clock.advance(1000);
    pong();
    expect(sent).toHaveLength(150);
    expect(new Set(sent).size).toBe(150);
  });

  it('sends an ack that is asked for again once more', async () => {
    const { clock, pong, store, courier, sent, add } = rig(true);
    add('a', 'b');
    await clock.advance(1000);
    pong();
    store.commands.offerLastAckAgain('a');
    courier.wake();
    expect(sent).toEqual(['a', 'b', 'a']);
  });
});

describe('AckCourier over a socket that lives and brings no pong', () => {
  it('posts what is not proven after 30 s, and says so once, so that no ack waits for a pong for ever', async () => {
    const { clock, sent, posted, add, waiting, calls } = rig(true);
    add(...Array.from({ length: 150 }, (_, i) => `c${i}`));
    await clock.advance(29_999);
    expect([sent.length, posted.length]).toEqual([100, 0]);
    await clock.advance(60_000);
    add('late');
    await settle();
    expect([posted.length, waiting()]).toEqual([151, []]);
    expect(calls.filter(({ event }) => event === 'failure')).toHaveLength(1);
  });

  it('goes back to the socket with the next pong, which proves nothing, or the next connection', async () => {
    const { clock, pong, sent, posted, state, add, waiting, connect } = rig(true);
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
    const { clock, pong, sent, posted, add, waiting } = rig(true);
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
    const { clock, courier, add } = rig(true);
    add('a');
    await clock.advance(1000);
    await courier.stop();
    expect(clock.pending).toBe(0);
  });
});

describe('AckCourier while nothing is read from the socket', () => {
  it('keeps to the socket for a moment, then posts what is not proven, and what comes, in order', async () => {
    const { clock, courier, sent, posted, add, waiting } = rig(true);
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
    const { clock, courier, sent, posted, add, connect } = rig(true);
    courier.pause();
    await clock.advance(2000);
    connect();
    add('a');
    await settle();
    expect([sent, posted]).toEqual([[], ['a']]);
  });

  it('leaves no timer when it stops', async () => {
    const { clock, courier } = rig(true);
    courier.pause();
    await courier.stop();
    expect(clock.pending).toBe(0);
  });
});

describe('AckCourier by HTTP', () => {
  it('posts acks one at a time and in order', async () => {
    const { posted, state, add, waiting } = rig(false);
    let done: () => void = () => {};
    state.post = () =>
      new Promise((resolve) => {
        done = resolve;
      });
    add('a', 'b');
    await settle();
    expect(posted).toEqual(['a']);
    done();
    await settle();
    expect(posted).toEqual(['a', 'b']);
    done();
    await settle();
    expect(waiting()).toEqual([]);
  });

  it('backs off while the backend cannot be reached, and says so once', async () => {
    const { clock, posted, state, add, waiting, calls } = rig(false);
    state.post = () => Promise.reject(new EdgeError('EDGE_BACKEND_UNREACHABLE', 'refused'));
    add('a');
    await clock.advance(7000);
    expect(posted).toHaveLength(4); // at 0, 1, 3 and 7 s
    expect(calls.filter((call) => call.event === 'failure')).toHaveLength(1);
    state.post = async () => {};
    await clock.advance(8000);
    expect(waiting()).toEqual([]);
  });

  it('posts at once what was refused with the secret before, when another is there', async () => {
    const { clock, courier, posted, state, add } = rig(false);
    state.post = () => Promise.reject(new EdgeError('EDGE_BACKEND_AUTH', '403'));
    add('c1');
    await clock.advance(10_000);
    const known = posted.length;
    state.post = async () => {};
    courier.secretChanged();
    await settle();
    expect(posted).toHaveLength(known + 1);
  });

  it('asks a backend without the endpoint again after five minutes', async () => {
    const { clock, posted, state, add } = rig(false);
    state.post = () => Promise.reject(new EdgeError('EDGE_BACKEND_NOT_FOUND', '404'));
    add('a');
    await clock.advance(299_999);
    expect(posted).toHaveLength(1);
    await clock.advance(1);
    expect(posted).toHaveLength(2);
  });

  it('keeps an ack that is refused without holding up the next', async () => {
    const { clock, posted, state, add, waiting } = rig(false);
    state.post = async (ack) => {
      if (ack.command_id === 'bad') throw new EdgeError('EDGE_BACKEND_REJECTED', '422');
    };
    add('bad', 'good');
    await settle();
    add('later');
    await settle();
    expect(posted).toEqual(['bad', 'good', 'later']);
    expect(waiting()).toEqual(['bad']);
    await clock.advance(300_000);
    expect(posted.at(-1)).toBe('bad');
  });

  it('leaves the rest to the socket as soon as it is up', async () => {
    const { posted, sent, state, add, connect } = rig(false);
    let done: () => void = () => {};
    state.post = () =>
      new Promise((resolve) => {
        done = resolve;
      });
    add('a', 'b');
    await settle();
    connect();
    done();
    await settle();
    expect(posted).toEqual(['a']);
    expect(sent).toEqual(['a', 'b']);
  });

  it('stops without a timer left, waiting for the request that runs', async () => {
    const { clock, courier, state, add, waiting } = rig(false);
    let done: () => void = () => {};
    state.post = () =>
      new Promise((resolve) => {
        done = resolve;
      });
    add('a', 'b');
    await settle();
    const stop = courier.stop();
    done();
    await stop;
    expect(waiting()).toEqual(['b']);
    expect(clock.pending).toBe(0);
  });

  it('breaks off a request that does not end when it stops, and keeps the ack', async () => {
    const { clock, courier, calls, state, add, waiting } = rig(false);
    state.post = (_ack, signal) =>
      new Promise((_, reject) => {
        const broken = new EdgeError('EDGE_BACKEND_UNREACHABLE', 'broken off');
        signal.addEventListener('abort', () => reject(broken));
      });
    add('a');
    await settle();
    const stop = courier.stop();
    await clock.advance(1000);
    await stop;
    expect(waiting()).toEqual(['a']);
    expect([clock.pending, calls]).toEqual([0, []]);
  });
});
