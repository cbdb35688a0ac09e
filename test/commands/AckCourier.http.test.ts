import { describe, expect, it } from 'vitest';
import { EdgeError } from '../../src/util/EdgeError.ts';
import { settle } from '../support/FakeClock.ts';
import { courierRig } from './courierRig.ts';

/** Each post waits for a call of what is returned. */
function held(state: ReturnType<typeof courierRig>['state']): () => void {
  let done = () => {};
  state.post = () =>
    new Promise((resolve) => {
      done = resolve;
    });
  return () => done();
}

describe('AckCourier by HTTP', () => {
  it('posts acks one at a time and in order', async () => {
    const { posted, state, add, waiting } = courierRig(false);
    const done = held(state);
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
    const { clock, posted, state, add, waiting, calls } = courierRig(false);
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
    const { clock, courier, posted, state, add } = courierRig(false);
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
    const { clock, posted, state, add } = courierRig(false);
    state.post = () => Promise.reject(new EdgeError('EDGE_BACKEND_NOT_FOUND', '404'));
    add('a');
    await clock.advance(299_999);
    expect(posted).toHaveLength(1);
    await clock.advance(1);
    expect(posted).toHaveLength(2);
  });

  it('keeps an ack that is refused without holding up the next', async () => {
    const { clock, posted, state, add, waiting } = courierRig(false);
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
    const { posted, sent, state, add, connect } = courierRig(false);
    const done = held(state);
    add('a', 'b');
    await settle();
    connect();
    done();
    await settle();
    expect(posted).toEqual(['a']);
    expect(sent).toEqual(['a', 'b']);
  });

  it('stops without a timer left, waiting for the request that runs', async () => {
    const { clock, courier, state, add, waiting } = courierRig(false);
    const done = held(state);
    add('a', 'b');
    await settle();
    const stop = courier.stop();
    done();
    await stop;
    expect(waiting()).toEqual(['b']);
    expect(clock.pending).toBe(0);
  });

  it('breaks off a request that does not end when it stops, and keeps the ack', async () => {
    const { clock, courier, calls, state, add, waiting } = courierRig(false);
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
