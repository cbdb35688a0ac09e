import { expect, it } from 'vitest';
import { FakeClock } from '../support/FakeClock.ts';
import { waitFor } from '../support/waitFor.ts';
import { AGENT, identity, startHub } from './testHub.ts';

const PROBE = { ...identity(AGENT), 'X-Edge-Probe': 'doctor' };

it('greets a probe, gives it a command of its own, and leaves the socket of the agent alone', async () => {
  const { connect, hub, admin } = await startHub();
  const agent = await connect();
  const probe = await connect({ headers: PROBE });
  await waitFor('the command', () => probe.commands.length === 1);
  expect(probe.frames[0]).toEqual({ type: 'connected', data: { message: 'WebSocket connected', probe: true } });
  expect(probe.commands[0]).toEqual({
    command_id: expect.stringMatching(/^probe_/),
    command_type: 'probe',
    payload: {},
  });
  probe.ack(probe.commands[0]!.command_id);
  await probe.roundTrip();
  await admin('/api/send-message', { edge_agent_id: AGENT, thread_id: '+15550100002', message: 'hi' });
  await waitFor('the command of the agent', () => agent.commands.length === 1);
  await agent.roundTrip();
  await probe.roundTrip();
  expect(probe.commands).toHaveLength(1);
  expect(agent.closed).toBeUndefined();
  expect(await (await fetch(`${hub.url}/health`)).json()).toMatchObject({ connections: 1 });
});

it('asks a probe for the same credentials', async () => {
  const { connect } = await startHub({ agents: ['edge_15550100009'] });
  expect((await connect({ headers: PROBE })).closed).toEqual({ code: 4001, reason: 'Edge agent not registered' });
});

it('closes a probe after 15 s, one that sends too much at once, and all of them when it stops', async () => {
  const clock = new FakeClock();
  const { connect, hub } = await startHub({ clock });
  const forgotten = await connect({ headers: PROBE });
  await clock.advance(15_000);
  await waitFor('the close', () => forgotten.closed);
  expect(forgotten.closed).toEqual({ code: 1000, reason: 'probe over' });
  const talkative = await connect({ headers: PROBE });
  for (let i = 0; i < 21; i++) talkative.send({ type: 'ping' });
  await waitFor('the close', () => talkative.closed);
  expect(talkative.closed?.code).toBe(1013);
  const last = await connect({ headers: PROBE });
  await hub.stop();
  await waitFor('the close', () => last.closed);
  expect(last.closed?.code).toBe(1012);
});

it('answers the sync of a probe without commands, and keeps them for the agent', async () => {
  const { post, admin, hub } = await startHub();
  await admin('/api/send-message', { edge_agent_id: AGENT, thread_id: '+15550100002', message: 'hi' });
  const body = { edge_agent_id: AGENT, last_command_id: null, pending_events: [], status: { uptime_seconds: 7 } };
  const probed = await post('/edge/sync', body, { 'X-Edge-Probe': 'doctor' });
  expect(probed).toMatchObject({ status: 200, json: { commands: [], ack_events: [], probe: true } });
  expect((await hub.store.agent(AGENT))?.status ?? {}).not.toHaveProperty('uptime_seconds');
  const refused = await post('/edge/sync', { edge_agent_id: 'edge_9' }, { 'X-Edge-Probe': 'doctor' });
  expect(refused.status).toBe(400);
  expect((await post('/edge/sync', body)).json.commands).toHaveLength(1);
});
