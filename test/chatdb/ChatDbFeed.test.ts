import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, renameSync, rmSync, watch, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ChatDb } from '../../src/chatdb/ChatDb.ts';
import { ChatDbFeed } from '../../src/chatdb/ChatDbFeed.ts';
import { type Clock, systemClock } from '../../src/util/Clock.ts';
import { EdgeError } from '../../src/util/EdgeError.ts';
import { FakeClock, settle } from '../support/FakeClock.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';
import { tempDir } from '../support/tempDir.ts';
import { waitFor } from '../support/waitFor.ts';
import { ChatDbFile } from './support/chatDbFile.ts';

function create(path: string): ChatDbFile {
  const file = new ChatDbFile(path);
  onTestFinished(() => file.close());
  return file;
}

/** A feed that notes what it is told: 'open', and after each change the texts of all rows. */
function feedOf(path: string, clock: Clock, onChange: (db: ChatDb) => void = () => {}, pollMs = 1000) {
  const { telemetry, calls } = recordingTelemetry();
  const told: (string | string[])[] = [];
  const feed = new ChatDbFeed({
    path,
    clock,
    telemetry,
    pollMs,
    onOpen: () => told.push('open'),
    onChange: (db) => {
      onChange(db);
      told.push(db.rowsAfter(0, 100).map((row) => row.text));
    },
  });
  onTestFinished(() => feed.stop());
  const conditions = () =>
    calls.map(
      ({ event, args }) =>
        `${event === 'conditionRaised' ? '+' : event === 'conditionCleared' ? '-' : event} ${args[0]}`,
    );
  return { feed, told, conditions };
}

/** Another process with the database open. */
function writerOf(path: string) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'support/writer.ts')], {
    env: { ...process.env, CHATDB: path },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill());
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async run(sql: string): Promise<void> {
      child.stdin.write(`${sql}\n`);
      expect((await lines.next()).value).toBe('done');
    },
    async exit(): Promise<void> {
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}

