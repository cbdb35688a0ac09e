import { expect, it } from 'vitest';
import type { Answer, Responder } from '../../src/hub/responders/Responder.ts';
import { startRig } from '../support/startRig.ts';
import { waitFor } from '../support/waitFor.ts';

const ANN = '+15550100002';
const BEN = '+15550100003';

/** Answers each text with what `answers` has for it; pushes the reflex first where there is one. */
function script(answers: Record<string, { reflex?: string; bubbles: string[] }>): Responder {
  return {
    async respond(message, reply): Promise<Answer> {
      const answer = answers[message.text];
      if (!answer) return { should_respond: false, bubbles: [] };
      if (answer.reflex !== undefined) await reply.reflex(answer.reflex);
      return { should_respond: true, bubbles: answer.bubbles };
    },
  };
}

it('answers a text with its reflex and bubbles, each once and in order', async () => {
  const rig = await startRig({ hub: { responder: script({ hey: { reflex: 'one sec', bubbles: ['a', 'b', 'c'] } }) } });
  rig.mac.people.receive({ from: ANN, text: 'hey' });
  await waitFor('four bubbles', () => rig.bubblesTo(ANN).length >= 4);
  expect(rig.bubblesTo(ANN)).toEqual(['one sec', 'a', 'b', 'c']);
});

it('matches the reflex by its text where the answer does not name it', async () => {
  const responder = script({ hey: { reflex: 'one sec', bubbles: ['a'] } });
  const rig = await startRig({ hub: { responder, nameReflex: false } });
  rig.mac.people.receive({ from: ANN, text: 'hey' });
  await waitFor('two bubbles', () => rig.bubblesTo(ANN).length >= 2);
  rig.mac.people.receive({ from: ANN, text: 'hey' });
  await waitFor('four bubbles', () => rig.bubblesTo(ANN).length >= 4);
  expect(rig.bubblesTo(ANN)).toEqual(['one sec', 'a', 'one sec', 'a']);
});

it('answers in a group by the chat and names its members', async () => {
  const posted: Record<string, unknown>[] = [];
  const rig = await startRig({
    hub: { observe: { messageReceived: ({ body }) => void posted.push(body.raw) } },
  });
  const group = { id: 'chat8315550100', participants: [ANN, BEN] };
  rig.mac.people.receive({ from: ANN, text: 'hello all', group });
  await waitFor('the echo in the group', () => rig.bubblesTo(group.id).length > 0);
  expect(posted[0]).toMatchObject({ thread_id: group.id, sender: ANN, is_group: true, participants: [ANN, BEN] });
});

it('hands over messages that came while the agent was not running, once', async () => {
  const guids: string[] = [];
  const observe = {
    messageReceived: ({ body }: { body: { guid: string | undefined } }) => void guids.push(body.guid!),
  };
  const rig = await startRig({ hub: { observe } });
  const first = rig.mac.people.receive({ from: ANN, text: 'one' });
  await waitFor('the first', () => guids.includes(first));
  await rig.agent.kill('SIGTERM');
  const second = rig.mac.people.receive({ from: ANN, text: 'two' });
  const third = rig.mac.people.receive({ from: BEN, text: 'three' });
  await rig.mac.settled();
  await rig.startAgent();
  await waitFor('the others', () => guids.includes(second) && guids.includes(third));
  expect(guids).toEqual([first, second, third]);
});

it('keeps a thread in order at the backend while its answers take their time', async () => {
  const order: string[] = [];
  const responder: Responder = {
    async respond(message) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return { should_respond: true, bubbles: [`re ${message.text}`] };
    },
  };
  const observe = { messageReceived: ({ body }: { body: { text: string } }) => void order.push(body.text) };
  const rig = await startRig({ hub: { responder, observe } });
  const texts = Array.from({ length: 12 }, (_, n) => `m${n}`);
  for (const text of texts) rig.mac.people.receive({ from: ANN, text });
  await waitFor('twelve answers', () => rig.bubblesTo(ANN).length >= 12);
  expect(order).toEqual(texts);
  expect(rig.bubblesTo(ANN)).toEqual(texts.map((text) => `re ${text}`));
});

it('delivers hostile texts byte for byte and runs nothing in them', async () => {
  const rig = await startRig({ config: { sending: { max_bubble_chars: 20_000 } } });
  const texts = [
    `"quotes" 'single' \\back\\slash`,
    'line one\nline two\r\nthree',
    '👩‍👩‍👧‍👦 é \u0065\u0301 עברית العربية',
    'para\u2029graph line\u2028separator',
    '" & (do shell script "touch /tmp/never") & "',
    '$(touch /tmp/never) `id` -e --help',
    '-leading dash',
    'x'.repeat(20_000),
  ];
  for (const text of texts) {
    await rig.command('send_message_now', { thread_id: ANN, text });
    await waitFor(text.slice(0, 30), () => rig.bubblesTo(ANN).includes(text));
  }
  expect(rig.bubblesTo(ANN)).toEqual(texts);
});

it('removes NUL from a text and says so', async () => {
  const rig = await startRig();
  await rig.command('send_message_now', { thread_id: ANN, text: 'be\0fore' });
  await waitFor('the bubble', () => rig.bubblesTo(ANN).length > 0);
  expect(rig.bubblesTo(ANN)).toEqual(['before']);
  await waitFor('the line', () => rig.agent.log.includes('EDGE_SEND_TEXT'));
});
