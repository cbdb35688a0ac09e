import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BackendError } from '../../src/backend/BackendError.ts';
import { MAX_RETRY_AFTER_MS, parseRetryAfter } from '../../src/backend/retryAfter.ts';
import { MAX_BURST_DELAY_MS } from '../../src/messaging/pauses.ts';
import type { MessageResponse, SyncResponse } from '../../src/protocol/wire.ts';
import { messageResponseSchema } from '../../src/protocol/wire.ts';
import { MAX_BUBBLES, planAnswer } from '../../src/relay/answer.ts';
import { backendClient, message, rawBackend, SECRET } from '../backend/httpServer.ts';
import { FUZZ_MS, fuzz, fuzzing } from './fuzzing.ts';
import { damagedBytes, damagedJson } from './inputs.ts';

const command = {
  command_id: 'c-1',
  command_type: 'send_message_now',
  payload: { thread_id: '+15550100002', text: 'hi' },
};
const MESSAGE_ANSWERS = [
  { should_respond: true, reply_bubbles: ['one', 'two'], commands: [command] },
  {
    should_respond: true,
    reflex_message: 'hm',
    burst_messages: ['a', 'b'],
    burst_delay_ms: 100,
    reflex_command_id: 'r',
  },
  { should_respond: true, reply_text: 'one' },
];
const SYNC_ANSWERS = [
  { commands: [command], ack_events: ['sent:command:c-1'], config_updates: { sync_interval: 30, log_level: 'info' } },
];
const syncRequest = {
  edge_agent_id: 'edge_15550100001',
  last_command_id: null,
  pending_events: [],
  status: { scheduled_messages: 0, active_rules: 0, uptime_seconds: 1 },
};
const ack = {
  command_id: 'c',
  success: true,
  error: null,
  timestamp: '2026-01-01T00:00:00Z',
  status: 'completed',
} as const;
/** Characters of what an error may say: it goes to the log. */
const MAX_SAID = 2000;

function isSound(response: MessageResponse | 'known'): void {
  if (response === 'known') return;
  messageResponseSchema.parse(response);
  const { bubbles } = planAnswer(response);
  expect(bubbles.length).toBeLessThanOrEqual(MAX_BUBBLES);
  for (const { text, delayMs } of bubbles) {
    expect(text.replaceAll('\0', '').trim()).not.toBe('');
    expect(Number.isInteger(delayMs) && delayMs >= 0 && delayMs <= MAX_BURST_DELAY_MS).toBe(true);
  }
}

function isSoundSync({ commands, ack_events, config_updates, flaws }: SyncResponse): void {
  expect(Array.isArray(commands) && Array.isArray(flaws)).toBe(true);
  expect(ack_events.every((id) => typeof id === 'string')).toBe(true);
  expect(['object', 'undefined']).toContain(typeof config_updates);
}

function isNamed(error: unknown): void {
  if (!(error instanceof BackendError)) throw error;
  expect(error.message).not.toContain(SECRET);
  expect(error.message.length).toBeLessThan(MAX_SAID);
}

/** A backend that answers each request with the bytes it was last told to, and closes the connection. */
async function answering() {
  let answer: Uint8Array = new Uint8Array();
  const { url } = await rawBackend((socket, text) => {
    if (text.includes('\r\n\r\n')) socket.end(answer);
  });
  const { client } = backendClient(url);
  return {
    client,
    says: (bytes: Uint8Array) => {
      answer = bytes;
    },
  };
}

const http = (body: Buffer) =>
  Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`), body]);

it('makes of any body an answer or a failure by name', { timeout: FUZZ_MS }, async () => {
  const { client, says } = await answering();
  const { signal } = new AbortController();
  const samples = [...MESSAGE_ANSWERS, ...SYNC_ANSWERS];
  const inputs = fc.oneof(damagedJson(samples), damagedBytes(samples.map((one) => Buffer.from(JSON.stringify(one)))));
  await fuzz('answers', 500, inputs, async (body) => {
    says(http(body));
    const post = client.postMessage(message('G'), { signal, onWrittenOut: () => {} });
    await post.then(isSound, isNamed);
    await client.sync(syncRequest, signal).then(isSoundSync, isNamed);
  });
});

it('makes of any bytes on the line an answer or a failure by name', { timeout: FUZZ_MS }, async () => {
  const { client, says } = await answering();
  const { signal } = new AbortController();
  const body = Buffer.from(JSON.stringify(MESSAGE_ANSWERS[0]));
  const chunked = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  const refused = 'HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}';
  const moved =
    'HTTP/1.1 307 Moved\r\nLocation: https://example.com/\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';
  const samples = [http(body), ...[chunked, refused, moved].map((text) => Buffer.from(text))];
  await fuzz('http', 500, damagedBytes(samples), async (bytes) => {
    says(bytes);
    await client.postMessage(message('G'), { signal, onWrittenOut: () => {} }).then(isSound, isNamed);
    await client.postAck(ack, signal).catch(isNamed);
  });
});

it('waits as any Retry-After asks, but never longer than a quarter of an hour', { timeout: FUZZ_MS }, () => {
  const header = fc.oneof(
    fc.string(),
    fc.bigInt().map(String),
    fc.date({ noInvalidDate: false }).map(String),
    fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
    fc.constantFrom(
      '1e9',
      '-1',
      '0x10',
      'Mon, ',
      'Sun, 06 Nov 1994 08:49:37 GMT',
      `Mon, ${'9'.repeat(400)}`,
      '9'.repeat(400),
    ),
  );
  fc.assert(
    fc.property(header, (value) => {
      const ms = parseRetryAfter(value, Date.UTC(2026, 0, 1)) ?? 0;
      expect(ms >= 0 && ms <= MAX_RETRY_AFTER_MS).toBe(true);
    }),
    fuzzing(5000),
  );
});
