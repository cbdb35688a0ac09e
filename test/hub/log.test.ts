import { describe, expect, it } from 'vitest';
import { createLog } from '../../src/hub/cli/createLog.ts';
import type { HubObserver } from '../../src/hub/edge/HubObserver.ts';
import type { IncomingMessage, Reply } from '../../src/hub/responders/Responder.ts';
import { waitFor } from '../support/waitFor.ts';
import { ADMIN, AGENT, identity, message, recordingLogger, SECRET, startHub } from './testHub.ts';

const TEXT = 'okie lemme see';
const responder = {
  async respond(_message: IncomingMessage, reply: Reply) {
    void reply.reflex(TEXT);
    return { should_respond: true, bubbles: ['the answer'] };
  },
};

async function conversation(logContent: boolean): Promise<string[]> {
  const { logger, lines } = recordingLogger();
  const hub = await startHub({ logger, logContent, responder, reflexWaitMs: 0, agents: [AGENT] });
  const send = () =>
    hub.admin('/api/send-message', { edge_agent_id: AGENT, thread_id: '+15550100002', message: 'private words' });
  await hub.connect({ headers: {} });
  await hub.connect({ headers: identity(AGENT, 'wrong') });
  await hub.connect({ agentId: 'no/id', headers: { Authorization: `Bearer ${SECRET}` } });
  await hub.connect({ agentId: 'edge_15550100077' });
  await hub.connect({ path: '/edge/nowhere?token=abc' });
  await hub.post('/edge/message', message('first private words'));
  await send();
  const socket = await hub.connect();
  await waitFor('the queued command', () => socket.commands.length === 1);
  await hub.post('/edge/message', message('second private words'));
  await send();
  await waitFor('the command', () => socket.commands.length === 3);
  socket.ws.close();
  await waitFor('the end', () => lines.some((line) => line.includes('disconnected')));
  return lines.filter((line) => !line.startsWith('debug') && !line.includes('Listening on'));
}

describe('the log', () => {
  it('has the lines operators grep for, without message texts', async () => {
    expect(await conversation(false)).toMatchInlineSnapshot(`
      [
        "info WebSocket upgrade requested for: /edge/ws?edge_agent_id=edge_15550100001",
        "warn ❌ WebSocket connection rejected: missing auth header",
        "info WebSocket upgrade requested for: /edge/ws?edge_agent_id=edge_15550100001",
        "warn ❌ Token verification failed",
        "info WebSocket upgrade requested for: /edge/ws?edge_agent_id=no%2Fid",
        "warn ❌ Invalid edge_agent_id",
        "info WebSocket upgrade requested for: /edge/ws?edge_agent_id=edge_15550100077",
        "warn ❌ WebSocket connection rejected: edge agent not registered",
        "warn ❌ Endpoint not found: /edge/nowhere",
        "info [HTTP POST] Received from edge_15550100001",
        "info [Reflex] WebSocket NOT found for edge_15550100001 ❌",
        "info [Reflex] Will return in HTTP response only (fallback mode)",
        "info WebSocket not available, queuing for HTTP polling",
        "info WebSocket upgrade requested for: /edge/ws?edge_agent_id=edge_15550100001",
        "info ✅ WebSocket connection established for edge_15550100001",
        "info ✅ Edge agent registered with WebSocket manager",
        "info [WebSocket] Connected: edge_15550100001 (total connections: 1)",
        "info Edge agent edge_15550100001 connected",
        "info Active connections: 1",
        "info Command sent via WebSocket (instant)",
        "info [HTTP POST] Received from edge_15550100001",
        "info [Reflex] WebSocket found for edge_15550100001 ✅",
        "info [Reflex] Sent [14 characters, sha256 910dfd8a] via WebSocket to edge_15550100001",
        "info Command sent via WebSocket (instant)",
        "info Edge agent edge_15550100001 disconnected",
        "info Active connections: 0",
      ]
    `);
  });

  it('shows texts of reflexes when asked to', async () => {
    const lines = await conversation(true);
    expect(lines).toContain(`info [Reflex] Sent "${TEXT}" via WebSocket to ${AGENT}`);
  });

  it('never has a secret, a token or the text of a message', async () => {
    const { logger, lines, fields } = recordingLogger();
    const hub = await startHub({ logger });
    const socket = await hub.connect({ path: `/edge/ws?edge_agent_id=${AGENT}&token=${SECRET}` });
    await hub.post('/edge/message', message('private words'));
    socket.send('{"type":"private');
    await socket.roundTrip();
    const all = JSON.stringify([lines, fields]);
    for (const word of [SECRET, ADMIN, 'private', '+15550100002']) expect(all).not.toContain(word);
  });

  it('writes text or JSON, a line an entry', () => {
    const written: string[] = [];
    const text = createLog({ format: 'text', level: 'info', write: (line) => written.push(line) });
    text.info('two\nlines', { agentId: 'x' });
    text.debug('not this');
    const json = createLog({ format: 'json', level: 'debug', write: (line) => written.push(line) });
    json.warn('careful', { agentId: 'x' });
    expect(written[0]).toMatch(/^\[\d{4}-\d\d-\d\dT[\d:.]+Z\] \[INFO\] two\\nlines\n$/);
    expect(JSON.parse(written[1]!)).toEqual({ level: 'warn', time: expect.any(String), agentId: 'x', msg: 'careful' });
    expect(written).toHaveLength(2);
  });
});

describe('an observer', () => {
  it('is told what happens, as it happens', async () => {
    const seen: [string, Record<string, unknown>][] = [];
    const observe = new Proxy({} as HubObserver, {
      get: (_target, name: string) => (info: Record<string, unknown>) => seen.push([name, info]),
    });
    const hub = await startHub({ observe });
    const socket = await hub.connect();
    const body = message('hi');
    await hub.post('/edge/message', body);
    const { json } = await hub.admin('/api/send-message', { edge_agent_id: AGENT, thread_id: 't', message: 'm' });
    await waitFor('the command', () => socket.commands.length);
    socket.ack(json.command_id);
    await socket.roundTrip();
    await hub.post('/edge/sync', { pending_events: [{ event_id: 'e', event_type: 'error', details: {} }] });
    socket.ws.close();
    await waitFor('the end', () => seen.some(([name]) => name === 'socketDown'));
    expect(seen.map(([name]) => name)).toEqual([
      'socketUp',
      'messageReceived',
      'messageAnswered',
      'commandSent',
      'ackReceived',
      'eventReceived',
      'socketDown',
    ]);
    const [, received] = seen[1]!;
    expect(received).toMatchObject({ agentId: AGENT, body: { raw: body, text: 'hi' } });
    const moments = seen.map(([, info]) => info.at as { monotonic: number; wall: number });
    expect(moments.map(({ monotonic }) => monotonic)).toEqual(moments.map((at) => at.monotonic).sort((a, b) => a - b));
    expect(seen[4]![1]).toMatchObject({ known: true, ack: { commandId: json.command_id, status: 'completed' } });
  });
});
