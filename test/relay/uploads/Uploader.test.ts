import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BackendError } from '../../../src/backend/BackendError.ts';
import { EdgeError } from '../../../src/util/EdgeError.ts';
import { waitFor } from '../../support/waitFor.ts';
import { ANNA, BERT } from '../fakes.ts';
import { setUp } from './uploadRig.ts';

const unreachable = () => new EdgeError('EDGE_BACKEND_UNREACHABLE', 'connect ECONNREFUSED');
const busy = (retryAfterMs?: number) => new BackendError('EDGE_BACKEND_BUSY', '503', { status: 503, retryAfterMs });
const missing = () => new BackendError('EDGE_BACKEND_NOT_FOUND', 'answered 404', { status: 404 });
const rejected = () => new BackendError('EDGE_BACKEND_REJECTED', 'answered 413', { status: 413 });

describe('files', () => {
  it('go two at a time, live ones before backfill, which never has both places', async () => {
    const rig = setUp();
    for (const guid of ['old-1', 'old-2']) rig.receive(guid, { backfill: true });
    expect(await rig.posted(1)).toEqual(['old-1']);
    for (const guid of ['new-1', 'new-2']) rig.receive(guid);
    expect(await rig.posted(2)).toEqual(['old-1', 'new-1']);
    await rig.postings[0]!.take();
    expect(await rig.posted(3)).toEqual(['old-1', 'new-1', 'new-2']);
    await rig.postings[1]!.take();
    expect(await rig.posted(4)).toEqual(['old-1', 'new-1', 'new-2', 'old-2']);
  });

  it('are posted with what is on disk, and are done', async () => {
    const rig = setUp();
    rig.receive('a', { content: 'four', file: { sizeBytes: 999 } });
    await rig.posted(1);
    const { file, take } = rig.postings[0]!;
    expect(file).toMatchObject({ attachmentGuid: 'a', messageGuid: 'guid-1', threadId: ANNA, sizeBytes: 4 });
    expect((await file.open().toArray()).join('')).toBe('four');
    await take();
    expect(rig.state('a')).toMatchObject({ state: 'done', sizeBytes: 4 });
    expect(rig.released).toEqual([ANNA]);
  });

  it('that the backend is too busy for wait as long as it asks, without end, and let others by', async () => {
    const rig = setUp();
    rig.receive('a');
    await rig.posted(1);
    await rig.postings[0]!.fail(busy(30_000));
    rig.receive('b');
    expect(await rig.posted(2)).toEqual(['a', 'b']);
    await rig.clock.advance(29_000);
    expect(rig.postings).toHaveLength(2);
    await rig.clock.advance(1_000);
    expect(await rig.posted(3)).toEqual(['a', 'b', 'a']);
    expect(rig.told('uploadRetried')).toMatchObject([[{ attachmentGuid: 'a', code: 'EDGE_UPLOAD_RETRIED' }]]);
  });

  it('are never asked for without a pause, whatever Retry-After says', async () => {
    const rig = setUp();
    rig.receive('a');
    await rig.posted(1);
    await rig.postings[0]!.fail(busy(0));
    await rig.clock.advance(999);
    expect(rig.postings).toHaveLength(1);
    await rig.clock.advance(1);
    await rig.posted(2);
  });

  it.each([
    ['failed', busy(60_000), { state: 'waiting', attempts: 1, errorCode: 'EDGE_BACKEND_BUSY' }],
    ['are refused', rejected(), { state: 'failed', errorCode: 'EDGE_UPLOAD_FAILED' }],
  ])('are tried less and less often while state.db cannot note that they %s', async (_what, error, noted) => {
    const rig = setUp();
    rig.receive('a');
    await rig.posted(1);
    const timers = rig.clock.pending;
    const unlock = rig.lock();
    const failing = [];
    for (const [at, pauseMs] of [1_000, 2_000].entries()) {
      failing.push(rig.postings[at]!.fail(error));
      await waitFor('a pause', () => rig.clock.pending > timers + 1);
      await rig.clock.advance(pauseMs - 1);
      expect(rig.lookedUp).toHaveLength(at + 1);
      await rig.clock.advance(1);
      await rig.posted(at + 2);
    }
    unlock();
    await rig.postings[2]!.fail(error);
    await Promise.all(failing);
    expect(rig.state('a')).toMatchObject(noted);
    await rig.clock.advance(59_999);
    expect(rig.lookedUp).toHaveLength(3);
  });

  it('go on within a second when state.db can note them again, however long it could not', async () => {
    const rig = setUp();
    rig.receive('a');
    await rig.posted(1);
    const timers = rig.clock.pending;
    const unlock = rig.lock();
    const ends = [];
    for (const [at, pauseMs] of [1_000, 2_000, 4_000, 8_000].entries()) {
      ends.push(rig.postings[at]!.take());
      await waitFor('a pause', () => rig.clock.pending > timers + 1);
      await rig.clock.advance(pauseMs);
      await rig.posted(at + 2);
    }
    ends.push(rig.postings[4]!.take());
    await waitFor('a pause', () => rig.clock.pending > timers + 1);
    unlock();
    await rig.clock.advance(1_000);
    await rig.posted(6);
    ends.push(rig.postings[5]!.take());
    await Promise.all(ends);
    expect(rig.state('a')).toMatchObject({ state: 'done' });
  });

  it('do not knock one by one at a backend that is too busy for every one of them', async () => {
    const rig = setUp();
    const guids = Array.from({ length: 20 }, (_, index) => `g${index}`);
    for (const guid of guids) rig.receive(guid);
    for (let at = 0; at < 4; at++) {
      await rig.posted(at + 1);
      await rig.postings[at]!.fail(busy(600_000));
    }
    expect(rig.postings).toHaveLength(4);
    await rig.clock.advance(2_000);
    expect(await rig.posted(5)).toHaveLength(5);
    expect(new Set(rig.told('conditionRaised').map(([code]) => code))).toEqual(new Set(['EDGE_UPLOAD_RETRIED']));
    await rig.postings[4]!.take();
    expect(await rig.posted(7)).toHaveLength(7);
  });

  it('do not knock one by one at a backend that is away, and go when it is seen', async () => {
    const rig = setUp();
    for (const guid of ['a', 'b', 'c']) rig.receive(guid);
    await rig.posted(2);
    await rig.postings[0]!.fail(unreachable());
    await rig.postings[1]!.fail(unreachable());
    expect(rig.postings).toHaveLength(2);
    await rig.clock.advance(1_000);
    await rig.posted(3);
    await rig.postings[2]!.fail(unreachable());
    expect(rig.told('conditionRaised')).not.toEqual([]);
    await rig.clock.advance(1_500);
    expect(rig.postings).toHaveLength(3);
    rig.uploader.backendSeen();
    await rig.posted(5);
    expect(rig.told('conditionCleared')).toEqual([['EDGE_UPLOAD_RETRIED']]);
  });

  it('go when the backend is seen, whatever of the network failed them before', async () => {
    const rig = setUp();
    for (const guid of ['a', 'b']) rig.receive(guid);
    await rig.posted(2);
    await rig.postings[0]!.fail(new EdgeError('EDGE_TLS_UNTRUSTED', 'unable to verify'));
    await rig.postings[1]!.fail(new EdgeError('EDGE_PROXY_FAILED', 'the proxy answered CONNECT with 502'));
    rig.uploader.backendSeen();
    await rig.posted(4);
  });

  it('go at once when another secret is there than the one that was refused', async () => {
    const rig = setUp();
    for (const guid of ['a', 'b']) rig.receive(guid);
    await rig.posted(2);
    for (const posting of rig.postings.slice()) await posting.fail(new EdgeError('EDGE_BACKEND_AUTH', '403'));
    rig.uploader.backendSeen();
    await rig.clock.advance(1000);
    expect(rig.postings).toHaveLength(2);
    rig.uploader.secretChanged();
    await rig.posted(4);
  });

  it('go at once with another secret though one under way failed otherwise since', async () => {
    const rig = setUp();
    for (const guid of ['a', 'b']) rig.receive(guid);
    await rig.posted(2);
    const [refused, failed] = rig.postings;
    await refused!.fail(new EdgeError('EDGE_BACKEND_AUTH', '403'));
    await failed!.fail(unreachable());
    rig.uploader.secretChanged();
    expect((await rig.posted(3))[2]).toBe(refused!.guid);
  });

  it('are given up where the backend refuses them', async () => {
    const rig = setUp();
    rig.receive('a');
    await rig.posted(1);
    await rig.postings[0]!.fail(rejected());
    expect(rig.state('a')).toMatchObject({ state: 'failed', errorCode: 'EDGE_UPLOAD_FAILED' });
    expect(rig.told('uploadFailed')).toHaveLength(1);
  });

  it('are no longer said to be retried when none is left', async () => {
    const rig = setUp();
    rig.receive('a');
    await rig.posted(1);
    await rig.postings[0]!.fail(missing());
    rig.replace('a', { transferState: 'failed' });
    expect(rig.told('conditionCleared')).toEqual([]);
    await rig.clock.advance(300_000);
    await waitFor('the end', () => rig.state('a')!.state === 'failed');
    expect(rig.told('conditionCleared')).toEqual([['EDGE_UPLOAD_RETRIED']]);
  });

  it('are still said to be retried when one is given up and another waits', async () => {
    const rig = setUp();
    for (const guid of ['a', 'b']) rig.receive(guid);
    await rig.posted(2);
    for (const posting of rig.postings.slice()) await posting.fail(missing());
    rig.replace('a', { transferState: 'failed' });
    await rig.clock.advance(300_000);
    await waitFor('the end', () => rig.state('a')!.state === 'failed');
    await rig.posted(3);
    expect(rig.told('conditionCleared')).toEqual([]);
  });

  it('that are due far ahead, because the clock was set back, go at once', async () => {
    const rig = setUp();
    rig.receive('a');
    await rig.posted(1);
    await rig.postings[0]!.fail(busy(60_000));
    rig.clock.jumpWall(-86_400_000);
    rig.uploader.wake();
    expect(await rig.posted(2)).toEqual(['a', 'a']);
  });
});

