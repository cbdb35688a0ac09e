import { expect, it } from 'vitest';
import type { Rig } from '../../scripts/rig/Rig.ts';
import { startRig } from '../support/startRig.ts';
import { waitFor } from '../support/waitFor.ts';

const ANN = '+15550100002';
const BEN = '+15550100003';
const GROUP = 'chat8315550100';

const send = (rig: Rig, threadId: string, text: string) =>
  rig.command('send_message_now', { thread_id: threadId, text });

async function ended(rig: Rig, commandId: string) {
  const isOver = async () => {
    const command = await rig.commandState(commandId);
    return command.state === 'completed' || command.state === 'failed' ? command : undefined;
  };
  return waitFor(`the end of ${commandId}`, isOver, 20_000);
}

it('writes to a person of macOS 26, whose chat says `any`, by the service the person wrote with', async () => {
  const rig = await startRig();
  rig.mac.people.receive({ from: ANN, text: 'by iMessage' });
  rig.mac.people.receive({ from: BEN, text: 'by SMS', service: 'SMS' });
  await rig.mac.settled();
  for (const thread of [ANN, BEN])
    expect(await ended(rig, await send(rig, thread, 'hi'))).toMatchObject({ error: null });
  expect(rig.mac.messages.requests.filter(({ text }) => text === 'hi')).toMatchObject([
    { form: 'participant', target: ANN, service: 'iMessage' },
    { form: 'participant', target: BEN, service: 'SMS' },
  ]);
});

it('writes to a person by the chat as stored where Messages does not know the person', async () => {
  const rig = await startRig();
  rig.mac.people.receive({ from: ANN, text: 'hi' });
  await rig.mac.settled();
  rig.mac.messages.behave({ fail: -1728, only: { form: 'participant' }, times: 'always' });
  expect(await ended(rig, await send(rig, ANN, 'one'))).toMatchObject({ state: 'completed' });
  expect(rig.mac.messages.effects.at(-1)).toMatchObject({ form: 'chat', target: `any;-;${ANN}`, text: 'one' });
});

it('writes to a group by the other prefix where the stored one fails, and fails one that is not there by name', async () => {
  const rig = await startRig();
  rig.mac.people.receive({ from: ANN, text: 'hi all', group: { id: GROUP, participants: [ANN, BEN] } });
  await rig.mac.settled();
  rig.mac.messages.behave({ fail: -1728, only: { target: `any;+;${GROUP}` }, times: 'always' });
  expect(await ended(rig, await send(rig, GROUP, 'one'))).toMatchObject({ state: 'completed' });
  expect(rig.mac.messages.effects.at(-1)).toMatchObject({ target: `iMessage;+;${GROUP}`, text: 'one' });
  expect(await ended(rig, await send(rig, 'chat0000', 'two'))).toMatchObject({
    state: 'failed',
    error: expect.stringMatching(/^EDGE_SEND_NO_SUCH_CHAT: chat\.db has no such chat/),
  });
});

it('waits without an iMessage account, and sends all in order when there is one', async () => {
  const rig = await startRig();
  rig.mac.messages.accounts = ['SMS'];
  const commands = [await send(rig, ANN, 'a1'), await send(rig, ANN, 'a2')];
  await waitFor('the condition', async () =>
    (await rig.agent.status()).conditions.some(({ name }) => name === 'no-account'),
  );
  rig.mac.messages.accounts = ['iMessage'];
  await rig.agent.kill('SIGKILL');
  await rig.startAgent();
  for (const command of commands) expect(await ended(rig, command)).toMatchObject({ state: 'completed' });
  expect(rig.bubblesTo(ANN)).toEqual(['a1', 'a2']);
});

it('sends by SMS what iMessage refuses, once and in order, and tells the end alone', async () => {
  const rig = await startRig({ config: { sending: { sms_fallback: true } } });
  rig.mac.messages.behave({ error: 22, only: { service: 'iMessage' }, times: 'always' });
  const commands = [await send(rig, ANN, 'one'), await send(rig, ANN, 'two')];
  for (const command of commands) {
    const { state, acks } = await ended(rig, command);
    const ends = acks.map(({ status }) => status).filter((status) => status !== 'received');
    expect([state, ends]).toEqual(['completed', ['completed']]);
  }
  expect(rig.bubblesTo(ANN)).toEqual(['one', 'two']);
  // The thread's newest row is an SMS from then on.
  expect(rig.mac.messages.requests.map(({ service }) => service)).toEqual(['iMessage', 'SMS', 'SMS']);
});
