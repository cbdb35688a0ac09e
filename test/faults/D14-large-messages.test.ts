import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { ANN, BEN, CANARY } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';

const MEGABYTE = 1024 * 1024;
/** Longest text on the wire, bytes; and more than all else in a message of a hundred files. */
const MOST_TEXT_BYTES = 256 * 1024;
const MOST_BYTES = MOST_TEXT_BYTES + 64 * 1024;

faultTest('D14 cuts a text of a megabyte and says so, and lists a hundred files of which one is missing', {
  reply: (text) => ({ bubbles: text.startsWith('small') ? ['yes'] : [] }),
  async fault(run) {
    const { mac } = run.rig;
    const long = `${CANARY} ${'é👍'.repeat(MEGABYTE / 6)}`;
    const large = mac.people.receive({ from: ANN, text: long });
    run.wrote({ guid: large, thread: ANN, text: long, kind: 'live', arrivesChanged: true });
    const attachments = Array.from({ length: 100 }, (_, n) => ({ name: `photo ${n}.jpg`, mimeType: 'image/jpeg' }));
    const full = mac.people.receive({ from: BEN, text: CANARY, attachments });
    run.wrote({ guid: full, thread: BEN, text: CANARY, kind: 'live' });
    await mac.settled();
    await waitFor('both', () => run.ledger.accepted.has(large) && run.ledger.accepted.has(full));

    const lost = [{ name: 'lost.jpg', missing: true, transferState: 5 }];
    const missing = mac.people.receive({ from: BEN, text: 'small', attachments: lost });
    run.wrote({ guid: missing, thread: BEN, text: 'small', kind: 'live' });
    await waitFor('the one without its file', () => run.ledger.accepted.has(missing));

    const cut = posted(large);
    expect(Buffer.byteLength(String(cut.filtered_text))).toBeLessThanOrEqual(MOST_TEXT_BYTES);
    expect(long.startsWith(String(cut.filtered_text))).toBe(true);
    expect(cut.filter_reason).toBe('truncated');
    expect(posted(full).attachments).toHaveLength(100);
    expect(posted(missing).attachments).toMatchObject([{ name: 'lost.jpg' }]);
    for (const { body } of run.front.messages) expect(Buffer.byteLength(body)).toBeLessThan(MOST_BYTES);

    function posted(guid: string): Record<string, unknown> {
      const knock = run.front.messages.find(({ body }) => body.includes(guid))!;
      return JSON.parse(knock.body) as Record<string, unknown>;
    }
  },
});
