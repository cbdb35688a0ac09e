import { describe, expect, it } from 'vitest';
import { Health } from '../../src/ops/Health.ts';
import { Metrics } from '../../src/ops/metrics.ts';
import { createTelemetry } from '../../src/ops/telemetry.ts';
import type { Logger, LogLevel } from '../../src/util/Logger.ts';
import { FakeClock } from '../support/FakeClock.ts';

const URL = 'wss://HOST/edge/ws?edge_agent_id=edge_1';

/** Telemetry of which only the link is told. */
function link() {
  const lines: string[] = [];
  const at = (level: LogLevel) => (message: string, first?: unknown) => {
    if (level !== 'debug') lines.push(`${level}: ${message}${first === undefined ? '' : ` ${String(first)}`}`);
  };
  const logger: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  const clock = new FakeClock();
  const metrics = new Metrics();
  let changes = 0;
  const health = new Health({ clock, onChange: () => changes++ });
  const telemetry = createTelemetry({ logger, metrics, health, clock });
  return {
    telemetry,
    clock,
    metrics,
    changes: () => changes,
    /** The lines above DEBUG since the last call. */
    told: () => lines.splice(0),
    standing: () => health.standing().map(({ code }) => code),
    dialFails: (result: string, message = result) => {
      telemetry.websocketConnecting(URL);
      telemetry.websocketError(message);
      telemetry.websocketDialed(result);
    },
    dialSucceeds: () => {
      telemetry.websocketConnecting(URL);
      telemetry.websocketDialed('open');
      telemetry.websocketConnected();
    },
    refused: (status: number) =>
      telemetry.websocketRefused({ status, body: 'no', likelyCause: 'Wrong secret.', check: 'Check it.' }),
  };
}

describe('what the log says of an outage of the WebSocket', () => {
  it('is the address once, a line for each dial that fails, and at the end how long it lasted', async () => {
    const { clock, told, dialFails, dialSucceeds } = link();
    dialFails('EDGE_BACKEND_BUSY', 'a');
    await clock.advance(60_000);
    dialFails('EDGE_BACKEND_BUSY', 'b');
    await clock.advance(63_000);
    expect(told().filter((line) => !line.includes('EDGE_BACKEND_BUSY'))).toEqual([
      `info: Connecting to WebSocket: ${URL}`,
      'error: WebSocket error: a',
      'error: WebSocket error: b',
    ]);
    dialSucceeds();
    expect(told()).toContain('info: The WebSocket is back after 2 min 3 s, 3 tries');
  });

  it('has the address again when the cause is another, and not when an earlier cause comes back', () => {
    const { told, dialFails } = link();
    const dials = ['ECONNREFUSED', 'ETIMEDOUT', 'ETIMEDOUT', 'ECONNREFUSED', 'ETIMEDOUT', 'ECONNREFUSED'];
    const addresses = dials.map((result) => {
      dialFails(result);
      return told().filter((line) => line.includes('Connecting')).length;
    });
    expect(addresses).toEqual([1, 0, 1, 0, 0, 0]);
  });

  it('explains a refusal once, until a connection has lasted', async () => {
    const { telemetry, clock, told, dialFails, dialSucceeds, refused } = link();
    const explained = () => told().filter((line) => line.includes('Wrong secret')).length;
    for (const expected of [1, 0]) {
      dialFails('status_403');
      refused(403);
      expect(explained()).toBe(expected);
    }
    refused(404);
    expect(told()).toEqual(['error: The backend refused the WebSocket with 404: Wrong secret. Check it. It said: no']);
    dialSucceeds();
    telemetry.websocketClosed(1006, '');
    refused(403);
    expect(explained()).toBe(0);
    dialSucceeds();
    await clock.advance(30_000);
    telemetry.websocketClosed(1006, '');
    refused(403);
    expect(explained()).toBe(1);
  });

  it('does not take a connection that is dropped at once for the end each time', async () => {
    const { telemetry, clock, told, dialFails, dialSucceeds } = link();
    const ends = () => told().filter((line) => line.includes('is back'));
    dialSucceeds();
    telemetry.websocketClosed(1006, '');
    await clock.advance(1000);
    dialSucceeds();
    expect(ends()).toEqual(['info: The WebSocket is back after 1.0 s, 1 try']);
    telemetry.websocketClosed(1006, '');
    dialSucceeds();
    expect(ends()).toEqual([]);
    telemetry.websocketClosed(1006, '');
    await clock.advance(1000);
    dialFails('ECONNREFUSED');
    dialSucceeds();
    expect(ends()).toEqual(['info: The WebSocket is back after 2.0 s, 4 tries']);
  });
});

