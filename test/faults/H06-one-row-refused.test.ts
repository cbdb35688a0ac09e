import { expect } from 'vitest';
import { edgeAgent } from '../cli/edgeAgent.ts';
import { waitFor } from '../support/waitFor.ts';
import { faultTest } from './harness/faultTest.ts';
import { passes, says } from './harness/treatments.ts';

const PEOPLE = Array.from({ length: 10 }, (_, n) => `+155501000${String(n + 10)}`);
const TAKEN = 99;
/** Which of the messages is answered so. */
const REFUSED = new Map([
  [31, 400],
  [52, 413],
  [73, 422],
]);

/** What frameworks say of a body that they cannot use: why, and what it was. */
const echo = (body: string) => JSON.stringify({ error: 'no such field', input: JSON.parse(body).filtered_text });

faultTest('H6 sets aside what is answered 400, 413 or 422, passes the other 99, and hands it over again when told', {
  hasSocket: false,
  recoveryMs: 20_000,
  async fault(run) {
    const { front, rig, ledger } = run;
    const known = ledger.accepted.size;
    front.treat = ({ path, body }) => {
      const n = Number(/number (\d+)/.exec(body)?.[1]);
      return path === '/edge/message' && REFUSED.has(n) ? says(REFUSED.get(n)!, echo(body)) : passes;
    };
    const refused = new Map<string, number>();
    for (let n = 0; n < TAKEN + REFUSED.size; n++) {
      const status = REFUSED.get(n);
      const kind = status === undefined ? 'live' : 'late';
      const guid = run.write(PEOPLE[n % PEOPLE.length], { ending: `number ${n}`, kind });
      if (status !== undefined) refused.set(guid, status);
    }
    const isSetAside = (queues: unknown) => (queues as { dead_letters: number }).dead_letters === REFUSED.size;
    await waitFor('the other 99', () => ledger.accepted.size - known === TAKEN, 20_000);
    const said = await rig.agent.ready(({ queues }) => isSetAside(queues));
    const letters = said.dead_letters as { guid: string; detail: string }[];
    expect(new Set(letters.map(({ guid }) => guid))).toEqual(new Set(refused.keys()));

    const agent = (...args: string[]) => edgeAgent([...args, '--config', rig.path('config.yaml')]);
    const { out } = await agent('status');
    for (const [guid, status] of refused) {
      expect(front.postsOf(guid)).toHaveLength(1);
      expect(letters.find((one) => one.guid === guid)!.detail).toContain(
        `answered ${status}: {"error":"no such field"`,
      );
      expect(out).toContain(`edge-agent retry ${guid}`);
    }
    expect(out).toContain('no such field');

    const [first] = refused.keys();
    expect(await agent('retry', first!)).toMatchObject({ code: 0 });
    await waitFor('another refusal', () => front.postsOf(first!).length === 2);
    await rig.agent.ready(({ queues }) => isSetAside(queues));
    front.standAside();
    expect(await agent('retry', '--all')).toMatchObject({ code: 0, out: '3 messages are handed over again\n' });
  },
});
