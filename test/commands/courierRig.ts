import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { AckCourier } from '../../src/commands/AckCourier.ts';
import { completedAck } from '../../src/protocol/ack.ts';
import type { CommandAck } from '../../src/protocol/wire.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { FakeClock, settle } from '../support/FakeClock.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';
import { tempDir } from '../support/tempDir.ts';

/** A courier between a state.db of its own and a backend that is as told. */
export function courierRig(up: boolean) {
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
    /** More waits unsent in the socket than it may. */
    isFull: false,
    post: async (_ack: CommandAck, _signal: AbortSignal): Promise<void> => {},
  };
  const courier = new AckCourier({
    store,
    clock,
    telemetry,
    random: () => 0,
    isSocketUp: () => state.up,
    sendFrame: (frame) => {
      if (!state.up || state.isFull) return false;
      if (frame.type === 'command_ack') sent.push(frame.data.command_id);
      return true;
    },
    postAck: (ack, signal) => {
      posted.push(ack.command_id);
      return state.post(ack, signal);
    },
    sendPing: () => {
      if (!state.takesPings || state.isFull) return false;
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