describe('what the log says of a drain', () => {
  it('is when the agent comes back', () => {
    const { telemetry, told } = link();
    telemetry.websocketDraining(0);
    telemetry.websocketDraining(5000);
    expect(told()).toEqual([
      'info: The backend asks its agents to leave and come back (drain); back within 2 s',
      'info: The backend asks its agents to leave and come back (drain); back in 5.0 s',
    ]);
  });
});

describe('what the log says of syncs', () => {
  it('is each cause once, and one line when they are answered again', async () => {
    const { telemetry, clock, told } = link();
    telemetry.syncFailed('EDGE_BACKEND_ANSWER', 'not JSON');
    telemetry.syncFailed('EDGE_BACKEND_REDIRECT', '301');
    telemetry.syncFailed('EDGE_BACKEND_ANSWER', 'not JSON either');
    await clock.advance(5000);
    telemetry.synced({ commands: 0, events: 0, ms: 3 });
    telemetry.synced({ commands: 0, events: 0, ms: 3 });
    telemetry.syncFailed('EDGE_BACKEND_ANSWER', 'again');
    expect(told()).toEqual([
      'warn: EDGE_BACKEND_ANSWER: sync failed: not JSON',
      'warn: EDGE_BACKEND_REDIRECT: sync failed: 301',
      'info: Syncs are answered again after 5.0 s, 4 tries',
      'warn: EDGE_BACKEND_ANSWER: sync failed: again',
    ]);
  });
});

describe('a condition of the link', () => {
  it('is one however many channels meet it, and ends once when the first of them works', async () => {
    const { telemetry, told, standing, changes, dialFails, clock } = link();
    for (let i = 0; i < 3; i++) {
      dialFails('ENOTFOUND');
      telemetry.conditionRaised('EDGE_BACKEND_DNS', 'getaddrinfo ENOTFOUND');
      telemetry.syncFailed('EDGE_BACKEND_DNS', 'getaddrinfo ENOTFOUND');
      telemetry.conditionRaised('EDGE_BACKEND_DNS', 'POST /edge/message failed');
    }
    expect(standing()).toEqual(['EDGE_BACKEND_DNS']);
    await clock.advance(5000);
    telemetry.synced({ commands: 0, events: 0, ms: 3 });
    expect(standing()).toEqual([]);
    telemetry.conditionCleared('EDGE_BACKEND_DNS');
    telemetry.websocketConnected();
    expect(changes()).toBe(2);
    const about = told().filter((line) => line.includes('EDGE_BACKEND_DNS') && !line.includes('WebSocket error'));
    expect(about).toEqual([
      expect.stringMatching(/^error: EDGE_BACKEND_DNS: .*Check the host/),
      'info: EDGE_BACKEND_DNS is over',
    ]);
  });

  it('is none for a single failure, but for a refused secret', () => {
    const { telemetry, standing, dialFails } = link();
    telemetry.syncFailed('EDGE_BACKEND_UNREACHABLE', 'reset');
    dialFails('status_503');
    expect(standing()).toEqual([]);
    dialFails('status_401');
    expect(standing()).toEqual(['EDGE_BACKEND_AUTH']);
  });

  it('stays while one channel works and another alone is refused or cut off', () => {
    const { telemetry, standing, dialFails, dialSucceeds } = link();
    dialFails('status_404');
    dialFails('status_404');
    telemetry.conditionRaised('EDGE_PROXY_FAILED', 'CONNECT was answered 502');
    telemetry.synced({ commands: 0, events: 0, ms: 3 });
    expect(standing()).toEqual(['EDGE_BACKEND_NOT_FOUND', 'EDGE_PROXY_FAILED']);
    telemetry.conditionCleared('EDGE_PROXY_FAILED');
    dialSucceeds();
    expect(standing()).toEqual([]);
  });

  it('follows the cause: what a channel meets last is what stands for it', () => {
    const { telemetry, standing } = link();
    for (const code of ['EDGE_BACKEND_DNS', 'EDGE_TLS_EXPIRED', 'EDGE_BACKEND_BUSY'] as const) {
      telemetry.syncFailed(code, 'x');
      telemetry.syncFailed(code, 'x');
      expect(standing()).toEqual([code]);
    }
  });

  it('of a way that is blocked ends with an answer, though it be a refusal, which is what stands then', () => {
    const { telemetry, standing } = link();
    telemetry.conditionRaised('EDGE_BACKEND_UNREACHABLE', 'POST /edge/message failed: connect ECONNREFUSED');
    telemetry.syncFailed('EDGE_BACKEND_UNREACHABLE', 'connect ECONNREFUSED');
    telemetry.syncFailed('EDGE_SECRET_MISSING', 'no request was made');
    expect(standing()).toEqual(['EDGE_BACKEND_UNREACHABLE']);
    telemetry.syncFailed('EDGE_BACKEND_UNREACHABLE', 'connect ECONNREFUSED');
    telemetry.syncFailed('EDGE_BACKEND_AUTH', 'POST /edge/sync was answered 401');
    expect(standing()).toEqual(['EDGE_BACKEND_AUTH']);
  });

  it('is not ended by a handshake that is followed by 4001, but by a connection', () => {
    const { telemetry, standing, dialSucceeds, refused } = link();
    for (let i = 0; i < 2; i++) {
      telemetry.websocketDialed('open');
      telemetry.websocketClosed(4001, 'who are you');
      refused(4001);
    }
    expect(standing()).toEqual(['EDGE_BACKEND_AUTH']);
    dialSucceeds();
    expect(standing()).toEqual([]);
  });

  it('is none for a backend without syncs', () => {
    const { telemetry, standing } = link();
    for (let i = 0; i < 3; i++) telemetry.syncFailed('EDGE_BACKEND_NOT_FOUND', '404');
    expect(standing()).toEqual([]);
  });

  it('quietens the messages that wait for it', () => {
    const { telemetry, told } = link();
    const retried = { guid: 'G', threadId: '+15550100002', detail: 'x', retryInMs: 1000 };
    telemetry.conditionRaised('EDGE_BACKEND_DNS', 'x');
    told();
    telemetry.messageRetried({ ...retried, code: 'EDGE_BACKEND_DNS' });
    expect(told()).toEqual([]);
    telemetry.messageRetried({ ...retried, code: 'EDGE_BACKEND_BUSY' });
    expect(told()).toHaveLength(1);
  });
});

