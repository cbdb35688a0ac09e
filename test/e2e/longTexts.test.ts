import { expect, it } from 'vitest';
import type { Answer, Responder } from '../../src/hub/responders/Responder.ts';
import { splitText } from '../../src/messaging/splitText.ts';
import { edgeAgent } from '../cli/edgeAgent.ts';
import { startRig } from '../support/startRig.ts';
import { waitFor } from '../support/waitFor.ts';

const ANN = '+15550100002';

/** So many different sentences that nothing is the same by chance. */
function prose(chars: number): string {
  let text = '';
  for (let n = 1; text.length < chars; n++) text += `Sentence ${n} of this text says “it’s number ${n}” 👩‍👩‍👧. `;
  return text.slice(0, chars).toWellFormed().trim();
}

it('goes on with the right part when the agent is killed in the middle of a text', async () => {
  const rig = await startRig({ config: { sending: { max_bubble_chars: 50 } } });
  const text = prose(500);
  const parts = splitText(text, 50);
  const id = await rig.command('send_message_now', { thread_id: ANN, text });
  for (const count of [2, 5]) {
    await waitFor(`${count} bubbles`, () => rig.bubblesTo(ANN).length >= count);
    await rig.agent.kill('SIGKILL');
    await rig.startAgent();
  }
  await waitFor('the command', async () => (await rig.commandState(id)).state === 'completed');
  expect(rig.bubblesTo(ANN)).toEqual(parts);
});

it('shows a long reflex and the answer that repeats it once', async () => {
  const first = prose(200);
  const responder: Responder = {
    async respond(_message, reply): Promise<Answer> {
      await reply.reflex(first); // the hub puts it before the bubbles
      return { should_respond: true, bubbles: ['b'] };
    },
  };
  const rig = await startRig({ hub: { responder, nameReflex: false }, config: { sending: { max_bubble_chars: 50 } } });
  rig.mac.people.receive({ from: ANN, text: 'hey' });
  await waitFor('the last bubble', () => rig.bubblesTo(ANN).includes('b'));
  expect(rig.bubblesTo(ANN)).toEqual([...splitText(first, 50), 'b']);
});

it('sends a long text from the command line and waits for all of its bubbles', async () => {
  const rig = await startRig({ config: { sending: { max_bubble_chars: 5000 } } });
  const text = prose(30_000);
  const config = ['--config', rig.path('config.yaml')];
  const ended = await edgeAgent(['send', '--to', ANN, '--text', text, '--json', ...config]);
  const parts = splitText(text, 5000);
  expect(rig.bubblesTo(ANN)).toEqual(parts);
  expect(ended).toMatchObject({ code: 0, err: '' });
  expect(JSON.parse(ended.out)).toMatchObject({ state: expect.stringMatching(/confirmed|delivered/) });
  expect(JSON.parse(ended.out).guids).toHaveLength(parts.length);
});
