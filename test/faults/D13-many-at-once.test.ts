import { waitFor } from '../support/waitFor.ts';
import { CANARY } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { settings } from './harness/settings.ts';

const MESSAGES = settings.isLong ? 50_000 : 2_000;
const THREADS = 50;
/** As many as two processors post with room to spare. */
const MOST_MS = (MESSAGES / 50) * 1000;

faultTest(`D13 hands ${MESSAGES} messages that come at once over, in order`, {
  timeoutMs: 60_000 + 2 * MOST_MS,
  recoveryMs: MOST_MS,
  reply: (text) => ({ bubbles: text.includes('flood') ? [] : [`re ${text}`] }),
  async fault(run) {
    const { mac } = run.rig;
    const messages = Array.from({ length: MESSAGES }, (_, n) => ({
      from: `person${n % THREADS}@example.com`,
      text: `${CANARY} of flood ${n}`,
    }));
    const guids = mac.people.receiveMany(messages);
    const startedAt = performance.now();
    for (const [n, guid] of guids.entries())
      run.wrote({ guid, thread: messages[n]!.from, text: messages[n]!.text, kind: 'live' });
    await run.ask(); // waits for none of them
    await waitFor('all of them', () => run.ledger.accepted.size > MESSAGES, MOST_MS);
    const seconds = (performance.now() - startedAt) / 1000;
    run.note = `${MESSAGES} messages at ${Math.round(MESSAGES / seconds)} a second`;
  },
  expect({ rig }) {
    rig.httpCable.reset(); // connections kept alive for the next flood are no files left open
  },
});
