import { existsSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FileCleanup } from '../../../src/messaging/files/FileCleanup.ts';
import { StagingFolder } from '../../../src/messaging/files/StagingFolder.ts';
import type { SendRow } from '../../../src/state/SendRow.ts';
import { StateStore } from '../../../src/state/StateStore.ts';
import { FakeClock } from '../../support/FakeClock.ts';
import { recordingTelemetry } from '../../support/recordingTelemetry.ts';
import { tempDir } from '../../support/tempDir.ts';
import { waitFor } from '../../support/waitFor.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function rig() {
  const clock = new FakeClock();
  const store = StateStore.open(join(tempDir(), 'state.db'), clock.now());
  onTestFinished(() => store.close());
  const { telemetry, calls } = recordingTelemetry();
  const folder = new StagingFolder({ path: join(tempDir(), 'staging') });
  const cleanup = new FileCleanup({ store, clock, telemetry, folder });
  let ids = 0;
  const staged = async (): Promise<SendRow> => {
    const commandId = `c${++ids}`;
    const now = clock.now();
    const file = { commandId, name: 'a.txt', mimeType: 'text/plain', url: undefined, data: Buffer.from('x'), now };
    const fileId = store.outgoingFiles.insert(file);
    const path = folder.newPlace('a.txt');
    store.outgoingFiles.begin(fileId, path);
    const sizeBytes = await folder.write(
      path,
      (handle) => handle.writeFile('x'),
      async () => {},
    );
    store.outgoingFiles.markStaged(fileId, { sizeBytes, now });
    const key = `command:${commandId}`;
    return store.sends.insert({ key, threadId: 'anna@example.com', text: '', bubbleType: 'normal', fileId, now });
  };
  cleanup.start();
  onTestFinished(() => cleanup.stop());
  const isThere = (send: SendRow) => existsSync(send.filePath!);
  return { clock, store, cleanup, staged, isThere, calls };
}

describe('FileCleanup', () => {
  it('keeps a file for ten minutes after its bubble was delivered', async () => {
    const { clock, store, staged, isThere } = rig();
    const send = await staged();
    store.sends.markConfirmed(send.sendId, { guid: 'G1', rowid: 1 }, clock.now());
    await clock.advance(2 * DAY);
    expect(isThere(send)).toBe(true);
    store.sends.markDelivered(send.sendId, clock.now());
    await clock.advance(10 * MINUTE);
    expect(isThere(send)).toBe(true);
    await clock.advance(5 * MINUTE);
    await waitFor('the file to go', () => !isThere(send));
    await waitFor('the row', () => store.outgoingFiles.byId(send.fileId!)!.state === 'removed');
    expect(existsSync(dirname(send.filePath!))).toBe(false);
    expect(store.sends.byId(send.sendId)).toMatchObject({ fileName: 'a.txt', filePath: null });
  });

  it.each([
    ['confirmed without a report, or of which nobody knows, seven days', 'unknown', 7 * DAY],
    ['that failed an hour', 'failed', HOUR],
  ] as const)('keeps one %s', async (_what, state, ms) => {
    const { clock, store, staged, isThere } = rig();
    const send = await staged();
    const other = await staged();
    store.sends.finish(send.sendId, state, clock.now());
    if (state === 'unknown') store.sends.markConfirmed(other.sendId, { guid: 'G1', rowid: 1 }, clock.now());
    else store.sends.finish(other.sendId, 'superseded', clock.now());
    await clock.advance(ms - MINUTE);
    expect([isThere(send), isThere(other)]).toEqual([true, true]);
    await clock.advance(10 * MINUTE);
    await waitFor('the files to go', () => !isThere(send) && !isThere(other));
  });

  it('keeps the file of a bubble that is still to go, however long that takes', async () => {
    const { clock, store, staged, isThere } = rig();
    const [queued, sending] = [await staged(), await staged()];
    store.sends.markSending(sending.sendId, { rowid: 1, epoch: 1 }, clock.now());
    await clock.advance(30 * DAY);
    expect([isThere(queued), isThere(sending)]).toEqual([true, true]);
  });

  it('deletes none by a clock that shows another year for some minutes: Messages may be uploading it', async () => {
    const { clock, store, staged, isThere } = rig();
    const send = await staged();
    await clock.advance(2 * HOUR);
    store.sends.markConfirmed(send.sendId, { guid: 'G1', rowid: 1 }, clock.now());
    clock.jumpWall(365 * DAY);
    for (let minutes = 0; minutes < 30; minutes += 5) await clock.advance(5 * MINUTE);
    clock.jumpWall(-365 * DAY);
    await clock.advance(6 * DAY);
    expect(isThere(send)).toBe(true);
    await clock.advance(2 * DAY);
    await waitFor('the file to go', () => !isThere(send));
  });

  it('takes a file that is gone already for deleted', async () => {
    const { clock, store, staged } = rig();
    const send = await staged();
    rmSync(dirname(send.filePath!), { recursive: true });
    store.sends.finish(send.sendId, 'failed', clock.now());
    await clock.advance(2 * HOUR);
    await waitFor('the row', () => store.outgoingFiles.byId(send.fileId!)!.state === 'removed');
  });

  it('begins by deleting what is older than a month and nobody’s', async () => {
    const { clock, store } = rig();
    const dir = join(tempDir(), 'staging');
    const leftover = join(dir, '11111111-2222-4333-8444-555555555555');
    mkdirSync(leftover, { recursive: true });
    writeFileSync(join(leftover, '.part'), 'half');
    const longAgo = (clock.now() - 31 * DAY) / 1000;
    utimesSync(leftover, longAgo, longAgo);
    const { telemetry } = recordingTelemetry();
    const cleanup = new FileCleanup({ store, clock, telemetry, folder: new StagingFolder({ path: dir }) });
    cleanup.start();
    await waitFor('the folder to go', () => !existsSync(leftover));
    await cleanup.stop();
  });
});
