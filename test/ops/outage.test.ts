import { createServer, type Server } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { Link } from '../../src/backend/Link.ts';
import { Health } from '../../src/ops/Health.ts';
import { Metrics } from '../../src/ops/metrics.ts';
import { createTelemetry } from '../../src/ops/telemetry.ts';
import type { Logger, LogLevel } from '../../src/util/Logger.ts';
import { AGENT_ID, linkSettingsFor, listen, SECRET } from '../backend/httpServer.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { waitFor } from '../support/waitFor.ts';

/** Far less than any delay of the link, ms. */
const STEP_MS = 250;

/** A backend that can go away and come back at the same port. */
async function backend() {
  const sockets = new Set<WebSocket>();
  let server: Server | undefined;
  const up = async (port?: number) => {
    const upgrader = new WebSocketServer({ noServer: true });
    const started = createServer((request, response) => {
      request.resume().on('end', () => response.end('{"commands":[],"ack_events":[]}'));
    });
    started.on('upgrade', (request, socket, head) => {
      upgrader.handleUpgrade(request, socket, head, (ws) => {
        sockets.add(ws);
        ws.on('message', () => ws.send('{"type":"pong"}')).on('error', () => {});
      });
    });
    server = started;
    if (port === undefined) return listen(started);
    await new Promise<void>((resolve) => started.listen(port, '127.0.0.1', resolve));
    return port;
  };
  const down = () => {
    for (const socket of sockets) socket.terminate();
    sockets.clear();
    server?.close();
    server?.closeAllConnections();
  };
  onTestFinished(down);
  return { port: await up(), up, down };
}

function agent(port: number) {
  const clock = new FakeClock();
  const metrics = new Metrics();
  const health = new Health({ clock });
  const lines: string[] = [];
  const at = (level: LogLevel) => (message: string, first?: unknown) => {
    if (level !== 'debug') lines.push(`${level}: ${message}${first === undefined ? '' : ` ${String(first)}`}`);
  };
  const logger: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  const link = new Link({
    settings: linkSettingsFor(port),
    secret: () => SECRET,
    refreshSecret: () => {},
    clock,
    random: () => 0.5,
    telemetry: createTelemetry({ logger, metrics, health, clock }),
    onUp: () => {},
    onDown: () => {},
    onPong: () => {},
    onCommand: () => {},
    onConfigUpdate: () => {},
    onLargeFrames: () => {},
    collect: () => ({
      edge_agent_id: AGENT_ID,
      last_command_id: null,
      pending_events: [],
      status: { scheduled_messages: 0, active_rules: 0, uptime_seconds: 0 },
    }),
    deliver: () => Promise.resolve(),
    onCaughtUp: () => {},
    hasEvents: () => false,
  });
  onTestFinished(async () => {
    const stopped = link.stop();
    await clock.advance(2000);
    await stopped;
    link.close();
  });
  return {
    link,
    metrics,
    health,
    told: () => lines.splice(0),
    /** Lets time pass; no dial is overtaken by the clock. */
    pass: async (ms: number) => {
      for (let passed = 0; passed < ms; passed += STEP_MS) {
        await clock.advance(STEP_MS);
        await waitFor('the end of a dial', () => link.status.state !== 'connecting');
      }
    },
  };
}

describe('an outage of ten minutes', () => {
  it('is one line above DEBUG for each dial, and some at its two ends', async () => {
    const { port, up, down } = await backend();
    const { link, metrics, health, told, pass } = agent(port);
    link.start();
    await pass(60_000);
    await waitFor('a sync', () => metrics.get('syncs') > 0);
    expect(link.isUp).toBe(true);
    told();

    down();
    await waitFor('the loss', () => !link.isUp);
    await pass(600_000);
    const outage = told();
    const errors = outage.filter((line) => line.startsWith('error: WebSocket error: connect ECONNREFUSED'));
    const dials = metrics.by('websocket_dials').get('ECONNREFUSED') ?? 0;
    expect(dials).toBeGreaterThan(10);
    expect(dials).toBeLessThan(20);
    expect(errors).toHaveLength(dials);
    expect(metrics.get('sync_failures')).toBeGreaterThan(10);
    expect(outage.filter((line) => !errors.includes(line)).toSorted()).toEqual([
      expect.stringMatching(/^error: EDGE_BACKEND_UNREACHABLE: .* Check backend.url/),
      'info: Command delivery: HTTP polling every 30s',
      `info: Connecting to WebSocket: ws://127.0.0.1:${port}/edge/ws?edge_agent_id=${AGENT_ID}`,
      expect.stringMatching(/^warn: EDGE_BACKEND_UNREACHABLE: sync failed: .*ECONNREFUSED/),
      'warn: WebSocket closed: code=1006, reason=Unknown',
      'warn: 🔌 WebSocket disconnected - falling back to HTTP polling',
    ]);
    expect(health.standing().map(({ code }) => code)).toEqual(['EDGE_BACKEND_UNREACHABLE']);

    await up(port);
    await pass(80_000);
    await waitFor('the socket', () => link.isUp);
    await waitFor('the sync', () => health.standing().length === 0);
    expect(told().toSorted()).toEqual([
      'info: Command delivery: Real-time via WebSocket 🚀',
      'info: EDGE_BACKEND_UNREACHABLE is over',
      expect.stringMatching(/^info: Syncs are answered again after 1\d min( \d+ s)?, \d\d tries$/),
      expect.stringMatching(new RegExp(`^info: The WebSocket is back after 1\\d min( \\d+ s)?, ${dials + 1} tries$`)),
      'info: ✅ WebSocket connected - real-time mode enabled',
      'info: 🔌 WebSocket connected - real-time command delivery enabled',
    ]);
  });
});
