import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { expect, it } from 'vitest';
import { startRig } from '../support/startRig.ts';
import { waitFor } from '../support/waitFor.ts';

const ANN = '+15550100002';
const PAGE_BYTES = 4096;
const DAMAGED_PAGES = 25;

it('says that chat.db is damaged, skips nothing, and reads on when it is put right behind its back', async () => {
  const heard: string[] = [];
  const rig = await startRig({ hub: { observe: { messageReceived: ({ body }) => void heard.push(body.text) } } });
  await rig.agent.kill('SIGKILL');
  for (let n = 0; n < 30; n++) rig.mac.people.receive({ from: ANN, text: `${n} ${'x'.repeat(3000)}` });
  await rig.mac.settled();
  expect(rig.mac.chatDb.checkpoint()).toBe(true);
  const restore = damage(rig.mac.chatDbPath);

  await rig.startAgent();
  await waitFor('the condition', async () => JSON.stringify(await rig.agent.status()).includes('EDGE_CHATDB_CORRUPT'));
  expect(heard.length).toBeLessThan(30);

  restore();
  await waitFor('every message', () => heard.length === 30);
  expect(heard.map((text) => Number(text.split(' ')[0]))).toEqual(Array.from({ length: 30 }, (_, n) => n));
  await waitFor('the condition to end', async () => !JSON.stringify(await rig.agent.status()).includes('CORRUPT'));
});

/** Overwrites the last pages of the file; what is returned puts them back. */
function damage(path: string): () => void {
  const file = openSync(path, 'r+');
  const start = fstatSync(file).size - DAMAGED_PAGES * PAGE_BYTES;
  const saved = Buffer.alloc(DAMAGED_PAGES * PAGE_BYTES);
  readSync(file, saved, 0, saved.length, start);
  writeSync(file, Buffer.alloc(saved.length, 0xee), 0, saved.length, start);
  return () => {
    writeSync(file, saved, 0, saved.length, start);
    closeSync(file);
  };
}
