import { describe, expect, it } from 'vitest';
import { readConfigUpdate } from '../../src/backend/configUpdate.ts';
import { connectionPolicy } from '../../src/backend/connectionPolicy.ts';
import { readFrame } from '../../src/backend/readFrame.ts';
import { drainDelayMs, reconnectDelayMs } from '../../src/backend/reconnectDelay.ts';
import { parseRetryAfter } from '../../src/backend/retryAfter.ts';
import { type Endpoint, meaningOf } from '../../src/backend/statusPolicy.ts';

describe('the meaning of an HTTP status', () => {
  const rows: [number, string, string, string][] = [
    [200, 'taken', 'taken', 'taken'],
    [204, 'taken', 'taken', 'taken'],
    [301, 'EDGE_BACKEND_REDIRECT', 'EDGE_BACKEND_REDIRECT', 'EDGE_BACKEND_REDIRECT'],
    [307, 'EDGE_BACKEND_REDIRECT', 'EDGE_BACKEND_REDIRECT', 'EDGE_BACKEND_REDIRECT'],
    [400, 'EDGE_BACKEND_REJECTED', 'EDGE_BACKEND_REJECTED', 'EDGE_BACKEND_REJECTED'],
    [401, 'EDGE_BACKEND_AUTH', 'EDGE_BACKEND_AUTH', 'EDGE_BACKEND_AUTH'],
    [403, 'EDGE_BACKEND_AUTH', 'EDGE_BACKEND_AUTH', 'EDGE_BACKEND_AUTH'],
    [404, 'EDGE_BACKEND_REJECTED', 'EDGE_BACKEND_NOT_FOUND', 'EDGE_BACKEND_NOT_FOUND'],
    [405, 'EDGE_BACKEND_REJECTED', 'EDGE_BACKEND_REJECTED', 'EDGE_BACKEND_REJECTED'],
    [408, 'EDGE_BACKEND_BUSY', 'EDGE_BACKEND_BUSY', 'EDGE_BACKEND_BUSY'],
    [409, 'known', 'EDGE_BACKEND_REJECTED', 'known'],
    [413, 'EDGE_BACKEND_REJECTED', 'EDGE_BACKEND_REJECTED', 'EDGE_BACKEND_REJECTED'],
    [422, 'EDGE_BACKEND_REJECTED', 'EDGE_BACKEND_REJECTED', 'EDGE_BACKEND_REJECTED'],
    [425, 'EDGE_BACKEND_BUSY', 'EDGE_BACKEND_BUSY', 'EDGE_BACKEND_BUSY'],
    [429, 'EDGE_BACKEND_BUSY', 'EDGE_BACKEND_BUSY', 'EDGE_BACKEND_BUSY'],
    [500, 'EDGE_BACKEND_BUSY', 'EDGE_BACKEND_BUSY', 'EDGE_BACKEND_BUSY'],
    [501, 'EDGE_BACKEND_BUSY', 'EDGE_BACKEND_BUSY', 'EDGE_BACKEND_BUSY'],
    [502, 'EDGE_BACKEND_BUSY', 'EDGE_BACKEND_BUSY', 'EDGE_BACKEND_BUSY'],
    [503, 'EDGE_BACKEND_BUSY', 'EDGE_BACKEND_BUSY', 'EDGE_BACKEND_BUSY'],
    [504, 'EDGE_BACKEND_BUSY', 'EDGE_BACKEND_BUSY', 'EDGE_BACKEND_BUSY'],
    [600, 'EDGE_BACKEND_ANSWER', 'EDGE_BACKEND_ANSWER', 'EDGE_BACKEND_ANSWER'],
  ];
  const endpoints: Endpoint[] = ['/edge/message', '/edge/sync', '/edge/command/ack'];
  it.each(rows)('%i: message %s, sync %s, ack %s', (status, ...meanings) => {
    expect(endpoints.map((endpoint) => meaningOf(status, endpoint))).toEqual(meanings);
  });
});

