import { describe, expect, it } from 'vitest';
import type { Rig } from '../../scripts/rig/Rig.ts';
import { startRig } from '../support/startRig.ts';
import { waitFor } from '../support/waitFor.ts';

const ANN = '+15550100002';
/** So that what is past the settle time comes soon. */
const config = { sending: { settle_seconds: 1 } };

/** A rig, and what its agent has told the hub of bubbles and errors. */
async function listeningRig(options: Parameters<typeof startRig>[0]) {
  const told: { eventId: string; details: Record<string, unknown> }[] = [];
  const eventReceived = ({ event }: { event: { eventId: string; details: unknown } }) =>
    void told.push({ eventId: event.eventId, details: event.details as Record<string, unknown> });
  return { rig: await startRig({ ...options, hub: { observe: { eventReceived } } }), told };
}

async function send(rig: Rig, text: string): Promise<string> {
  return rig.command('send_message_now', { thread_id: ANN, text });
}

async function stateOf(rig: Rig, commandId: string, state: string): Promise<void> {
  await waitFor(`the command to be ${state}`, async () => (await rig.commandState(commandId)).state === state, 20_000);
}

describe('rows that come after the outcome was told as unknown', () => {
  it('complete the command, tell the bubble once, and name the second one', async () => {
    const { rig, told } = await listeningRig({ config });
    rig.mac.messages.behave({ times: 2, rowMs: 6000 });
    const command = await send(rig, 'hello');
    await stateOf(rig, command, 'failed');
    expect((await rig.commandState(command)).error).toContain('unknown outcome');
    await stateOf(rig, command, 'completed');
    const twice = await waitFor('the second bubble to be told', () =>
      told.find(({ details }) => details.code === 'EDGE_SEND_TWICE'),
    );
    const [first, second] = rig.mac.messages.effects;
    expect(twice.details.message_guid).toBe(second?.guid);
    const ids = told.map(({ eventId }) => eventId);
    expect(ids.filter((id) => id === `sent:command:${command}`)).toHaveLength(1);
    expect(told.find(({ eventId }) => eventId === `sent:command:${command}`)?.details).toMatchObject({
      message_guid: first?.guid,
      corrects: 'unknown',
    });
    expect(rig.bubblesTo(ANN)).toEqual(['hello', 'hello']);
  }, 30_000);

  it('are found by an agent that was killed meanwhile', async () => {
    const rig = await startRig({ config: { sending: { settle_seconds: 1, on_missing_receipt: 'report' } } });
    rig.mac.messages.behave({ rowMs: 2500 });
    const command = await send(rig, 'hello');
    await stateOf(rig, command, 'failed');
    await rig.agent.kill('SIGKILL');
    await rig.mac.settled();
    await rig.startAgent();
    await stateOf(rig, command, 'completed');
    expect(rig.bubblesTo(ANN)).toEqual(['hello']);
  }, 30_000);
});

describe('a ghost', () => {
  it('fails the bubble by its name when there is no other form of address, and is told', async () => {
    const { rig, told } = await listeningRig({});
    rig.mac.people.receive({ from: ANN, text: 'hi' });
    await waitFor('the chat', () => rig.bubblesTo(ANN).length > 0);
    rig.mac.messages.behave({ only: { form: 'participant' }, fail: -1728 });
    rig.mac.messages.behave({ only: { form: 'chat' }, ghost: true });
    const before = rig.bubblesTo(ANN).length;
    const command = await send(rig, 'hello');
    await stateOf(rig, command, 'failed');
    expect((await rig.commandState(command)).error).toContain('EDGE_SEND_GHOST');
    await waitFor('the ghost to be told', () => told.some(({ details }) => details.code === 'EDGE_SEND_GHOST'));
    expect(rig.bubblesTo(ANN)).toHaveLength(before);
  }, 30_000);
});
