import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { raised, readsAgain } from './harness/conditions.ts';
import { ANN, BEN, type FaultRun } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';

const PAGE_BYTES = 4096;
const MESSAGES = 30;
/** Fills a page, so that the next message is in another one. */
const LONG = 'x'.repeat(3000);

faultTest('D11 skips nothing of a chat.db with a damaged page, sends on, and reads on when it is put right', {
  async fault(run) {
    const restore = await damaged(run, (pages) => [pages[MESSAGES / 2]!]);
    const taken = () => run.ledger.inserted.filter(({ guid }) => run.ledger.accepted.has(guid)).length;
    await waitFor('those before the damage', () => taken() > 1);
    const before = cursor(await run.rig.agent.status());

    const id = await run.ask(ANN);
    await waitFor('the end of a command meanwhile', () => run.ledger.acks.get(id)?.includes('completed'));
    // What SQLite keeps of a damaged page is not asked again: the file is opened anew, and is still damaged.
    await run.clock.pass(5_000);
    const { conditions, ...status } = await raised(run, 'EDGE_CHATDB_CORRUPT');
    expect(cursor(status)).toBe(before);
    expect(conditions).toHaveLength(1);
    expect(taken()).toBeLessThan(MESSAGES);

    restore();
    await readsAgain(run);
  },
});

faultTest('D11 sends nothing while the newest rows are damaged, which would show it, and all of it afterwards', {
  async fault(run) {
    const restore = await damaged(run, (pages) => pages.slice(-MESSAGES / 2));
    const id = await run.ask(ANN);
    await run.logged(id);
    await run.clock.pass(5_000);
    await raised(run, 'EDGE_CHATDB_CORRUPT');
    expect(run.ledger.acks.get(id) ?? []).not.toContain('completed');

    restore();
    await readsAgain(run);
  },
});

/** Long messages wait to be read, and some of the pages they are in are overwritten; what is returned puts them back. */
async function damaged(run: FaultRun, which: (pages: readonly number[]) => readonly number[]): Promise<() => void> {
  const { mac } = run.rig;
  await run.crash();
  for (let n = 0; n < MESSAGES; n++) run.write(n % 2 ? BEN : ANN, { ending: LONG });
  await mac.settled();
  expect(mac.chatDb.checkpoint()).toBe(true);
  const bytes = readFileSync(mac.chatDbPath);
  const long = run.ledger.inserted.filter(({ text }) => text.endsWith(LONG));
  const pages = which(long.map(({ text }) => Math.floor(bytes.indexOf(text) / PAGE_BYTES)));
  const file = openSync(mac.chatDbPath, 'r+');
  for (const page of pages) writeSync(file, Buffer.alloc(PAGE_BYTES, 0xee), 0, PAGE_BYTES, page * PAGE_BYTES);
  await run.restart();
  await raised(run, 'EDGE_CHATDB_CORRUPT');
  return () => {
    for (const page of pages) writeSync(file, bytes, page * PAGE_BYTES, PAGE_BYTES, page * PAGE_BYTES);
    closeSync(file);
  };
}

function cursor(status: { [key: string]: unknown }): number {
  return (status.cursor as { rowid: number }).rowid;
}
