import { appendFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import type { AttachmentInfo, ChatRow } from '../../src/chatdb/types.ts';
import { findSelfEcho } from '../../src/messaging/selfEcho.ts';
import type { SendRow } from '../../src/state/SendRow.ts';
import { chatRow } from '../support/chatRow.ts';
import { tempDir } from '../support/tempDir.ts';
import { EXIT_0 } from './FakeMac.ts';
import { ANNA, BEN, SETTLE_MS, type SenderRig, senderRig } from './senderRig.ts';

const FILE: Partial<ChatRow> = { text: '\ufffc', attachments: [], cacheHasAttachments: true };

function attachment(name: string): AttachmentInfo {
  const place = { path: `~/${name}`, transferState: 'finished' as const };
  return { guid: `at_0_${name}`, name, mimeType: 'image/png', sizeBytes: 3, isSticker: false, ...place };
}

/** Queues a file that is staged. */
function queueFile(rig: SenderRig, threadId: string, name: string, path = join(tempDir(), name)): SendRow {
  writeFileSync(path, 'png');
  const now = rig.clock.now();
  const commandId = `${threadId}:${name}:${rig.store.sends.counts().queued}`;
  const file = { commandId, name, mimeType: 'image/png', url: undefined, data: undefined, now };
  const fileId = rig.store.outgoingFiles.insert(file);
  rig.store.outgoingFiles.begin(fileId, path);
  rig.store.outgoingFiles.markStaged(fileId, { sizeBytes: 3, now });
  return rig.queue(threadId, '', { fileId });
}

it('hands the path to the one script, and knows the file again by its name, once it is joined', async () => {
  const rig = senderRig();
  rig.mac.onRun = () => EXIT_0;
  const send = queueFile(rig, ANNA, 'photo.png');
  await rig.wake();
  const call = { form: 'participant', target: ANNA, service: 'iMessage', text: rig.row(send).filePath, kind: 'file' };
  expect(rig.mac.calls).toEqual([call]);
  rig.mac.write({ target: ANNA, text: '\ufffc' }, { ...FILE, attachments: [attachment('other.png')] });
  rig.mac.write({ target: BEN, text: '\ufffc' }, { ...FILE, attachments: [attachment('photo.png')] });
  const row = rig.mac.write({ target: ANNA, text: '\ufffc' }, FILE);
  await rig.changed();
  expect(rig.state(send)).toBe('accepted');
  rig.mac.amend(row.rowid, { attachments: [attachment('photo.png')] });
  await rig.changed();
  expect(rig.row(send)).toMatchObject({ state: 'confirmed', receiptGuid: row.guid });
});

it('gives each of two files of one name a row of its own', async () => {
  const rig = senderRig();
  rig.mac.onRun = ({ target }) => {
    rig.mac.write({ target, text: '\ufffc' }, { ...FILE, attachments: [attachment('photo.png')] });
    return EXIT_0;
  };
  const sends = [queueFile(rig, ANNA, 'photo.png'), queueFile(rig, ANNA, 'photo.png')];
  await rig.wake();
  await rig.clock.advance(2000);
  expect(sends.map((send) => rig.row(send).receiptGuid)).toEqual(['GUID-101', 'GUID-102']);
});

function linkInstead(path: string): void {
  unlinkSync(path);
  symlinkSync('/etc/passwd', path);
}

function fileInsteadOfFolder(path: string): void {
  rmSync(dirname(path), { recursive: true });
  writeFileSync(dirname(path), '');
}

it.each([
  ['leads elsewhere', linkInstead, /no longer where/],
  ['cannot be looked at', fileInsteadOfFolder, /^the file cannot be looked at .*: ENOTDIR$/],
  ['has grown', (path: string) => appendFileSync(path, 'x'), /has changed/],
])('does not send a file that %s since it was staged', async (_change, change, reason) => {
  const rig = senderRig();
  const send = queueFile(rig, ANNA, 'photo.png');
  change(rig.row(send).filePath!);
  await rig.wake();
  expect(rig.mac.calls).toEqual([]);
  const errorDetail = expect.stringMatching(reason);
  expect(rig.row(send)).toMatchObject({ state: 'failed', errorCode: 'EDGE_FILE_STAGE', errorDetail });
});

it('takes a file in Unicode form of its own for the same', async () => {
  const rig = senderRig();
  rig.mac.onRun = () => {
    rig.mac.write({ target: ANNA, text: '\ufffc' }, { ...FILE, attachments: [attachment('Zoe\u0308.png')] });
    return EXIT_0;
  };
  const send = queueFile(rig, ANNA, 'Zo\u00eb.png');
  await rig.wake();
  expect(rig.state(send)).toBe('confirmed');
});

it('leaves a second between a file and the next bubble of its thread, and none to other threads', async () => {
  const rig = senderRig();
  rig.mac.onRun = ({ target, text, kind }) => {
    if (kind === 'file') rig.mac.write({ target, text: '\ufffc' }, { ...FILE, attachments: [attachment('photo.png')] });
    else rig.mac.write({ target, text });
    return EXIT_0;
  };
  queueFile(rig, ANNA, 'photo.png');
  const next = rig.queue(ANNA, 'what you asked for');
  rig.queue(BEN, 'hi');
  await rig.wake();
  expect(rig.mac.calls.map(({ target }) => target)).toEqual([ANNA, BEN]);
  await rig.clock.advance(900);
  expect(rig.state(next)).toBe('queued');
  await rig.clock.advance(200);
  expect(rig.state(next)).toBe('confirmed');
});

it('does not hold the next bubble up for a year because its receipt came while the clock was a year ahead', async () => {
  const YEAR_MS = 365 * 86_400_000;
  const rig = senderRig();
  rig.mac.onRun = ({ target, text, kind }) => {
    if (kind === 'file') rig.mac.write({ target, text: '\ufffc' }, { ...FILE, attachments: [attachment('photo.png')] });
    else rig.mac.write({ target, text });
    return EXIT_0;
  };
  queueFile(rig, ANNA, 'photo.png');
  const next = rig.queue(ANNA, 'what you asked for');
  rig.clock.jumpWall(YEAR_MS);
  await rig.wake();
  expect(rig.row(next).notBeforeAt).toBeGreaterThan(rig.clock.now());
  rig.clock.jumpWall(-YEAR_MS);
  await rig.clock.advance(1100);
  expect(rig.state(next)).toBe('confirmed');
});

it('fails with the number when Messages could not read the file', async () => {
  const rig = senderRig();
  rig.mac.onRun = ({ target }) => {
    const attachments = [attachment('photo.png')];
    rig.mac.write({ target, text: '\ufffc' }, { ...FILE, attachments, isSent: false, error: 25 });
    return EXIT_0;
  };
  const send = queueFile(rig, ANNA, 'photo.png');
  await rig.wake();
  const { state, errorCode, errorDetail } = rig.row(send);
  expect([state, errorCode, errorDetail]).toEqual([
    'failed',
    'EDGE_SEND_REFUSED',
    expect.stringMatching(/^message\.error 25: /),
  ]);
});

it('does not ask Messages for a file that is gone', async () => {
  const rig = senderRig();
  const send = queueFile(rig, ANNA, 'photo.png');
  unlinkSync(rig.row(send).filePath!);
  await rig.wake();
  expect(rig.row(send)).toMatchObject({ state: 'failed', errorCode: 'EDGE_FILE_STAGE' });
  expect(rig.mac.calls).toEqual([]);
});

it('counts a file row without its file at the end of the settle time, rather than send it twice', async () => {
  const rig = senderRig();
  rig.mac.onRun = ({ target }) => {
    rig.mac.write({ target, text: '\ufffc' }, FILE);
    return EXIT_0;
  };
  const send = queueFile(rig, ANNA, 'photo.png');
  await rig.wake();
  await rig.clock.advance(SETTLE_MS - 1000);
  expect(rig.state(send)).toBe('accepted');
  await rig.clock.advance(2000);
  expect(rig.state(send)).toBe('confirmed');
  expect(rig.mac.calls).toHaveLength(1);
});

it('waits for a file that is not staged yet, and other threads go on', async () => {
  const rig = senderRig();
  const held = rig.queue(ANNA, '', { state: 'held' });
  const behind = rig.queue(ANNA, 'behind');
  const other = rig.queue(BEN, 'other');
  await rig.wake();
  expect([held, behind, other].map((send) => rig.state(send))).toEqual(['held', 'queued', 'confirmed']);
});

it('knows a file to oneself again, and not another one', () => {
  const rig = senderRig();
  const send = queueFile(rig, ANNA, 'photo.png');
  rig.store.sends.markSending(send.sendId, { rowid: 1, epoch: 1 }, rig.clock.now());
  const echo = (name: string) =>
    findSelfEcho(
      rig.store,
      chatRow({ ...FILE, rowid: 1, guid: 'G1', handle: ANNA, ownAddresses: [ANNA], attachments: [attachment(name)] }),
      ANNA,
      rig.clock.now(),
    )?.sendId;
  expect([echo('other.png'), echo('photo.png')]).toEqual([undefined, send.sendId]);
});

it('takes no silent row of a file for sent while it may still be uploading', async () => {
  const rig = senderRig();
  rig.mac.onRun = ({ target }) => {
    const row = { ...FILE, attachments: [attachment('photo.png')], isSent: false };
    rig.mac.write({ target, text: '\ufffc' }, row);
    return EXIT_0;
  };
  const send = queueFile(rig, ANNA, 'photo.png');
  await rig.wake();
  await rig.clock.advance(4 * SETTLE_MS);
  expect([rig.state(send), rig.mac.calls.length]).toEqual(['accepted', 1]);
  rig.mac.amend(rig.mac.rows[0]!.rowid, { error: 25 });
  await rig.changed();
  expect([rig.state(send), rig.events()]).toEqual(['failed', [`failed:${send.key}`]]);
});
