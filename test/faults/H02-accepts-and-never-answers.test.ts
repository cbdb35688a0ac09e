import { expect, it } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { BOB, DoorRig } from './DoorRig.ts';
import { passes, silence } from './HttpDoor.ts';

it('H2 breaks a request off that is never answered, while commands come and chat.db is read', async () => {
  const system = await DoorRig.start({ config: { backend: { request_timeout_seconds: 2 } } });
  const { door, rig } = system;
  door.treat = ({ path }) => (path === '/edge/message' ? silence : passes);
  system.write('one');
  await waitFor('the request', () => door.messages.length > 0);
  system.write('two', BOB);
  await waitFor('the next message to be read and posted', () => door.messages.length > 1);
  const id = await rig.command('send_message_now', { thread_id: '+15550100005', text: 'meanwhile' });
  await waitFor('the command', async () => (await rig.commandState(id)).state === 'completed');
  expect(rig.agent.log).not.toContain('disconnected');
  await waitFor('the attempt to be cut', () => door.messages[0]!.endedAt !== undefined);
  const { at, endedAt } = door.messages[0]!;
  // The 2 s run from the call, and the door is told of the request only when this process gets to it.
  expect(endedAt! - at).toBeGreaterThan(1_000);
  const told = 'POST /edge/message failed: no complete answer within 2 s';
  await waitFor('the log line', () => rig.agent.log.includes(told));
  door.treat = () => passes;
  await system.settled();
});