describe('a message', () => {
  it('is held back for its files as long as it may be, and not for those of others', () => {
    const rig = setUp();
    const guid = rig.receive('a');
    rig.receive('b', { threadId: BERT, backfill: true });
    expect(rig.uploader.heldMs(guid)).toBe(15_000);
    expect(rig.uploader.heldMs('guid-2')).toBe(0);
    expect(rig.uploader.heldMs('guid-9')).toBe(0);
    rig.clock.jumpWall(15_000);
    expect(rig.uploader.heldMs(guid)).toBe(0);
  });

  it('is not held back for longer when the clock is set back', () => {
    const rig = setUp();
    const guid = rig.receive('a');
    rig.clock.jumpWall(-3_600_000);
    expect(rig.uploader.heldMs(guid)).toBe(0);
  });

  it('is not held back while the backend has no endpoint for files, which is tried every 5 minutes', async () => {
    const rig = setUp();
    const guid = rig.receive('a');
    await rig.posted(1);
    await rig.postings[0]!.fail(missing());
    expect(rig.released).toEqual([undefined]);
    expect(rig.uploader.heldMs(guid)).toBe(0);
    await rig.clock.advance(299_000);
    expect(rig.postings).toHaveLength(1);
    await rig.clock.advance(1_000);
    await rig.posted(2);
  });

  it('is not held back either when a file under way fails otherwise after that was said', async () => {
    const rig = setUp();
    const guids = ['a', 'b'].map((guid) => rig.receive(guid));
    await rig.posted(2);
    await rig.postings[0]!.fail(missing());
    await rig.postings[1]!.fail(unreachable());
    expect(guids.map((guid) => rig.uploader.heldMs(guid))).toEqual([0, 0]);
  });
});

