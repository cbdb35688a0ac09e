import { expect, it } from 'vitest';
import type { AgentStatus } from '../../src/ops/status.ts';
import { startRig } from '../support/startRig.ts';
import { waitFor } from '../support/waitFor.ts';

const ANN = '+15550100002';
const BEN = '+15550100003';

it('writes first to nobody where that is forbidden, and holds back what is too much, for all to see', async () => {
  const rate = { per_minute: 2, per_hour: 0, new_threads_per_day: 0 };
  const rig = await startRig({ config: { sending: { allow_new_threads: false, rate } } });
  const refused = await rig.command('send_message_now', { thread_id: BEN, text: 'hello' });
  await waitFor('the refusal', async () => (await rig.commandState(refused)).state === 'failed');
  expect((await rig.commandState(refused)).error).toMatch(/^EDGE_SEND_NEW_THREAD: /);

  rig.mac.people.receive({ from: ANN, text: 'hey' });
  await waitFor('the answer', () => rig.bubblesTo(ANN).length === 1);
  const texts = ['one', 'two', 'three'];
  for (const text of texts) await rig.command('send_message_now', { thread_id: ANN, text });
  let sending: AgentStatus['sending'] | undefined;
  await waitFor('two that wait', async () => {
    sending = (await rig.agent.status())?.sending as AgentStatus['sending'] | undefined;
    return sending?.waiting_for_rate === 2;
  });
  const waitMs = Date.parse(sending!.next_at!) - Date.now();
  expect(waitMs).toBeGreaterThan(0);
  expect(waitMs).toBeLessThanOrEqual(60_000);
  expect(rig.bubblesTo(ANN)).toHaveLength(2);
  expect(rig.bubblesTo(BEN)).toEqual([]);
});
