import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { raised } from './harness/conditions.ts';
import type { FaultRun } from './harness/FaultRun.ts';
import { answerTo } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { settings } from './harness/settings.ts';
import { noteWritten, WriterProcess } from './harness/WriterProcess.ts';

const HELD_MS = settings.isLong ? 30_000 : 3_000;
/** An agent that waits for the lock itself answers nobody meanwhile. */
const ACK_MS = 1_000 * settings.patience;
const MESSAGES = 20;
const isWritten = (text: string) => text.startsWith('written');

/** Another process holds chat.db; meanwhile the socket lives. Nothing may be sent: Messages itself could not note it. */
async function held(run: FaultRun, meanwhile: () => Promise<void> = async () => {}): Promise<void> {
  const writer = await WriterProcess.hold(run, MESSAGES);
  const until = performance.now() + HELD_MS;
  const sockets = run.front.handshakes.length;
  while (performance.now() < until) {
    const id = await run.rig.command('list_scheduled', {});
    await waitFor('an ack over the socket', () => run.ledger.acks.get(id)?.includes('completed'), ACK_MS);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await meanwhile();
  await writer.release();
  expect(noteWritten(run)).toBe(MESSAGES);
  await run.both();
  expect(run.front.handshakes.length).toBe(sockets);
  run.note = `held for ${HELD_MS} ms, longest pause of the event loop ${Math.round(run.inside?.gapMaxMs ?? 0)} ms`;
}

const reply = (text: string) => ({ bubbles: isWritten(text) ? [] : [answerTo(text)] });

faultTest('D3 lives on while another process writes to chat.db without an end, and catches up', {
  reply,
  fault: (run) => held(run),
});

faultTest('D3 lives on while chat.db cannot be read for a lock, tells of it, and catches up', {
  reply,
  // In a rollback journal, unlike in a WAL, who writes shuts readers out.
  setup: ({ rig }) => expect(rig.mac.chatDb.get('PRAGMA journal_mode = DELETE')).toEqual({ journal_mode: 'delete' }),
  async fault(run) {
    await held(run, async () => {
      if (settings.isLong) await raised(run, 'EDGE_CHATDB_BUSY');
    });
  },
});