describe('ChatDbFeed', () => {
  it('says once for each set of them what a chat.db lacks', async () => {
    const path = join(tempDir(), 'chat.db');
    const clock = new FakeClock();
    const variant = { title: '', macos: 26, without: ['message.date_edited'], extra: [] } as const;
    const file = new ChatDbFile(path, variant);
    onTestFinished(() => file.close());
    const { feed, conditions } = feedOf(path, clock);
    feed.start();
    for (let i = 0; i < 3; i++) {
      file.message(`A-${i}`);
      feed.look();
    }
    expect(conditions()).toEqual(['chatdbLacks edits (message.date_edited)']);
    expect(feed.lacks).toEqual(['edits (message.date_edited)']);
    file.message('far', { ROWID: 2n ** 60n });
    feed.look();
    feed.stop();
    feed.start();
    expect(conditions()).toEqual([
      'chatdbLacks edits (message.date_edited)',
      'chatdbLacks edits (message.date_edited),rows with a ROWID past 2^53 (message.ROWID)',
    ]);
  });

  it('opens the database at start and tells of it once', async () => {
    const clock = new FakeClock();
    const file = create(join(tempDir(), 'chat.db'));
    file.message('A-1', { text: 'one' });
    const { feed, told } = feedOf(file.path, clock);
    feed.look();
    expect(told).toEqual([]);
    feed.start();
    expect(told).toEqual(['open', ['one']]);
    await clock.advance(5000);
    expect(told).toEqual(['open', ['one']]);
  });

  it('sees inserts and updates of another process at the poll alone', async () => {
    const clock = new FakeClock();
    const file = create(join(tempDir(), 'chat.db'));
    const writer = writerOf(file.path);
    const { feed, told } = feedOf(file.path, clock);
    feed.start();
    await writer.run(`INSERT INTO message (guid, text) VALUES ('A-1', 'one')`);
    await clock.advance(1000);
    expect(told.at(-1)).toEqual(['one']);
    await writer.run(`UPDATE message SET text = 'uno'`);
    await clock.advance(1000);
    expect(told.at(-1)).toEqual(['uno']);
    const count = told.length;
    await clock.advance(3000);
    expect(told).toHaveLength(count);
  });

  it('sees every commit by file events and the looks that follow them, without any poll', async () => {
    const clock = new FakeClock();
    const file = create(join(tempDir(), 'chat.db'));
    const writer = writerOf(file.path);
    const { feed, told } = feedOf(file.path, clock, () => {}, 1e9);
    feed.start();
    const idle = clock.pending;
    for (let i = 1; i <= 20; i++) {
      await writer.run(`INSERT INTO message (guid, text) VALUES ('A-${i}', '${i}')`);
      await waitFor('the event', () => clock.pending > idle);
      await clock.advance(1000);
      expect(told.at(-1)).toHaveLength(i);
    }
  });

  it('looks 2, 10 and 50 ms after the last event and more rarely up to a second, with one timer', async () => {
    const looks: number[] = [];
    const clock = new FakeClock();
    const file = create(join(tempDir(), 'chat.db'));
    const { feed } = feedOf(
      file.path,
      clock,
      () => {
        looks.push(clock.monotonic());
        throw new EdgeError('EDGE_CHATDB_BUSY', 'each look is a try');
      },
      1e9,
    );
    feed.start();
    const idle = clock.pending;
    for (const i of [1, 2, 3]) file.message(`A-${i}`);
    await waitFor('the events', () => clock.pending > idle);
    expect(clock.pending).toBe(idle + 1);
    await settle();
    await clock.advance(2000);
    expect(looks).toEqual([0, 2, 10, 50, 150, 400, 1000]);
    expect(clock.pending).toBe(idle);
  });

  it('follows a WAL that is emptied, deleted and made again', async () => {
    const clock = new FakeClock();
    const path = join(tempDir(), 'chat.db');
    const file = new ChatDbFile(path);
    file.message('A-1', { text: 'one' });
    const { feed, told } = feedOf(path, clock);
    feed.start();
    file.db.pragma('wal_checkpoint(TRUNCATE)');
    file.close();
    await clock.advance(1000);
    rmSync(`${path}-wal`, { force: true });
    const writer = writerOf(path);
    await writer.run(`INSERT INTO message (guid, text) VALUES ('A-2', 'two')`);
    await clock.advance(1000);
    expect(told.at(-1)).toEqual(['one', 'two']);
    await writer.run('PRAGMA wal_checkpoint(TRUNCATE)');
    await writer.run(`INSERT INTO message (guid, text) VALUES ('A-3', 'three')`);
    await clock.advance(1000);
    expect(told.at(-1)).toEqual(['one', 'two', 'three']);
    await writer.exit();
    await clock.advance(1000);
    const last = writerOf(path);
    await last.run(`INSERT INTO message (guid, text) VALUES ('A-4', 'four')`);
    await clock.advance(1000);
    expect(told.at(-1)).toEqual(['one', 'two', 'three', 'four']);
  });

  it('opens the other file when the one at the path is replaced', async () => {
    const clock = new FakeClock();
    const path = join(tempDir(), 'chat.db');
    create(path).message('A-1', { text: 'old' });
    const { feed, told, conditions } = feedOf(path, clock);
    feed.start();
    create(`${path}.new`).message('B-1', { text: 'new' });
    for (const suffix of ['', '-wal', '-shm']) renameSync(`${path}.new${suffix}`, path + suffix);
    await clock.advance(1000);
    expect(told).toEqual(['open', ['old'], 'open', ['new']]);
    expect(conditions()).toEqual([]);
  });

  it('waits for a database that is not there, says so once and hears of it by its directory', async () => {
    const path = join(tempDir(), 'Messages', 'chat.db');
    const { feed, told, conditions } = feedOf(path, systemClock);
    feed.start();
    feed.look();
    expect([feed.db, conditions()]).toEqual([undefined, ['+ EDGE_CHATDB_MISSING']]);
    mkdirSync(dirname(path));
    feed.look();
    create(path).message('A-1', { text: 'first' });
    await waitFor('the database', () => told.at(-1)?.includes('first'));
    expect(conditions().at(0)).toBe('+ EDGE_CHATDB_MISSING');
    expect(conditions().at(-1)).toMatch(/^- /);
    expect(feed.db).toBeDefined();
  });

  it('lets go of a database that vanished, with its directory even, and takes it up again', async () => {
    const clock = new FakeClock();
    const path = join(tempDir(), 'Messages', 'chat.db');
    mkdirSync(dirname(path));
    create(path);
    const { feed, told, conditions } = feedOf(path, clock);
    feed.start();
    rmSync(dirname(path), { recursive: true });
    await clock.advance(3000);
    expect(feed.db).toBeUndefined();
    mkdirSync(dirname(path));
    const file = create(path);
    await clock.advance(1000);
    expect(told.at(-1)).toEqual([]);
    expect(conditions()).toEqual(['+ EDGE_CHATDB_MISSING', '- EDGE_CHATDB_MISSING']);
    await clock.advance(1000);
    const idle = clock.pending;
    file.message('A-1', { text: 'again' });
    await waitFor('an event of the new directory', () => clock.pending > idle);
    await clock.advance(50);
    expect(told.at(-1)).toEqual(['again']);
  });

  it('holds a condition until a change went through, and tells the change again', async () => {
    const clock = new FakeClock();
    const file = create(join(tempDir(), 'chat.db'));
    file.message('A-1', { text: 'one' });
    let failing = true;
    const { feed, told, conditions } = feedOf(file.path, clock, () => {
      if (failing) throw new EdgeError('EDGE_CHATDB_CORRUPT', 'a damaged page');
    });
    feed.start();
    await clock.advance(3000);
    expect(told).toEqual(['open', 'open', 'open', 'open']);
    expect(conditions()).toEqual(['+ EDGE_CHATDB_CORRUPT']);
    failing = false;
    await clock.advance(1000);
    expect(told.at(-1)).toEqual(['one']);
    expect(conditions()).toEqual(['+ EDGE_CHATDB_CORRUPT', '- EDGE_CHATDB_CORRUPT']);
  });

  it('tries a database it cannot read at the poll only, whatever happens in its directory', async () => {
    const clock = new FakeClock();
    const path = join(tempDir(), 'chat.db');
    create(path);
    const { feed, told } = feedOf(path, clock, () => {
      throw new EdgeError('EDGE_CHATDB_CORRUPT', 'a damaged page');
    });
    feed.start();
    const idle = clock.pending;
    const heard = new Promise<void>((resolve) => {
      const watcher = watch(dirname(path), (_event, file) => {
        if (file === 'chat.db-other') resolve();
      });
      onTestFinished(() => watcher.close());
    });
    writeFileSync(`${path}-other`, '');
    await heard;
    await settle();
    expect([told, clock.pending]).toEqual([['open'], idle]);
  });

  it('stays open through a lock, reports it only when it lasts, and misses nothing', async () => {
    const clock = new FakeClock();
    const file = create(join(tempDir(), 'chat.db'));
    let isBusy = false;
    const { feed, told, conditions } = feedOf(file.path, clock, () => {
      if (isBusy) throw new EdgeError('EDGE_CHATDB_BUSY', 'locked');
    });
    feed.start();
    isBusy = true;
    file.message('A-1', { text: 'one' });
    await clock.advance(4000);
    expect([told, conditions()]).toEqual([['open', []], []]);
    await clock.advance(4000);
    expect(conditions()).toEqual(['+ EDGE_CHATDB_BUSY']);
    isBusy = false;
    await clock.advance(1000);
    expect(told).toEqual(['open', [], ['one']]);
    expect(conditions()).toEqual(['+ EDGE_CHATDB_BUSY', '- EDGE_CHATDB_BUSY']);
  });

  it('tells of the opening again when a lock came in between, and only until it was dealt with', async () => {
    const clock = new FakeClock();
    const file = create(join(tempDir(), 'chat.db'));
    const told: string[] = [];
    const { telemetry } = recordingTelemetry();
    const feed = new ChatDbFeed({
      path: file.path,
      clock,
      telemetry,
      onOpen: () => {
        told.push('open');
        if (told.length < 3) throw new EdgeError('EDGE_CHATDB_BUSY', 'locked');
      },
      onChange: () => told.push('change'),
    });
    onTestFinished(() => feed.stop());
    feed.start();
    const { db } = feed;
    await clock.advance(5000);
    expect([told, feed.db]).toEqual([['open', 'open', 'open', 'change'], db]);
  });

  it('leaves a file with a damaged page open, and opens it anew when a reader reports one', async () => {
    const clock = new FakeClock();
    const file = create(join(tempDir(), 'chat.db'));
    file.message('A-1', { text: 'one' });
    const { feed, told, conditions } = feedOf(file.path, clock);
    feed.start();
    feed.readFailed(new EdgeError('EDGE_CHATDB_CORRUPT', 'a damaged page'));
    expect(feed.db?.maxRowid()).toBe(1);
    expect(conditions()).toEqual(['+ EDGE_CHATDB_CORRUPT']);
    await clock.advance(1000);
    expect(told).toEqual(['open', ['one'], 'open', ['one']]);
    expect(conditions()).toEqual(['+ EDGE_CHATDB_CORRUPT', '- EDGE_CHATDB_CORRUPT']);
  });

  it('does not take the complaints of a reader whose file has gone for news', async () => {
    const clock = new FakeClock();
    const file = create(join(tempDir(), 'chat.db'));
    const { feed, conditions } = feedOf(file.path, clock);
    feed.start();
    file.close();
    for (const suffix of ['', '-wal', '-shm']) rmSync(file.path + suffix, { force: true });
    feed.look();
    feed.readFailed(new EdgeError('EDGE_CHATDB_READ', 'it is not open'));
    expect(conditions()).toEqual(['+ EDGE_CHATDB_MISSING']);
  });

  it('goes on when a damaged file is put right', async () => {
    const clock = new FakeClock();
    const path = join(tempDir(), 'chat.db');
    writeFileSync(path, Buffer.alloc(8192, 'garbage '));
    const { feed, told, conditions } = feedOf(path, clock);
    feed.start();
    rmSync(path);
    create(path);
    await clock.advance(1000);
    expect(told).toEqual(['open', []]);
    expect(conditions()).toEqual(['+ EDGE_CHATDB_CORRUPT', '- EDGE_CHATDB_CORRUPT']);
  });

  it('hands on errors that are not of chat.db', () => {
    const file = create(join(tempDir(), 'chat.db'));
    const { feed } = feedOf(file.path, new FakeClock(), () => {
      throw new EdgeError('EDGE_STATE_IO', 'disk');
    });
    expect(() => feed.start()).toThrow('disk');
  });

  it('leaves no timer and no open file behind after stop, even one from within', async () => {
    const clock = new FakeClock();
    const file = create(join(tempDir(), 'chat.db'));
    const { feed, conditions } = feedOf(file.path, clock, () => feed.stop());
    expect(() => feed.start()).not.toThrow();
    feed.stop();
    feed.look();
    await clock.advance(2000);
    expect([clock.pending, feed.db, conditions()]).toEqual([0, undefined, []]);
  });
});
