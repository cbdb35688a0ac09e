import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { readConfigUpdate } from '../../src/backend/configUpdate.ts';
import { dispatchFrame } from '../../src/backend/dispatchFrame.ts';
import { CommandHandler } from '../../src/commands/CommandHandler.ts';
import { ackSchema } from '../../src/hub/commands/ack.ts';
import { MAX_BODY_BYTES } from '../../src/protocol/wire.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';
import { tempDir } from '../support/tempDir.ts';
import { FUZZ_MS, fuzz } from './fuzzing.ts';
import { damagedBytes, damagedJson } from './inputs.ts';

const thread_id = '+15550100002';
const rrule = { rrule: 'FREQ=WEEKLY;BYDAY=MO,TH;COUNT=5', time_zone: 'Europe/Berlin' };
const COMMANDS: [type: string, payload: object][] = [
  ['send_message_now', { thread_id, text: 'hi', bubble_type: 'reflex' }],
  ['schedule_message', { thread_id, message_text: 'hi', send_at: '2030-01-07T09:00:00+01:00', recurrence: rrule }],
  ['send_attachment', { thread_id, data_base64: 'aGk=', name: 'a.txt', mime_type: 'text/plain', caption: 'a' }],
  ['send_attachment', { thread_id, url: 'https://example.com/a.png', name: 'a.png', mime_type: 'image/png' }],
  ['cancel_scheduled', { schedule_id: 'c-1' }],
  ['list_scheduled', { status: 'all' }],
  ['upload_retry', { attachment_guid: 'at_0' }],
];
const FRAMES = [
  ...COMMANDS.map(([command_type, payload]) => ({
    type: 'command',
    data: { command_id: 'c-1', command_type, payload, priority: 'immediate', timestamp: '2026-01-01T00:00:00Z' },
  })),
  { type: 'config_update', data: { sync_interval: 30, log_level: 'debug' } },
  { type: 'connected', data: { reconnect_spread_ms: 1000, probe: false } },
  { type: 'drain', data: { retry_after_ms: 5000 } },
  { type: 'pong', data: null },
];
/** Longest text in an ack or a log line that a frame may cause, characters. */
const MAX_SAID = 100_000;

/** Fewer than the commands that an agent lets wait. */
const INPUTS_AN_AGENT = 5000;

function agent() {
  const clock = new FakeClock();
  const store = StateStore.open(join(tempDir(), 'state.db'), clock.now());
  onTestFinished(() => store.close());
  const { telemetry, calls } = recordingTelemetry();
  const wakes = { onSends: () => {}, onSchedules: () => {}, onAcks: () => {}, onUploads: () => {} };
  const handler = new CommandHandler({ store, clock, telemetry, ...wakes, maxBubbleChars: 10_000 });
  let ackId = 0;
  return {
    store,
    telemetry,
    calls,
    handler,
    newAcks: () => {
      const acks = store.commands.acksWaiting(ackId, 1000);
      ackId = acks.at(-1)?.ackId ?? ackId;
      return acks;
    },
  };
}

it('takes any frame for what it is, answers each command that has a name, and does no more', {
  timeout: FUZZ_MS,
}, () => {
  let one = agent();
  let ids = 0;
  const inputs = fc.oneof(damagedJson(FRAMES), damagedBytes(FRAMES.map((frame) => Buffer.from(JSON.stringify(frame)))));
  return fuzz('frames', 2000, inputs, (input) => {
    // What waits is for nobody to execute, and is not without end.
    if (ids % INPUTS_AN_AGENT === INPUTS_AN_AGENT - 1) one = agent();
    const { telemetry, calls, handler, newAcks } = one;
    // One id is executed once: another for each frame, where the fuzz left it alone.
    const bytes = Buffer.from(input.toString('latin1').replace('"c-1"', `"c-${++ids}"`), 'latin1');
    const waits: number[] = [];
    dispatchFrame(bytes, false, telemetry, {
      command: (raw) => handler.handle(raw, 'websocket'),
      configUpdate(raw) {
        const { syncIntervalSeconds = 1, logLevel = 'info' } = readConfigUpdate(raw);
        expect(syncIntervalSeconds).toBeGreaterThan(0);
        expect(['debug', 'info', 'warn', 'error']).toContain(logLevel);
      },
      pong: () => {},
      drain: (ms) => void waits.push(ms),
      greeted: (ms) => void waits.push(ms),
    });
    for (const ms of waits) expect(ms >= 0 && ms <= 15 * 60_000).toBe(true);
    for (const { body } of newAcks()) {
      ackSchema.parse(JSON.parse(JSON.stringify(body)));
      expect(JSON.stringify(body).isWellFormed()).toBe(true);
      expect(Buffer.byteLength(JSON.stringify(body))).toBeLessThan(MAX_BODY_BYTES);
    }
    const said = calls.splice(0);
    expect(said.filter(({ args }) => args[0] === 'EDGE_INTERNAL')).toEqual([]);
    for (const { event, args } of said) {
      const told = args.filter((arg) => typeof arg === 'string').join('').length;
      expect([event, told < MAX_SAID]).toEqual([event, true]);
    }
  });
});
