import { describe, expect, it, onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { Link } from '../../src/backend/Link.ts';
import { FakeClock, settle } from '../support/FakeClock.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';
import { waitFor } from '../support/waitFor.ts';
import { AGENT_ID, httpBackend, linkSettingsFor, SECRET } from './httpServer.ts';

/** A backend that knows one secret, and a link to it. */
async function linked() {
  const backend = { secret: SECRET, takesSockets: true };
  const sockets: WebSocket[] = [];
  const dials: string[] = [];
  const { url, received, server } = await httpBackend((request, response) => {
    const isKnown = request.headers.authorization === `Bearer ${backend.secret}`;
    response.writeHead(isKnown ? 200 : 401).end('{"commands":[],"ack_events":[]}');
  });
  const upgrader = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    dials.push(request.headers.authorization ?? '');
    const isKnown = request.headers.authorization === `Bearer ${backend.secret}`;
    if (!isKnown) socket.end('HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n');
    else if (!backend.takesSockets) socket.destroy();
    else
      upgrader.handleUpgrade(request, socket, head, (ws) => {
        sockets.push(ws.on('error', () => {}));
        ws.send('{"type":"connected"}');
        ws.on('message', () => ws.send('{"type":"pong"}'));
      });
  });
  const clock = new FakeClock();
  const { telemetry, calls } = recordingTelemetry();
  const agent = { secret: SECRET };
  const large: string[] = [];
  const link = new Link({
    settings: linkSettingsFor(Number(new URL(url).port)),
    secret: () => agent.secret,
    refreshSecret: () => {},
    clock,
    random: () => 0,
    telemetry,
    onUp() {},
    onDown() {},
    onPong() {},
    onCommand() {},
    onConfigUpdate() {},
    collect: () => ({
      edge_agent_id: AGENT_ID,
      last_command_id: null,
      pending_events: [],
      status: { scheduled_messages: 0, active_rules: 0, uptime_seconds: 0 },
    }),
    deliver: async () => {},
    onCaughtUp() {},
    hasEvents: () => false,
    onLargeFrames: (detail) => large.push(detail),
  });
  onTestFinished(async () => {
    await link.stop();
    link.close();
  });
  const count = (event: string) => calls.filter((call) => call.event === event).length;
  return {
    backend,
    agent,
    link,
    clock,
    sockets,
    dials,
    large,
    calls,
    count,
    syncs: () => received.filter(({ path }) => path === '/edge/sync').length,
    up: () => waitFor('the socket to be up', () => link.isUp),
    down: () => waitFor('the socket to be down', () => !link.isUp),
    /** Until so many syncs were answered. */
    synced: (n: number) => waitFor(`sync number ${n}`, () => count('synced') >= n),
  };
}

/** A link that is up, with the sync of its start and that of its socket behind it. */
async function linkUp() {
  const it = await linked();
  it.link.start();
  await it.up();
  await waitFor('quiet', async () => {
    const before = it.count('synced');
    await it.clock.advance(300);
    await settle();
    return before > 0 && it.syncs() === it.count('synced') && it.count('synced') === before;
  });
  return { ...it, before: it.syncs() };
}

describe('the link', () => {
  it('asks by HTTP at once when the socket is lost, and once more when it is back', async () => {
    const { link, clock, sockets, synced, before, up, down, syncs } = await linkUp();
    sockets[0]!.terminate();
    await down();
    await clock.advance(0);
    await synced(before + 1);
    expect(link.status).toMatchObject({ isUp: false, state: 'waiting', failures: 1, lastProblem: { code: '1006' } });
    await clock.advance(1000);
    await up();
    await clock.advance(0);
    await synced(before + 2);
    await clock.advance(20_000);
    expect(syncs()).toBe(before + 2);
    expect(link.status).toMatchObject({ isUp: true, state: 'live', since: clock.now() - 20_000 });
  });

  it('falls back and returns each time on a line that comes and goes every 5 s for 5 minutes', async () => {
    const { backend, clock, sockets, synced, count, up, down, dials } = await linkUp();
    const firstDials = dials.length;
    for (let n = 0; n < 30; n++) {
      backend.takesSockets = false;
      for (const socket of sockets) socket.terminate();
      await down();
      const answered = count('synced');
      await clock.advance(0);
      await synced(answered + 1);
      await clock.advance(5000);
      backend.takesSockets = true;
      for (let waited = 0; waited < 64_000 && !(await isUpSoon()); waited += 1000) await clock.advance(1000);
      await up();
      await clock.advance(5000);
    }
    // 1, 2, 4 … 60 s while no connection lasts 30 s: never a dial a second.
    expect(dials.length - firstDials).toBeLessThan(30 * 6);

    async function isUpSoon() {
      await settle();
      return count('websocketDialed') === dials.length && sockets.at(-1)?.readyState === 1;
    }
  });

  it('after a sleep replaces the socket and asks by HTTP at once', async () => {
    const { link, clock, dials, synced, before, up } = await linkUp();
    link.woke();
    expect(link.isUp).toBe(false);
    await clock.advance(0);
    await synced(before + 1);
    await up();
    expect(dials).toHaveLength(2);
  });

  it('uses another secret at once, for the socket and for the sync', async () => {
    const { backend, agent, link, clock, sockets, dials, count, synced, before, up } = await linkUp();
    backend.secret = 'canary-rotated';
    sockets[0]!.close(4001, 'rotated');
    await waitFor('the wait', () => link.status.state === 'halted');
    await clock.advance(0);
    await waitFor('the refused sync', () => count('syncFailed') === 1);
    expect(link.status).toMatchObject({ state: 'halted', nextDialInMs: 60_000 });
    agent.secret = 'canary-rotated';
    link.secretChanged();
    await up();
    await clock.advance(0);
    await synced(before + 1);
    expect([dials.at(-1), dials.length]).toEqual(['Bearer canary-rotated', 2]);
  });

  it('tells once that frames are too large', async () => {
    const { clock, sockets, large, count, up } = await linkUp();
    for (let n = 0; n < 3; n++) {
      await up();
      sockets[n]!.send('x'.repeat(1024 * 1024 + 1));
      await waitFor('the wait', () => count('websocketRetryIn') === n + 1);
      await clock.advance(n === 0 ? 1000 : 60_000);
    }
    expect(large).toEqual([expect.stringContaining('larger than 1 MiB')]);
  });
});