describe('a file that is not there', () => {
  const pending = { transferState: 'pending' } as const;

  it('holds nothing up, and is uploaded when chat.db says that it is', async () => {
    const rig = setUp();
    const guid = rig.receive('a', { file: pending, content: null });
    expect(rig.uploader.heldMs(guid)).toBe(0);
    await waitFor('the look', () => rig.state('a')!.errorDetail !== null);
    rig.uploader.chatDbChanged();
    await rig.clock.advance(1_000);
    expect(rig.postings).toEqual([]);
    writeFileSync(join(rig.root, 'a', 'a.jpg'), 'now');
    rig.replace('a', { transferState: 'finished' });
    rig.uploader.chatDbChanged();
    await rig.clock.advance(1_000);
    expect(await rig.posted(1)).toEqual(['a']);
  });

  it('is given up after 7 days', async () => {
    const rig = setUp();
    rig.receive('a', { file: pending });
    await waitFor('the look', () => rig.state('a')!.errorDetail !== null);
    rig.clock.jumpWall(7 * 86_400_000);
    await rig.clock.advance(62 * 60_000);
    await rig.clock.advance(62 * 60_000);
    expect(rig.state('a')).toMatchObject({ state: 'failed' });
  });

  it('is not given up before Messages had an hour for it after the Mac slept for longer', async () => {
    const rig = setUp();
    await rig.clock.advance(62 * 60_000);
    rig.receive('a', { file: pending });
    await waitFor('the look', () => rig.state('a')!.errorDetail !== null);
    rig.clock.sleep(8 * 86_400_000);
    await rig.clock.advance(50 * 60_000);
    expect(rig.state('a')).toMatchObject({ state: 'waiting' });
    await rig.clock.advance(15 * 60_000);
    expect(rig.state('a')).toMatchObject({ state: 'failed' });
  });

  it('is not given up by a clock that shows another year for some minutes', async () => {
    const rig = setUp();
    rig.receive('a', { file: pending });
    await waitFor('the look', () => rig.state('a')!.errorDetail !== null);
    await rig.clock.advance(62 * 60_000);
    rig.clock.jumpWall(365 * 86_400_000);
    await rig.clock.advance(10 * 60_000);
    rig.clock.jumpWall(-365 * 86_400_000);
    await rig.clock.advance(62 * 60_000);
    expect(rig.state('a')).toMatchObject({ state: 'waiting' });
  });

  it('though chat.db calls it downloaded is looked for five times', async () => {
    const rig = setUp();
    rig.receive('a', { content: null });
    await waitFor('the end', async () => {
      await rig.clock.advance(1_000);
      return rig.state('a')!.state === 'failed';
    });
    expect(rig.told('uploadRetried')).toHaveLength(4);
  });

  it('is told of without its name, which is as private as the message', async () => {
    const rig = setUp();
    rig.receive('a', { content: null, file: { path: '~/Library/Messages/Attachments/a/4111 1111 1111 1111.jpg' } });
    await waitFor('an attempt', () => rig.told('uploadRetried').length === 1);
    expect(JSON.stringify(rig.told('uploadRetried'))).toContain('ENOENT');
    expect(JSON.stringify([rig.told('uploadRetried'), rig.state('a')!.errorDetail])).not.toMatch(/4111|Attachments/);
  });
});

