import { expect } from 'vitest';
import type { WebSocket } from 'ws';
import { waitFor } from '../support/waitFor.ts';
import { faultTest } from './harness/faultTest.ts';

const UNKNOWN_TYPES = 10_000;
const DEEP = 100_000;
const command = (data: unknown) => JSON.stringify({ type: 'command', data });
/** Not JSON, not an object, not a type, and commands without what a command needs. */
const FRAMES = [
  '',
  'NaN',
  '{"type":"command","data":NaN}',
  'null',
  '[]',
  '42',
  '"command"',
  '{"type":7}',
  '{"data":{}}',
  '{"type":"command"}',
  '{"type":"config_update","data":[]}',
  '{"type":"config_update","data":{"sync_interval":"soon","log_level":"loud","__proto__":{"a":1}}}',
  '{"__proto__":{"type":"command"},"constructor":{}}',
  `${'['.repeat(DEEP)}${']'.repeat(DEEP)}`,
  `{"type":"command","data":${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}}`,
  command(null),
  command('text'),
  command({ command_type: 'list_scheduled', payload: {} }),
  command({ command_id: 7, command_type: 'list_scheduled', payload: {} }),
  command({ command_id: '', command_type: 'list_scheduled', payload: {} }),
  command({ command_id: 'x'.repeat(10_000), command_type: 'list_scheduled', payload: {} }),
];
/** What names a command and cannot be carried out: each is answered. */
const REFUSED = {
  'no-payload': command({ command_id: 'no-payload', command_type: 'send_message_now' }),
  'wrong-payload': command({ command_id: 'wrong-payload', command_type: 'send_message_now', payload: [1] }),
  'no-text': command({
    command_id: 'no-text',
    command_type: 'send_message_now',
    payload: { thread_id: '+15550100002' },
  }),
  'wrong-types': command({
    command_id: 'wrong-types',
    command_type: 'send_message_now',
    payload: { thread_id: {}, text: 7 },
  }),
  prototype: `{"type":"command","data":{"command_id":"prototype","command_type":"__proto__","payload":{"__proto__":{}}}}`,
  deep: `{"type":"command","data":{"command_id":"deep","command_type":"make_coffee","payload":${'{"0":'.repeat(DEEP)}1${'}'.repeat(DEEP)}}}`,
  'no-such-type': command({ command_id: 'no-such-type', command_type: 'make_coffee', payload: {} }),
};

faultTest('W8 answers or ignores what makes no sense, and the connection lives', {
  async fault(run) {
    const { front, rig } = run;
    const acks = new Map<string, { success: boolean; error: string | null }>();
    let hubEnd: WebSocket | undefined;
    let agentEnd: WebSocket | undefined;
    front.upgrade = () => ({
      up: (frame) => {
        const { type, data } = JSON.parse(frame);
        if (type !== 'command_ack' || !(data.command_id in { ...REFUSED, last: 0 })) return [frame];
        acks.set(data.command_id, data);
        return [];
      },
      joined: (agent, hub) => {
        agentEnd = agent;
        hubEnd = hub;
      },
    });
    rig.cable.reset();
    await waitFor('the connection', () => hubEnd);
    await run.up();
    const dials = front.handshakes.length;
    for (const frame of [...FRAMES, ...Object.values(REFUSED)]) agentEnd!.send(frame);
    agentEnd!.send(Buffer.from(command({ command_id: 'bytes', command_type: 'list_scheduled', payload: {} })));
    for (let n = 0; n < UNKNOWN_TYPES; n++) agentEnd!.send(`{"type":"unheard of ${n}"}`);
    agentEnd!.send(command({ command_id: 'last', command_type: 'list_scheduled', payload: {} }));
    await waitFor('the last answer', () => acks.has('last'));
    await waitFor('the refusals', () => acks.size === Object.keys(REFUSED).length + 1);
    for (const id of Object.keys(REFUSED)) {
      expect([id, acks.get(id)]).toMatchObject([id, { success: false, error: expect.any(String) }]);
    }
    expect(acks.get('no-text')!.error).toContain('text');
    expect(acks.get('no-such-type')!.error).toBe('unsupported command_type: make_coffee');
    expect(front.handshakes.length).toBe(dials);
    await run.both();
  },
});
