import { describe, expect, it } from 'vitest';
import type { Responder } from '../../src/hub/responders/Responder.ts';
import { startRig } from '../support/startRig.ts';
import { waitFor } from '../support/waitFor.ts';

const ANN = '+15550100002';
const story: Responder = {
  async respond(_message, reply) {
    await reply.reflex('once');
    return { should_respond: true, bubbles: ['upon', 'a', 'time'] };
  },
};
const WHOLE = ['once', 'upon', 'a', 'time'];

describe('killed by SIGKILL in mid-send', () => {
  for (const nth of [1, 2, 4]) {
    it(`after bubble ${nth} went out: it is not sent again, and the rest follows`, async () => {
      const rig = await startRig({ hub: { responder: story } });
      for (let n = 1; n < nth; n++) rig.mac.messages.behave({});
      let killed = false;
      rig.mac.messages.behave({
        afterEffect: async () => {
          await rig.agent.kill('SIGKILL');
          killed = true;
        },
      });
      rig.mac.people.receive({ from: ANN, text: 'a story' });
      await waitFor('the kill', () => killed);
      await rig.startAgent();
      await waitFor('the whole story', () => rig.bubblesTo(ANN).length >= 4);
      await waitFor('every send to be over', () => isQuiet(rig));
      expect(rig.bubblesTo(ANN)).toEqual(WHOLE);
    });
  }

  it('before the bubble went out: the orphaned osascript sends it, the agent does not send it again', async () => {
    const rig = await startRig({ hub: { responder: story } });
    rig.mac.messages.behave({ beforeEffect: async () => void (await rig.agent.kill('SIGKILL')), beforeEffectMs: 200 });
    rig.mac.people.receive({ from: ANN, text: 'a story' });
    await waitFor('the kill', () => !rig.agent.isRunning);
    await rig.startAgent();
    await waitFor('the whole story', () => rig.bubblesTo(ANN).length >= 4);
    await waitFor('every send to be over', () => isQuiet(rig));
    expect(rig.bubblesTo(ANN)).toEqual(WHOLE);
  });

  it('when the bubble never went out: it is sent once after the settle time', async () => {
    const rig = await startRig({ hub: { responder: story }, config: { sending: { settle_seconds: 1 } } });
    rig.mac.messages.behave({ beforeEffect: async () => void (await rig.agent.kill('SIGKILL')), swallow: true });
    rig.mac.people.receive({ from: ANN, text: 'a story' });
    await waitFor('the kill', () => !rig.agent.isRunning);
    await rig.startAgent();
    await waitFor('the whole story', () => rig.bubblesTo(ANN).length >= 4);
    await waitFor('every send to be over', () => isQuiet(rig));
    expect(rig.bubblesTo(ANN)).toEqual(WHOLE);
  });
});

it('is killed while the backend works on the answer: the message is posted again under its key, answered once', async () => {
  let seen = 0;
  const keys: (string | undefined)[] = [];
  const killed = Promise.withResolvers<void>();
  const responder: Responder = {
    async respond() {
      seen += 1;
      await killed.promise;
      return { should_respond: true, bubbles: ['the answer'] };
    },
  };
  const observe = { messageReceived: ({ body }: { body: { guid: string | undefined } }) => void keys.push(body.guid) };
  const rig = await startRig({ hub: { responder, observe } });
  const guid = rig.mac.people.receive({ from: ANN, text: 'think' });
  await waitFor('the POST', () => seen === 1);
  await rig.agent.kill('SIGKILL');
  await rig.startAgent();
  await waitFor('the second POST', () => keys.length === 2);
  killed.resolve();
  await waitFor('the answer', () => rig.bubblesTo(ANN).length > 0);
  await waitFor('every send to be over', () => isQuiet(rig));
  expect(rig.bubblesTo(ANN)).toEqual(['the answer']);
  expect(seen).toBe(1);
  expect(keys).toEqual([guid, guid]);
});

it('acknowledges a command that was received before the crash, and executes it once', async () => {
  const rig = await startRig();
  let killed = false;
  rig.mac.messages.behave({
    afterEffect: async () => {
      await rig.agent.kill('SIGKILL');
      killed = true;
    },
  });
  const id = await rig.command('send_message_now', { thread_id: ANN, text: 'only once' });
  await waitFor('the kill', () => killed);
  await rig.startAgent();
  await waitFor('the ack', async () => (await rig.commandState(id)).state === 'completed');
  await rig.command('send_message_now', { thread_id: ANN, text: 'next' });
  await waitFor('the next bubble', () => rig.bubblesTo(ANN).length >= 2);
  expect(rig.bubblesTo(ANN)).toEqual(['only once', 'next']);
});

it('stops in order on SIGTERM with exit code 0, and a second agent leaves with 75', async () => {
  const rig = await startRig();
  const { AgentProcess } = await import('../../scripts/rig/AgentProcess.ts');
  const second = new AgentProcess({
    configPath: rig.path('config.yaml'),
    secret: rig.secret,
    logPath: rig.path('edge-agent.log'),
    stateDir: rig.path('state'),
  });
  second.start();
  await waitFor('the second to leave', () => !second.isRunning);
  expect(second.exitCode).toBe(75);
  expect(second.stderr).toContain('EDGE_ALREADY_RUNNING');
  expect(await rig.agent.kill('SIGTERM')).toEqual({ code: 0, signal: null });
});

async function isQuiet(rig: { agent: { status(): Promise<Record<string, unknown>> } }): Promise<boolean> {
  const { queues } = (await rig.agent.status()) as { queues: Record<string, number> };
  return queues.sends_queued === 0 && queues.sends_in_flight === 0 && queues.inbound_pending === 0;
}
