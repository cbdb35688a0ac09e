import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type FetchFile, FileStager } from '../../../src/messaging/files/FileStager.ts';
import { StagingFolder } from '../../../src/messaging/files/StagingFolder.ts';
import type { SendRow } from '../../../src/state/SendRow.ts';
import { StateStore } from '../../../src/state/StateStore.ts';
import { EdgeError } from '../../../src/util/EdgeError.ts';
import { FakeClock } from '../../support/FakeClock.ts';
import { recordingTelemetry } from '../../support/recordingTelemetry.ts';
import { tempDir } from '../../support/tempDir.ts';
import { waitFor } from '../../support/waitFor.ts';
import { PNG } from './samples.ts';

const ANNA = '+15550100001';

function rig(o: { maxBytes?: number } = {}) {
  const clock = new FakeClock();
  const store = StateStore.open(join(tempDir(), 'state.db'), clock.now());
  onTestFinished(() => store.close());
  const { telemetry, calls } = recordingTelemetry();
  const dir = join(tempDir(), 'staging');
  const failed: { key: string; code: string; detail: string }[] = [];
  const fetches: string[] = [];
  const world = {
    fetchFile: (async (_url, file) => void (await file.writeFile(PNG))) as FetchFile,
    staged: 0,
  };
  const make = () =>
    new FileStager({
      store,
      clock,
      telemetry,
      folder: new StagingFolder({ path: dir }),
      maxBytes: o.maxBytes ?? 1000,
      fetchFile: (url, file, options) => {
        fetches.push(url);
        return world.fetchFile(url, file, options);
      },
      onStaged: () => world.staged++,
      onFailed: (send, code, detail) => {
        store.sends.finish(send.sendId, 'failed', clock.now(), code);
        failed.push({ key: send.key, code, detail });
      },
    });
  const wanted = (commandId: string, file: { url?: string; data?: Buffer; name?: string; mimeType?: string } = {}) => {
    const { url, data, name = 'photo.png', mimeType = 'image/png' } = file;
    const source = url === undefined && data === undefined ? 'https://files.example.com/photo.png' : url;
    const now = clock.now();
    const fileId = store.outgoingFiles.insert({ commandId, name, mimeType, url: source, data, now });
    const key = `command:${commandId}`;
    return store.sends.insert({ key, threadId: ANNA, text: '', bubbleType: 'normal', state: 'held', fileId, now });
  };
  const row = (send: SendRow) => store.sends.byId(send.sendId)!;
  const file = (send: SendRow) => store.outgoingFiles.byId(send.fileId!)!;
  const told = (event: string) => calls.filter((call) => call.event === event).map(({ args }) => args[0]);
  return { clock, store, dir, failed, fetches, world, make, wanted, row, file, told };
}

