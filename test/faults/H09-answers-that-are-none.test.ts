import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { faultTest } from './harness/faultTest.ts';
import { settings } from './harness/settings.ts';
import { brokenOff, endless, gzipBomb, passes, says, type Treatment, truncated } from './harness/treatments.ts';

const HTML = '<!doctype html><title>Sign in</title>';
const MIB = 1024 * 1024;
/** Between 64 kB and 64 kB: slow enough that what the agent does not read is not written into buffers meanwhile. */
const PACE_MS = 20 * settings.patience;
/** The 1 MiB that is read, and what goes out until its end has come through. */
const MOST_WRITTEN = 4 * MIB;

faultTest('H9 reads 1 MiB of an answer at most, takes none that cannot be used, and asks again', {
  hasSocket: false,
  async fault(run) {
    const { front, rig, ledger } = run;
    let written = 0;
    const answers: Treatment[] = [
      says(200, HTML, { 'content-type': 'text/html' }),
      says(200, ''),
      says(200, '[]'),
      truncated,
      brokenOff,
      gzipBomb,
      endless(100 * MIB, PACE_MS, (bytes) => {
        written = bytes;
      }),
    ];
    front.treat = ({ key, body }) => {
      const isFirst = key !== undefined && front.postsOf(key).length === 1;
      return isFirst ? answers[Number(/answer (\d+)/.exec(body)![1])]! : passes;
    };
    const guids = answers.map((_, n) => run.write(`+1555010000${n + 2}`, { ending: `answer ${n}` }));
    await waitFor('each to be asked for again', () => guids.every((guid) => ledger.accepted.has(guid)));
    expect(written).toBeGreaterThanOrEqual(MIB);
    expect(written).toBeLessThan(MOST_WRITTEN);
    expect(rig.agent.log).toContain('EDGE_BACKEND_ANSWER');
    expect(rig.agent.log).not.toContain('Sign in');
  },
  expect({ front, ledger }) {
    for (const { guid } of ledger.inserted.slice(1)) expect(front.postsOf(guid)).toHaveLength(2);
  },
});
