import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../src/state/openDatabase.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { SCHEMA_VERSION } from '../../src/state/schema.ts';
import { tempDir } from '../support/tempDir.ts';

const NOW = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;

function newPath(): string {
  return join(tempDir(), 'state', 'state.db');
}

function open(path: string): StateStore {
  const store = StateStore.open(path, NOW);
  onTestFinished(() => store.close());
  return store;
}

function add(store: StateStore, key: string): void {
  store.transaction(() =>
    store.sends.insert({ key, threadId: '+15550100002', text: key, bubbleType: 'normal', now: NOW }),
  );
}

const mode = (path: string) => statSync(path).mode & 0o777;

describe('opening state.db', () => {
  it('creates the schema, readable by nobody else', () => {
    const path = newPath();
    open(path);
    expect(mode(path)).toBe(0o600);
    expect(mode(dirname(path))).toBe(0o700);
    const db = new Database(path, { readonly: true });
    expect(db.pragma('user_version', { simple: true })).toBe(SCHEMA_VERSION);
    db.close();
  });

  it('promises nothing once the file was deleted or replaced', () => {
    const path = newPath();
    const failures: string[] = [];
    const store = StateStore.open(path, NOW, {
      failed: ({ code }) => failures.push(code),
      recovered() {},
      awaited() {},
      closed() {},
    });
    onTestFinished(() => store.close());
    add(store, 'a');
    renameSync(path, `${path}.away`);
    expect(() => add(store, 'b')).toThrow(expect.objectContaining({ code: 'EDGE_STATE_IO' }));
    copyFileSync(`${path}.away`, path);
    expect(() => add(store, 'c')).toThrow(expect.objectContaining({ code: 'EDGE_STATE_IO' }));
    expect(failures).toEqual(['EDGE_STATE_IO', 'EDGE_STATE_IO']);
  });

  it('sets synchronous FULL and WAL on every open, the later ones too', () => {
    const path = newPath();
    for (let n = 0; n < 3; n++) {
      const { db } = openDatabase(path, NOW);
      expect(db.pragma('synchronous', { simple: true })).toBe(2);
      expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
      db.close();
    }
  });

  it('keeps what was there', () => {
    const path = newPath();
    const first = StateStore.open(path, NOW);
    add(first, 'a');
    first.close();
    expect(open(path).sends.byKey('a')?.state).toBe('queued');
  });

  const damages: { title: string; damage(path: string): void }[] = [
    { title: 'garbage', damage: (path) => writeFileSync(path, 'not a database, by any means'.repeat(400)) },
    {
      title: 'flipped pages',
      damage: (path) => {
        const bytes = readFileSync(path);
        bytes.fill(0xff, 4_096, 4_096 * 12);
        writeFileSync(path, bytes);
      },
    },
  ];
  for (const { title, damage } of damages) {
    it(`puts a file of ${title} aside and begins a new one`, () => {
      const path = newPath();
      const first = StateStore.open(path, NOW);
      add(first, 'a');
      first.close();
      damage(path);
      const store = open(path);
      expect(store.quarantined).toBe(`${path}.corrupt-${NOW}`);
      expect(existsSync(store.quarantined!)).toBe(true);
      expect(store.sends.byKey('a')).toBeUndefined();
      add(store, 'b');
    });
  }

  it('refuses a file of a newer version and leaves it as it is', () => {
    const path = newPath();
    StateStore.open(path, NOW).close();
    const db = new Database(path);
    db.pragma(`user_version = ${SCHEMA_VERSION + 1}`);
    db.close();
    const before = readFileSync(path);
    expect(() => StateStore.open(path, NOW)).toThrow(expect.objectContaining({ code: 'EDGE_STATE_NEWER' }));
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(dirname(path)).filter((name) => name.includes('corrupt'))).toEqual([]);
  });

  it.each([
    [SCHEMA_VERSION - 1, 'EDGE_STATE_OLDER'],
    [SCHEMA_VERSION + 1, 'EDGE_STATE_NEWER'],
  ])('for reading says by name that a file is of another version: %i', (version, code) => {
    const path = newPath();
    StateStore.open(path, NOW).close();
    const db = new Database(path);
    db.pragma(`user_version = ${version}`);
    db.close();
    expect(() => StateStore.openReadOnly(path)).toThrow(expect.objectContaining({ code }));
  });

  it('says when the directory cannot be made', () => {
    const file = join(tempDir(), 'file');
    writeFileSync(file, '');
    expect(() => StateStore.open(join(file, 'state', 'state.db'), NOW)).toThrow(
      expect.objectContaining({ code: 'EDGE_STATE_DIR' }),
    );
  });

  it('for reading changes nothing and needs the file', () => {
    const path = newPath();
    expect(() => StateStore.openReadOnly(path)).toThrow();
    const writer = open(path);
    add(writer, 'a');
    const reader = StateStore.openReadOnly(path);
    expect(reader.sends.byKey('a')?.text).toBe('a');
    expect(() => add(reader, 'b')).toThrow();
    reader.close();
  });
});

