import { describe, expect, it } from 'vitest';
import { FakeClock } from '../support/FakeClock.ts';
import { waitFor } from '../support/waitFor.ts';
import { AGENT, recordingLogger, startHub, type TestHub, type TestSocket } from './testHub.ts';

const FLEET = Array.from({ length: 20 }, (_, n) => `edge_155501001${String(n).padStart(2, '0')}`);

const leave = (socket: TestSocket) => socket.frames.find(({ type }) => type === 'drain')?.data;
const greeting = (socket: TestSocket) => socket.frames[0];

async function connectAll({ connect }: TestHub, agentIds: readonly string[]): Promise<TestSocket[]> {
  const sockets: TestSocket[] = [];
  for (const agentId of agentIds) sockets.push(await connect({ agentId }));
  return sockets;
}

describe('a hub that stops', () => {
  it('tells a few agents at once to come back, and closes with 1012', async () => {
    const test = await startHub({ clock: new FakeClock() });
    const sockets = await connectAll(test, FLEET.slice(0, 10));
    await test.hub.stop();
    await waitFor('the closes', () => sockets.every(({ closed }) => closed));
    for (const socket of sockets) {
      expect(leave(socket)).toEqual({ retry_after_ms: 0 });
      expect(socket.closed).toEqual({ code: 1012, reason: 'Service restart' });
    }
  });

  it('tells a fleet one after the other, lets those who left poll, and takes nobody new', async () => {
    const clock = new FakeClock();
    const { logger, lines } = recordingLogger();
    const test = await startHub({ clock, logger });
    const sockets = await connectAll(test, FLEET);
    const stopped = test.hub.stop();
    expect(lines).toContain('info Taking leave of 20 agents over 0.2 s');
    expect(sockets.filter(({ closed }) => closed)).toHaveLength(0);
    await clock.advance(100);
    await waitFor('half of the closes', () => sockets.filter(({ closed }) => closed).length >= 10);
    expect(sockets.filter(({ closed }) => closed).length).toBeLessThan(20);
    expect((await test.connect()).refused?.status).toBe(503);
    expect((await test.post('/edge/sync', {})).status).toBe(200);
    await clock.advance(100);
    await stopped;
    await waitFor('the closes', () => sockets.every(({ closed }) => closed));
    expect(new Set(sockets.map(({ closed }) => closed?.code))).toEqual(new Set([1012]));
  });

  it('keeps what an agent did not get any more for its poll', async () => {
    const clock = new FakeClock();
    const test = await startHub({ clock });
    const sockets = await connectAll(test, [AGENT, ...FLEET]);
    const stopped = test.hub.stop();
    await clock.advance(50);
    await waitFor('its close', () => sockets[0]!.closed);
    await test.admin('/api/send-message', { edge_agent_id: AGENT, thread_id: '+15550100002', message: 'hi' });
    expect((await test.post('/edge/sync', {})).json.commands).toHaveLength(1);
    await clock.advance(1_000);
    await stopped;
  });
});

describe('the greeting', () => {
  it('asks a fleet to spread its return, and a few agents for nothing', async () => {
    const test = await startHub();
    const sockets = await connectAll(test, FLEET.slice(0, 12));
    expect(greeting(sockets[0]!)?.data).toEqual({ message: 'WebSocket connected' });
    expect(greeting(sockets[11]!)?.data).toEqual({ message: 'WebSocket connected', reconnect_spread_ms: 120 });
  });

  it('knows the fleet again after a restart, and forgets agents after a day', async () => {
    const clock = new FakeClock();
    const before = await startHub({ clock });
    for (const agentId of FLEET) await before.post('/edge/sync', {}, { 'X-Edge-Agent-Id': agentId });
    await before.hub.stop();
    const again = await startHub({ clock, dbPath: before.dbPath });
    expect(greeting(await again.connect())?.data).toMatchObject({ reconnect_spread_ms: 200 });
    await again.hub.stop();
    clock.jumpWall(25 * 3_600_000);
    const late = await startHub({ clock, dbPath: before.dbPath });
    expect(greeting(await late.connect())?.data).toEqual({ message: 'WebSocket connected' });
  });
});