describe('Retry-After', () => {
  const now = Date.UTC(2026, 10, 21, 12, 0, 0);
  it.each([
    ['30', 30_000],
    [' 0 ', 0],
    ['1000000000', 900_000],
    ['99999999999999999999999999', 900_000],
    ['Sat, 21 Nov 2026 12:00:07 GMT', 7000],
    ['Saturday, 21-Nov-26 12:00:07 GMT', 7000],
    ['Sat Nov 21 12:00:07 2026', 7000],
    ['Sat, 21 Nov 2026 11:00:00 GMT', 0],
    ['Sat, 21 Nov 2099 12:00:00 GMT', 900_000],
    ['-5', undefined],
    ['1.5', undefined],
    ['1e9', undefined],
    ['soon', undefined],
    ['Sat, soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%s is %s ms', (header, ms) => {
    expect(parseRetryAfter(header, now)).toBe(ms);
  });
});

describe('what follows the end of a WebSocket', () => {
  const codes = [1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1010, 1011, 1014, 1015, 3000, 3500, 4000, 4002, 4999];
  it.each(codes)('code %i: normal back-off', (code) => {
    expect(connectionPolicy({ kind: 'code', code })).toEqual({ delay: 'backoff' });
  });

  it.each([1012, 1013])('code %i: a short delay', (code) => {
    expect(connectionPolicy({ kind: 'code', code })).toEqual({ delay: 'short' });
  });

  it.each([
    { kind: 'code', code: 4001 },
    { kind: 'status', status: 401 },
    { kind: 'status', status: 403 },
  ] as const)('$kind $code$status: the secret is read again, a person is told, 60 s', (ending) => {
    expect(connectionPolicy(ending)).toEqual({
      delay: 'slow',
      halts: true,
      rereadsSecret: true,
      isRefusal: true,
    });
  });

  it.each([429, 503])('status %i: back-off that obeys Retry-After', (status) => {
    expect(connectionPolicy({ kind: 'status', status })).toEqual({ delay: 'backoff', obeysRetryAfter: true });
  });

  it.each([200, 204, 301, 302, 303, 307, 308, 400, 407])('status %i: back-off and a reason', (status) => {
    expect(connectionPolicy({ kind: 'status', status })).toEqual({ delay: 'backoff', isRefusal: true });
  });

  it.each([404, 410, 426])('status %i: a reason, 60 s, and no need of another secret', (status) => {
    expect(connectionPolicy({ kind: 'status', status })).toEqual({ delay: 'slow', isRefusal: true });
  });

  it('code 1009: back-off and a reason', () => {
    expect(connectionPolicy({ kind: 'code', code: 1009 })).toEqual({ delay: 'backoff', explain: expect.anything() });
  });

  it('a foreign key: 60 s, until a person has looked', () => {
    expect(connectionPolicy({ kind: 'error', code: 'EDGE_TLS_PIN' })).toEqual({ delay: 'slow', halts: true });
  });

  it.each([402, 405, 408, 418, 425, 500, 502, 504, 599])('status %i: normal back-off', (status) => {
    expect(connectionPolicy({ kind: 'status', status })).toEqual({ delay: 'backoff' });
  });

  it.each(['ECONNREFUSED', 'ENOTFOUND', 'CERT_HAS_EXPIRED', undefined])('error %s: normal back-off', (code) => {
    expect(connectionPolicy({ kind: 'error', code })).toEqual({ delay: 'backoff' });
  });

  it.each([
    'WS_ERR_INVALID_UTF8',
    'WS_ERR_EXPECTED_FIN',
    'WS_ERR_INVALID_CLOSE_CODE',
    'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH',
    'WS_ERR_INVALID_OPCODE',
    'WS_ERR_UNEXPECTED_MASK',
    'WS_ERR_UNEXPECTED_RSV_1',
    'WS_ERR_UNEXPECTED_RSV_2_3',
  ])('error %s: back-off and a reason', (code) => {
    expect(connectionPolicy({ kind: 'error', code })).toEqual({ delay: 'backoff', explain: expect.anything() });
  });

  it.each([
    'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
    'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH',
    'WS_ERR_TOO_MANY_BUFFERED_PARTS',
  ])('error %s: back-off, a reason, and the note that the frame was too large', (code) => {
    expect(connectionPolicy({ kind: 'error', code })).toEqual({
      delay: 'backoff',
      explain: expect.anything(),
      isOversized: true,
    });
  });

  it('whatever it is, is waited for', () => {
    for (let n = 0; n < 5000; n++) {
      for (const ending of [{ kind: 'code', code: n } as const, { kind: 'status', status: n } as const]) {
        const { delay } = connectionPolicy(ending);
        expect(reconnectDelayMs(delay, { failures: 1, random: () => 0 })).toBeGreaterThanOrEqual(200);
      }
    }
  });
});

describe('the delay before the next connection', () => {
  const delay = (kind: 'short' | 'backoff' | 'slow', failures: number, random = 0, retryAfterMs?: number) =>
    reconnectDelayMs(kind, { failures, retryAfterMs, random: () => random });

  it('doubles from 1 to 60 s', () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 8, 1000].map((failures) => delay('backoff', failures));
    expect(delays).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  it('has up to 25 % jitter on top', () => {
    expect(delay('backoff', 3, 0.999999)).toBe(5000);
    expect(delay('slow', 1, 0.999999)).toBe(75_000);
  });

  it('is 0.2–2 s for a restart, once, and back-off after that', () => {
    expect([delay('short', 1, 0), delay('short', 1, 0.999999)]).toEqual([200, 2000]);
    expect(delay('short', 2, 0)).toBe(2000);
  });

  it('is what Retry-After says, whatever the count, and never under a second', () => {
    expect(delay('backoff', 9, 0, 5000)).toBe(5000);
    expect(delay('backoff', 1, 0, 0)).toBe(1000);
  });

  it('is spread on top as far as the greeting asked', () => {
    const spread = (kind: 'short' | 'backoff', random: number) =>
      reconnectDelayMs(kind, { failures: 1, random: () => random, spreadMs: 20_000 });
    expect([spread('backoff', 0), spread('backoff', 0.5), spread('short', 0.5)]).toEqual([1000, 11_125, 11_100]);
  });

  it('after a drain is what was asked for, or as after a restart', () => {
    const drain = (ms: number, failures: number, random = 0) =>
      drainDelayMs(ms, { failures, random: () => random, spreadMs: 1000 });
    expect([drain(0, 1), drain(0, 1, 0.5), drain(5000, 1), drain(5000, 1, 0.999999)]).toEqual([200, 1600, 5000, 7250]);
    expect([drain(0, 2), drain(5000, 2), drain(5000, 7)]).toEqual([2000, 5000, 60_000]);
  });
});

describe('a frame', () => {
  const read = (text: string, binary = false) => readFrame(Buffer.from(text), binary);

  it('is its type, data and length', () => {
    expect(read('{"type":"command","data":{"command_id":"1"},"extra":1}')).toEqual({
      type: 'command',
      data: { command_id: '1' },
      bytes: 54,
    });
    expect(read('{"type":"pong"}')).toEqual({ type: 'pong', data: undefined, bytes: 15 });
  });

  it.each([
    ['canary', false, 'not JSON (6 bytes)'],
    ['', false, 'not JSON (0 bytes)'],
    ['["canary"]', false, 'not an object (10 bytes)'],
    ['null', false, 'not an object (4 bytes)'],
    ['"canary"', false, 'not an object (8 bytes)'],
    ['{"data":"canary"}', false, 'type is not a string (17 bytes)'],
    ['{"type":7}', false, 'type is not a string (10 bytes)'],
    ['{"type":"pong"}', true, 'a binary frame (15 bytes)'],
  ])('such as %s (binary: %s) is refused without its content', (text, binary, refused) => {
    expect(read(text, binary)).toEqual({ refused });
  });

  it('of any nesting does no harm', () => {
    const deep = `{"type":"x","data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    expect(read(deep)).toHaveProperty('type', 'x');
    expect(read('{"type":"x","__proto__":{"polluted":1}}')).not.toHaveProperty('polluted');
  });
});

describe('config_update', () => {
  it('takes what the protocol names, and refuses by name whatever else is in it', () => {
    const raw = JSON.parse(
      '{"sync_interval":5,"log_level":"trace","__proto__":1,"constructor":2,"toString":3,"url":4}',
    );
    expect(readConfigUpdate(raw)).toEqual({
      syncIntervalSeconds: 5,
      refused: ['__proto__', 'constructor', 'toString', 'url', 'log_level'],
    });
    for (const nonsense of [null, [], 'x', 7]) {
      expect(readConfigUpdate(nonsense)).toEqual({ refused: ['(not an object)'] });
    }
  });
});