describe('the metrics of the link', () => {
  it('have few labels, whatever a backend invents', () => {
    const { telemetry, metrics } = link();
    for (const result of ['open', 'status_403', 'status_777', 'EDGE_TLS_PIN', 'ECONNREFUSED', 'x1', 'x2']) {
      telemetry.websocketDialed(result);
    }
    for (const code of [1006, 4001, 4321, 4322, 3001, 999, 70_000]) telemetry.websocketClosed(code, '');
    expect(Object.fromEntries(metrics.by('websocket_dials'))).toEqual({
      open: 1,
      status_403: 1,
      status_other: 1,
      EDGE_TLS_PIN: 1,
      ECONNREFUSED: 1,
      other: 2,
    });
    expect(Object.fromEntries(metrics.by('websocket_closes'))).toEqual({
      '1006': 1,
      '4001': 1,
      '4xxx': 2,
      '3xxx': 1,
      other: 2,
    });
  });

  it('have no more than 200 values a label', () => {
    const metrics = new Metrics();
    for (let i = 0; i < 1000; i++) metrics.countBy('errors', `E${i}`);
    expect(metrics.by('errors').size).toBeLessThanOrEqual(201);
    expect(metrics.by('errors').get('other')).toBe(800);
  });
});

describe('what the log says of a backend that repeats itself', () => {
  it('is ten bad frames a minute, how many more there were, and all of them in the metrics', async () => {
    const { telemetry, clock, told, metrics } = link();
    for (let n = 0; n < 1000; n++) telemetry.frameRefused('EDGE_FRAME_INVALID', `not JSON (${n} bytes)`);
    const lines = told();
    expect([lines.length, lines[0]]).toEqual([10, 'warn: EDGE_FRAME_INVALID: not JSON (0 bytes)']);
    await clock.advance(60_000);
    telemetry.frameRefused('EDGE_FRAME_INVALID', 'not JSON (7 bytes)');
    telemetry.frameRefused('EDGE_FRAME_INVALID', 'not JSON (8 bytes)');
    expect(told()).toEqual([
      'warn: EDGE_FRAME_INVALID: not JSON (7 bytes) (and 990 more since the line before)',
      'warn: EDGE_FRAME_INVALID: not JSON (8 bytes)',
    ]);
    expect(metrics.get('frames_refused')).toBe(1002);
  });

  it('is a setting once while it stays the same', () => {
    const { telemetry, told } = link();
    for (const syncIntervalSeconds of [5, 5, 5, 6]) {
      telemetry.configUpdated({ syncIntervalSeconds, refused: ['colour'] });
    }
    expect(told()).toEqual([
      'info: The backend set sync interval 5 s',
      'warn: The backend may set sync_interval and log_level only; refused: colour',
      'info: The backend set sync interval 6 s',
    ]);
  });
});
