import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { faultTest } from './harness/faultTest.ts';

faultTest('C5 sends no bubble again that was out with its row at the kill, and says so with the guid', {
  async fault(run) {
    const { rig, ledger } = run;
    const { messages } = rig.mac;
    const crashes = { afterEffect: () => run.crash() };
    const known = messages.requests.length;
    run.runs = 3;

    messages.behave(crashes);
    const id = await run.ask();
    await waitFor('the kill', () => !rig.agent.isRunning);
    await run.restart();
    await waitFor('the end of the command', () => ledger.acks.get(id)?.includes('completed'));
    const guid = messages.effects.at(-1)!.guid;
    await waitFor('the report', () => ledger.told('message_sent').some(({ details }) => details.message_guid === guid));

    // Between two bubbles of one answer, and after the last of them.
    for (const nth of [1, 2]) {
      for (let n = 1; n < nth; n++) messages.behave({});
      messages.behave(crashes);
      run.write();
      await waitFor('the kill', () => !rig.agent.isRunning);
      await run.restart();
      await run.quiet(15_000);
    }
    expect(messages.requests).toHaveLength(known + 5);
  },
  // The same twice: the row of the one proves nothing of the other.
  reply: (text) => ({ bubbles: [`twice ${text}`, `twice ${text}`] }),
});

faultTest('C5 goes on with the rest of an answer whose reflex was out at the kill', {
  reply: (text) => ({ reflex: `at once ${text}`, bubbles: [`first of ${text}`, `second of ${text}`] }),
  async fault(run) {
    const { messages } = run.rig.mac;
    messages.behave({ afterEffect: () => run.crash() });
    const known = messages.requests.length;
    run.write();
    await waitFor('the kill', () => !run.rig.agent.isRunning);
    await run.restart();
    await run.quiet(15_000);
    expect(messages.requests).toHaveLength(known + 3);
  },
});
