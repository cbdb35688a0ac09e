import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { ANN, BEN, CAROL } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { passes, silence } from './harness/treatments.ts';

const TIMEOUT_S = 2;
/** For the end to arrive, real ms. At this rate three times the time-out would be noticed. */
const ARRIVAL_MS = 3000;

faultTest('H2 breaks a request off that is never answered, while commands come and chat.db is read', {
  rig: { config: { backend: { request_timeout_seconds: TIMEOUT_S } } },
  async fault(run) {
    const { front, rig, ledger, clock } = run;
    const [mark, socketsUp] = [run.mark, ledger.socketsUp];
    front.treat = ({ path }) => (path === '/edge/message' ? silence : passes);
    const first = run.write(ANN);
    await waitFor('the request', () => front.postsOf(first).length > 0);
    const [post] = front.postsOf(first);
    await clock.pass((TIMEOUT_S * 1000) / 4);
    expect(post!.endedAt).toBe(undefined);
    const second = run.write(BEN);
    await waitFor('the next message to be read and posted', () => front.postsOf(second).length > 0);
    const id = await run.ask(CAROL);
    await waitFor('the command', async () => (await rig.commandState(id)).state === 'completed');
    await clock.pass(TIMEOUT_S * 1000);
    await waitFor('the attempt to be cut', () => post!.endedAt !== undefined, ARRIVAL_MS);
    expect(post!.status).toBe(undefined);
    await run.logged(`POST /edge/message failed: no complete answer within ${TIMEOUT_S} s`, mark);
    expect(await run.isUp()).toBe(true);
    expect(ledger.socketsUp).toBe(socketsUp);
    front.standAside();
  },
});