describe('what is no file to upload', () => {
  it.each([
    ['a folder', (place: string) => mkdirSync(place)],
    ['a pipe', (place: string) => void execFileSync('mkfifo', [place])],
    ['too large', (place: string) => writeFileSync(place, 'x'.repeat(101))],
  ])('%s', async (_what, make) => {
    const rig = setUp();
    rig.receive('a', { content: null });
    rmSync(join(rig.root, 'a', 'a.jpg'), { force: true });
    make(join(rig.root, 'a', 'a.jpg'));
    await waitFor('the end', () => rig.state('a')!.state === 'failed');
    expect(rig.postings).toEqual([]);
  });

  it.each([
    '/etc/passwd',
    'a/a.jpg',
    '~/Library/Messages/Attachments/../../../etc/passwd',
    '~/Library/Messages/Attachments/a/a.jpg\0',
    '~/Library/Messages/Attachments/',
  ])('what %j leads to', async (path) => {
    const rig = setUp();
    rig.receive('a', { file: { path } });
    await waitFor('an outcome', () => rig.state('a')!.attempts + Number(rig.state('a')!.state === 'failed') > 0);
    expect(rig.postings).toEqual([]);
  });

  it('what the settings no longer cover', async () => {
    const rig = setUp({ mode: 'images' });
    rig.receive('a', { file: pdfToBe });
    rig.replace('a', { mimeType: 'application/pdf' });
    await waitFor('the end', () => rig.state('a')!.state === 'failed');
    expect(rig.postings).toEqual([]);
  });

  const pdfToBe = { mimeType: 'IMAGE/png' };
});
