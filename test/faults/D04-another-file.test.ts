import { expect } from 'vitest';
import type { Replacement } from '../../src/simulator/ChatDbFile.ts';
import { waitFor } from '../support/waitFor.ts';
import { TWO_POLLS_MS } from './harness/conditions.ts';
import { BEN, type FaultRun } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';

/** Another file takes the place of chat.db while both ends are at work; each guid is posted once. */
function replacedBy(title: string, replacement: Replacement, epoch: number): void {
  faultTest(title, {
    async fault(run) {
      // Numbers that a deletion left free, and that a rebuilt file gives out again.
      run.rig.mac.chatDb.run(`UPDATE sqlite_sequence SET seq = seq + 1000 WHERE name = 'message'`);
      for (let n = 0; n < 5; n++) await run.both(n % 2 ? BEN : undefined);
      await run.quiet(10_000);
      await run.rig.mac.settled();
      const mark = run.mark;
      run.rig.mac.chatDb.replace(replacement);
      for (let n = 0; n < 5; n++) run.write(n % 2 ? BEN : undefined);
      await waitFor('the new rows', () => isAccepted(run), TWO_POLLS_MS);
      await run.logged(`epoch ${epoch},`, mark);
      await run.ask();
    },
    expect({ ledger, front }) {
      const keys = front.messages.map(({ key }) => key);
      expect(new Set(keys).size).toBe(keys.length);
      expect([...ledger.accepted.values()].every(({ copies }) => copies === 1)).toBe(true);
    },
  });
}

function isAccepted({ ledger }: FaultRun): boolean {
  return ledger.inserted.every(({ guid }) => ledger.accepted.has(guid));
}

replacedBy('D4 goes on in another file with the same rows where it was', 'same-rows', 1);
replacedBy('D4 begins an epoch in a file whose rows have other numbers, and posts none of them again', 'renumbered', 2);
replacedBy('D4 begins an epoch in an empty file and takes its first rows', 'empty', 2);
