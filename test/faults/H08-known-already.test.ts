import { expect } from 'vitest';
import { ANN, answerTo, BEN } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { passes, says, takenThen } from './harness/treatments.ts';

faultTest('H8 takes 409 for the news that the backend has the message, and goes on', {
  hasSocket: false,
  // What 409 comes instead of is an answer that was given before.
  reply: (text) => ({ bubbles: text.endsWith('known') ? [] : [answerTo(text)] }),
  async fault(run) {
    const known = takenThen(says(409, '{"error":"duplicate"}'));
    run.front.treat = ({ path, body }) => (path === '/edge/message' && body.includes('known') ? known : passes);
    run.write(ANN, { ending: 'known' });
    run.write(ANN, { ending: 'next' });
    run.write(BEN, { ending: 'known' });
  },
  async expect({ front, rig }) {
    const { queues } = await rig.agent.status();
    expect(queues).toMatchObject({ dead_letters: 0, sends_failed: 0 });
    expect(front.messages.map(({ status }) => status).sort()).toEqual([200, 200, 409, 409]);
  },
});