describe('a transaction', () => {
  it('leaves nothing behind when it throws', () => {
    const store = open(newPath());
    expect(() =>
      store.transaction(() => {
        add(store, 'a');
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(store.sends.byKey('a')).toBeUndefined();
  });

  it('joins the one it is called in', () => {
    const store = open(newPath());
    expect(() =>
      store.transaction(() => {
        store.transaction(() => add(store, 'inner'));
        throw new Error('no');
      }),
    ).toThrow();
    expect(store.sends.byKey('inner')).toBeUndefined();
    expect(store.transaction(() => store.transaction(() => 7))).toBe(7);
  });

  it('names a full disk, and works again when there is room', () => {
    const { db } = openDatabase(newPath(), NOW);
    const store = Reflect.construct(StateStore, [{ db }]) as StateStore;
    onTestFinished(() => store.close());
    db.pragma(`max_page_count = ${db.pragma('page_count', { simple: true })}`);
    const fill = () => add(store, `big ${'x'.repeat(100_000)}`);
    expect(fill).toThrow(expect.objectContaining({ code: 'EDGE_STATE_FULL' }));
    expect(store.sends.counts().queued).toBe(0);
    db.pragma('max_page_count = 100000');
    fill();
    expect(store.sends.counts().queued).toBe(1);
  });

  it('names a lock that another process holds', () => {
    const path = newPath();
    const store = open(path);
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    expect(() => add(store, 'a')).toThrow(expect.objectContaining({ code: 'EDGE_STATE_BUSY' }));
    other.close();
    add(store, 'a');
  });

  it('names a disk that refuses, and passes on what is no fault of the disk', () => {
    const store = open(newPath());
    const failing = (code: string) => () =>
      store.transaction(() => {
        throw Object.assign(new Error('injected'), { code });
      });
    expect(failing('SQLITE_IOERR_FSYNC')).toThrow(expect.objectContaining({ code: 'EDGE_STATE_IO' }));
    expect(failing('SQLITE_CORRUPT')).toThrow(expect.objectContaining({ code: 'EDGE_STATE_IO' }));
    expect(failing('SQLITE_CONSTRAINT')).toThrow(expect.objectContaining({ code: 'SQLITE_CONSTRAINT' }));
  });
});

describe('a write-ahead log that lost its end', () => {
  it('gives a prefix of what was committed, wherever it is cut', () => {
    const path = newPath();
    const store = open(path);
    const keys = Array.from({ length: 12 }, (_, n) => `key ${n}`);
    for (const key of keys) add(store, key);
    const size = statSync(`${path}-wal`).size;
    const counts: number[] = [];
    for (let length = 0; length <= size; length += Math.ceil(size / 40)) {
      const copy = newPath();
      StateStore.open(copy, NOW).close();
      copyFileSync(path, copy);
      copyFileSync(`${path}-wal`, `${copy}-wal`);
      truncateSync(`${copy}-wal`, length);
      const cut = StateStore.open(copy, NOW);
      const left = cut.sends.openOf('+15550100002').map(({ key }) => key);
      cut.close();
      expect(left).toEqual(keys.slice(0, left.length));
      counts.push(left.length);
    }
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(counts[0]).toBe(0);
    expect(counts.at(-1)).toBeGreaterThan(8);
  });
});

describe('retention', () => {
  it('drops what is finished and old, a batch at a time, and never what is open', () => {
    const store = open(newPath());
    const finished = 1_200;
    store.transaction(() => {
      for (let n = 0; n < finished; n++) {
        const send = store.sends.insert({ key: `s${n}`, threadId: 't', text: 'x', bubbleType: 'normal', now: NOW });
        store.sends.finish(send.sendId, 'unknown', NOW);
      }
      add(store, 'open');
      store.commands.insert({
        commandId: 'open',
        commandType: 'x',
        payload: {},
        channel: 'sync',
        issuedAt: undefined,
        now: NOW,
      });
      store.commands.addAck({ command_id: 'open', success: true, error: null, timestamp: '', status: 'received' }, NOW);
      store.events.insert({ event_id: 'open', event_type: 'error', details: {} }, NOW);
    });
    const pruned = (at: number): number[] => {
      const batches: number[] = [];
      for (let n = store.prune(at); n > 0; n = store.prune(at)) batches.push(n);
      return batches;
    };
    expect(pruned(NOW + 6 * DAY)).toEqual([]);
    expect(pruned(NOW + 89 * DAY)).toEqual([500, 500, 200]);
    expect(store.sends.byKey('s0')).toMatchObject({ text: '', state: 'unknown' });
    expect(pruned(NOW + 91 * DAY)).toEqual([500, 500, 200]);
    pruned(NOW - 9000 * DAY);
    expect(store.forgottenBefore(NOW + 95 * DAY)).toBe(NOW + DAY);
    expect(store.forgottenBefore(NOW)).toBe(NOW - 90 * DAY);
    expect(store.sends.byKey('s0')).toBeUndefined();
    expect(store.sends.byKey('open')).toMatchObject({ text: expect.stringMatching(/./) });
    expect(store.commands.byId('open')).toBeDefined();
    expect(store.commands.acksWaitingCount()).toBe(1);
    expect(store.events.waitingCount()).toBe(1);
  });

  it('remembers the id of a command when its payload and its ack are gone', () => {
    const store = open(newPath());
    const command = { commandId: 'c1', commandType: 'x', payload: { text: 'x' }, channel: 'sync' as const };
    store.transaction(() => {
      store.commands.insert({ ...command, issuedAt: undefined, now: NOW });
      store.commands.finish('c1', 'completed', NOW);
      store.commands.addAck({ command_id: 'c1', success: true, error: null, timestamp: '', status: 'completed' }, NOW);
      store.commands.markHandedOver(1, NOW);
    });
    while (store.prune(NOW + 3650 * DAY) > 0);
    expect(store.commands.byId('c1')).toMatchObject({ state: 'completed', payload: '{}' });
    expect(store.commands.offerLastAckAgain('c1')).toBe(false);
    expect(store.commands.insert({ ...command, issuedAt: undefined, now: NOW })).toBe(false);
  });

  it('keeps a bounded number of events for a backend that never takes them', () => {
    const store = open(newPath());
    store.transaction(() => {
      for (let n = 0; n < 100_600; n++) {
        store.events.insert({ event_id: `e${n}`, event_type: 'error', details: {} }, NOW);
      }
    });
    while (store.prune(NOW) > 0);
    expect(store.events.waitingCount()).toBe(100_000);
    expect(store.events.waiting(1)[0]?.event_id).toBe('e600');
  });
});

describe('what is done after a commit', () => {
  it('is done once the outermost transaction is through, and not for a part that was rolled back', async () => {
    const store = open(newPath());
    const done: string[] = [];
    store.transaction(() => {
      store.afterCommit(() => done.push('outer'));
      store.transaction(() => store.afterCommit(() => done.push('inner')));
      expect(() =>
        store.transaction(() => {
          store.meta.set('version', 'never');
          store.afterCommit(() => done.push('never'));
          throw new Error('no');
        }),
      ).toThrow('no');
      expect(done).toEqual([]);
    });
    await Promise.resolve();
    expect(done).toEqual(['outer', 'inner']);
    expect(store.meta.get('version')).toBeUndefined();
  });
});