describe('FileStager', () => {
  it('puts a fetched file under its own name where it is asked to, and lets its bubble go', async () => {
    const r = rig();
    const send = r.wanted('c1');
    const stager = r.make();
    stager.start();
    await waitFor('the file', () => r.world.staged === 1);
    const { filePath, state, fileName } = r.row(send);
    expect([state, fileName]).toEqual(['queued', 'photo.png']);
    expect(readFileSync(filePath!)).toEqual(PNG);
    expect(dirname(dirname(filePath!))).toBe(r.dir);
    expect(statSync(filePath!).mode & 0o777).toBe(0o600);
    expect(readdirSync(dirname(filePath!))).toEqual(['photo.png']);
    // What may be a secret or is large is not kept.
    expect(r.file(send)).toMatchObject({ state: 'staged', url: null, sizeBytes: PNG.length });
    expect(r.told('fileStaged')).toMatchObject([{ threadId: ANNA, bytes: PNG.length }]);
    await stager.stop();
  });

  it('writes the bytes that came with the command, and keeps two files of one name apart', async () => {
    const r = rig();
    const sends = ['c1', 'c2'].map((id) => r.wanted(id, { data: PNG }));
    const stager = r.make();
    stager.start();
    await waitFor('the files', () => r.world.staged === 2);
    const paths = sends.map((send) => r.row(send).filePath!);
    expect(new Set(paths).size).toBe(2);
    for (const path of paths) expect(readFileSync(path)).toEqual(PNG);
    expect(r.store.outgoingFiles.data(sends[0]!.fileId!)).toBeUndefined();
    expect(r.fetches).toEqual([]);
  });

  it.each([
    ['too large', { data: Buffer.concat([PNG, Buffer.alloc(1000)]) }, /max_send_bytes, 1000/],
    ['empty', { data: Buffer.alloc(0) }, /empty/],
    ['of another type than it is said to be', { data: Buffer.from('%PDF-1.7') }, /application\/pdf/],
    ['a program', { data: Buffer.from('#!/bin/sh\n'), mimeType: 'text/plain', name: 'a.txt' }, /program/],
  ])('fails a file that is %s at once, and leaves nothing of it', async (_what, file, why) => {
    const r = rig();
    const send = r.wanted('c1', file);
    const stager = r.make();
    stager.start();
    await waitFor('the failure', () => r.failed.length === 1);
    expect(r.failed).toEqual([{ key: 'command:c1', code: 'EDGE_FILE_REFUSED', detail: expect.stringMatching(why) }]);
    expect(r.file(send)).toMatchObject({ state: 'failed', attempts: 1 });
    expect(readdirSync(r.dir)).toEqual([]);
  });

  it('tries again with growing pauses what may come yet, eight times within half an hour', async () => {
    const r = rig();
    const send = r.wanted('c1');
    r.world.fetchFile = async () => {
      throw new EdgeError('EDGE_FILE_FETCH', 'its server answers 503');
    };
    const stager = r.make();
    stager.start();
    const startedAt = r.clock.now();
    const begunAt: number[] = [];
    for (let attempt = 1; attempt <= 8; attempt++) {
      await waitFor('the attempt to be over', () => r.file(send).attempts === attempt);
      begunAt.push((r.clock.now() - startedAt) / 1000);
      const { nextAttemptAt } = r.file(send);
      while (nextAttemptAt !== null && r.clock.now() < nextAttemptAt) await r.clock.advance(15_000);
    }
    expect(begunAt).toEqual([0, 15, 45, 105, 225, 465, 945, 1545]);
    expect(r.failed).toMatchObject([{ code: 'EDGE_FILE_FETCH', detail: 'its server answers 503 (attempt 8)' }]);
    expect(r.row(send).state).toBe('failed');
    expect(r.told('fileRetried')).toHaveLength(7);
  });

  it('tries again within a minute of the clock having been set back by a day', async () => {
    const r = rig();
    const send = r.wanted('c1');
    const fetchFile = r.world.fetchFile;
    r.world.fetchFile = async () => {
      throw new EdgeError('EDGE_FILE_FETCH', 'its server answers 503');
    };
    r.make().start();
    await waitFor('the attempt to be over', () => r.file(send).attempts === 1);
    r.world.fetchFile = fetchFile;
    r.clock.jumpWall(-86_400_000);
    await r.clock.advance(60_000);
    await waitFor('the file', () => r.file(send).state === 'staged');
    expect(r.row(send).state).toBe('queued');
  });

  it('tries again when the disk takes nothing', async () => {
    const r = rig();
    const send = r.wanted('c1');
    writeFileSync(r.dir, 'a file is where the folder should be');
    const stager = r.make();
    stager.start();
    await waitFor('the attempt', () => r.told('fileRetried').length === 1);
    expect(r.file(send)).toMatchObject({ state: 'wanted', errorCode: 'EDGE_FILE_STAGE' });
    expect(r.row(send).state).toBe('held');
  });

  it('does not let one slow host hold up the others', async () => {
    const r = rig();
    const never = Promise.withResolvers<void>();
    r.world.fetchFile = async (url, file, { signal }) => {
      if (!url.includes('slow')) return void (await file.writeFile(PNG));
      signal.addEventListener('abort', () => never.reject(new Error('stopped')));
      await never.promise;
    };
    const slow = r.wanted('c1', { url: 'https://slow.example.com/' });
    const others = ['c2', 'c3', 'c4', 'c5'].map((id) => r.wanted(id));
    const stager = r.make();
    stager.start();
    await waitFor('the others', () => others.every((send) => r.row(send).state === 'queued'));
    expect(r.row(slow).state).toBe('held');
    await stager.stop();
  });

  it('goes on with what it was about when it was killed', async () => {
    const r = rig();
    const send = r.wanted('c1');
    const never = Promise.withResolvers<void>();
    r.world.fetchFile = async (_url, file) => {
      await file.write('half');
      await never.promise;
    };
    const killed = r.make();
    killed.start();
    await waitFor('the fetch', () => r.fetches.length === 1 && readdirSync(r.dir).length === 1);
    // The next start: the first one's work leads nowhere.
    r.world.fetchFile = async (_url, file) => void (await file.writeFile(PNG));
    const [half] = readdirSync(r.dir);
    r.make().start();
    await waitFor('the file', () => r.world.staged === 1);
    expect(readdirSync(r.dir)).not.toContain(half);
    expect(readdirSync(r.dir)).toHaveLength(1);
    expect(readFileSync(r.row(send).filePath!)).toEqual(PNG);
    const over = killed.stop();
    never.reject(new Error('over'));
    await over;
  });

  it('forgets a file whose bubble is over', async () => {
    const r = rig();
    const send = r.wanted('c1');
    r.store.sends.finish(send.sendId, 'failed', r.clock.now());
    r.make().start();
    await waitFor('the row', () => r.file(send).state === 'removed');
    expect(r.fetches).toEqual([]);
  });

  it('deletes what a crash left of a file whose bubble is over', async () => {
    const r = rig();
    const send = r.wanted('c1');
    const path = join(r.dir, '11111111-2222-4333-8444-555555555555', 'photo.png');
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, PNG);
    r.store.outgoingFiles.begin(send.fileId!, path);
    r.store.sends.finish(send.sendId, 'failed', r.clock.now());
    r.make().start();
    await waitFor('the row', () => r.file(send).state === 'removed');
    expect(readdirSync(r.dir)).toEqual([]);
  });
});

