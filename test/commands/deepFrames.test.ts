import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { dispatchFrame } from '../../src/backend/dispatchFrame.ts';
import { CommandFeed } from '../../src/commands/CommandFeed.ts';
import { CommandHandler } from '../../src/commands/CommandHandler.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { FakeClock, settle } from '../support/FakeClock.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';
import { tempDir } from '../support/tempDir.ts';

/** Past what JSON.stringify can follow: on some Node with names for keys, on all with numbers. */
const LEVELS = 20_000;
const deep = (key: string) => `${`{"${key}":`.repeat(LEVELS)}1${'}'.repeat(LEVELS)}`;
const TYPES = ['send_message_now', 'send_attachment', 'schedule_message', 'cancel_scheduled', 'upload_retry', 'tea'];

/** Frames as they come off the socket, up to state.db. */
function rig() {
  const clock = new FakeClock();
  const store = StateStore.open(join(tempDir(), 'state.db'), clock.now());
  onTestFinished(() => store.close());
  const { telemetry, calls } = recordingTelemetry();
  const wakes = { onSends: () => {}, onSchedules: () => {}, onAcks: () => {} };
  const handler = new CommandHandler({ store, clock, telemetry, ...wakes });
  const told: string[] = [];
  const socket = { pause: () => void told.push('pause'), resume: () => void told.push('resume') };
  const rest = { throttled: () => [socket], refuse: (code: string) => void told.push(code), syncNow: () => {} };
  const feed = new CommandFeed({ clock, telemetry, handler, ...rest });
  onTestFinished(() => feed.stop());
  const others = { configUpdate() {}, pong() {}, drain() {}, greeted() {} };
  const comes = (frame: string) =>
    dispatchFrame(Buffer.from(frame), false, telemetry, { ...others, command: (raw, bytes) => feed.take(raw, bytes) });
  const acks = () => store.commands.acksWaiting(0, 99).map(({ body }) => [body.command_id, body.success, body.error]);
  const failures = () => calls.filter(({ event }) => event === 'failure').map(({ args }) => args);
  return { feed, comes, told, acks, failures };
}

it.each(['a', '0'])(
  'commands of 20,000 levels (keys %j) that wait are refused by name, each by its ack',
  async (key) => {
    const { feed, comes, acks, failures, told } = rig();
    feed.catchUp();
    for (const type of TYPES) {
      for (const field of ['thread_id', 'other']) {
        const payload = `{"${field}":${deep(key)}}`;
        comes(
          `{"type":"command","data":{"command_id":"${type} ${field}","command_type":"${type}","payload":${payload}}}`,
        );
      }
    }
    comes(`{"type":"command","data":{"command_id":"no-type","command_type":${deep(key)}}}`);
    comes(`{"type":"command","data":${deep(key)}}`);
    expect(acks()).toEqual([]);
    feed.caughtUp();
    await settle();
    const ids = [...TYPES.flatMap((type) => [`${type} thread_id`, `${type} other`]), 'no-type'];
    expect(acks()).toEqual(ids.map((id) => [id, false, expect.any(String)]));
    expect([failures(), told]).toEqual([[], []]);
  },
);

it('the socket is paused past 8 MiB of them', () => {
  const { feed, comes, told } = rig();
  feed.catchUp();
  const frame = `{"type":"command","data":{"command_id":"c","command_type":"tea","payload":{"p":"${'x'.repeat(1024 * 1024)}"}}}`;
  for (let n = 0; n < 7; n++) comes(frame);
  expect(told).toEqual([]);
  comes(frame);
  expect(told).toEqual(['pause']);
});