describe('StagingFolder', () => {
  const write = async (folder: StagingFolder) => {
    const path = folder.newPlace('a.txt');
    await folder.write(
      path,
      (file) => file.writeFile('x'),
      async () => {},
    );
    return path;
  };

  it('deletes nothing but what is its own: no link is followed, no other name touched', async () => {
    const outside = join(tempDir(), 'outside');
    const dir = join(tempDir(), 'staging');
    mkdirSync(outside);
    mkdirSync(join(dir, 'somebody-elses'), { recursive: true });
    writeFileSync(join(outside, 'keep.txt'), 'x');
    const folder = new StagingFolder({ path: dir });
    const path = await write(folder);
    symlinkSync(outside, join(dir, '11111111-2222-4333-8444-555555555555'));
    symlinkSync(outside, join(dirname(path), 'link'));
    await folder.remove(join(outside, 'keep.txt'));
    await folder.remove(join(dir, '..', 'outside', 'keep.txt'));
    await folder.removeForgotten([], Number.POSITIVE_INFINITY);
    expect(readdirSync(dir)).toEqual(['somebody-elses']);
    expect(existsSync(join(outside, 'keep.txt'))).toBe(true);
  });

  it('leaves space on the volume to others', async () => {
    const folder = new StagingFolder({ path: join(tempDir(), 'staging'), sparedBytes: Number.MAX_SAFE_INTEGER });
    await expect(write(folder)).rejects.toMatchObject({ code: 'EDGE_FILE_STAGE' });
  });

  it('deletes what nobody knows of when it is old, and keeps the rest', async () => {
    const folder = new StagingFolder({ path: join(tempDir(), 'staging') });
    const [kept, old, young] = [await write(folder), await write(folder), await write(folder)];
    utimesSync(dirname(old), 1000, 1000);
    utimesSync(dirname(kept), 1000, 1000);
    await folder.removeForgotten([kept], 2_000_000);
    expect([existsSync(kept), existsSync(old), existsSync(young)]).toEqual([true, false, true]);
  });
});
