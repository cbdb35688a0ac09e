import { statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { GroupCommit } from '../../src/hub/commands/GroupCommit.ts';
import { SqliteCommandStore } from '../../src/hub/commands/SqliteCommandStore.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { tempDir } from '../support/tempDir.ts';
import { AGENT, message, startHub } from './testHub.ts';

function table(): Database.Database {
  const db = new Database(join(tempDir(), 'x.db'));
  onTestFinished(() => void db.close());
  db.exec('CREATE TABLE t (x)');
  return db;
}

describe('the group commit', () => {
  it('keeps the others when one of a group throws', async () => {
    const db = table();
    const writes = new GroupCommit(db);
    const insert = (x: number) => db.prepare('INSERT INTO t VALUES (?)').run(x);
    const outcomes = await Promise.allSettled([
      writes.run(() => insert(1)),
      writes.run(() => {
        insert(2);
        throw new Error('no');
      }),
      writes.run(() => insert(3)),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(db.prepare('SELECT x FROM t').pluck().all()).toEqual([1, 3]);
  });

  it('has committed before it resolves', async () => {
    const db = table();
    const other = new Database(db.name, { readonly: true });
    onTestFinished(() => void other.close());
    await new GroupCommit(db).run(() => db.exec('INSERT INTO t VALUES (1)'));
    expect(other.prepare('SELECT count(*) FROM t').pluck().get()).toBe(1);
  });

  it('rejects a whole group that does not fit on the disk, and goes on when there is room', async () => {
    const db = table();
    const writes = new GroupCommit(db);
    const size = db.pragma('page_count', { simple: true }) as number;
    db.pragma(`max_page_count = ${size + 2}`);
    const big = () => db.prepare('INSERT INTO t VALUES (zeroblob(100000))').run();
    const outcomes = await Promise.allSettled([writes.run(() => db.exec('INSERT INTO t VALUES (1)')), writes.run(big)]);
    expect(outcomes.map(({ status }) => status)).toContain('rejected');
    db.pragma('max_page_count = 1000000');
    await writes.run(big);
    expect(db.prepare('SELECT count(*) FROM t WHERE length(x) = 100000').pluck().get()).toBe(1);
  });

  it('refuses everything after an I/O error', async () => {
    const db = table();
    const writes = new GroupCommit(db);
    const failed = Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR_FSYNC' });
    const jobs = writes.run(() => {
      db.exec('ROLLBACK');
      throw failed;
    });
    await expect(jobs).rejects.toBe(failed);
    await expect(writes.run(() => db.exec('INSERT INTO t VALUES (1)'))).rejects.toBe(failed);
  });
});

describe('the store', () => {
  it('is a WAL database that only its owner can read', async () => {
    const { dbPath, post } = await startHub();
    await post('/edge/message', message('hi'));
    const db = new Database(dbPath, { readonly: true });
    onTestFinished(() => void db.close());
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(db.prepare('SELECT count(*) FROM edge_messages WHERE answer IS NOT NULL').pluck().get()).toBe(1);
    expect(statSync(dbPath).mode & 0o077).toBe(0);
  });

  it('gives the same answer to the same key after a restart', async () => {
    let times = 0;
    const respond = async () => ({ should_respond: true, bubbles: [`answer ${++times}`] });
    const before = await startHub({ responder: { respond } });
    const body = message('hi');
    const first = await before.post('/edge/message', body);
    await before.hub.stop();
    const after = await startHub({ responder: { respond }, dbPath: before.dbPath });
    expect((await after.post('/edge/message', body)).text).toBe(first.text);
    expect(times).toBe(1);
  });

  it('deletes what is finished and old, and keeps what is open', async () => {
    const clock = new FakeClock();
    const store = SqliteCommandStore.open({ path: join(tempDir(), 'h.db'), clock, ackTimeoutMs: 1_000 });
    onTestFinished(() => store.close());
    const base = { agentId: AGENT, commandType: 'x', payload: {}, priority: 'normal' as const };
    await store.enqueue({ ...base, commandId: 'done' });
    await store.enqueue({ ...base, commandId: 'open' });
    await store.acknowledge(AGENT, { commandId: 'done', status: 'completed', error: undefined, body: {} });
    clock.jumpWall(91 * 86_400_000);
    expect(await store.prune()).toBe(1);
    expect(await store.command('done')).toBeUndefined();
    expect((await store.command('open'))?.command.state).toBe('queued');
  });

  it('takes 10,000 waiting commands of an agent and no more, and again when one is done', async () => {
    const store = SqliteCommandStore.open({
      path: join(tempDir(), 'h.db'),
      clock: new FakeClock(),
      ackTimeoutMs: 1_000,
    });
    onTestFinished(() => store.close());
    const base = { agentId: AGENT, commandType: 'x', payload: {}, priority: 'normal' as const };
    await Promise.all(Array.from({ length: 10_000 }, (_, i) => store.enqueue({ ...base, commandId: `c${i}` })));
    await expect(store.enqueue({ ...base, commandId: 'more' })).rejects.toMatchObject({ code: 'EDGE_COMMANDS_FULL' });
    await store.acknowledge(AGENT, { commandId: 'c5', status: 'received', error: undefined, body: {} });
    expect((await store.enqueue({ ...base, commandId: 'more' })).state).toBe('queued');
  });

  it('lets a completed ack correct a failure whose outcome was unknown, and no other', async () => {
    const path = join(tempDir(), 'h.db');
    const store = SqliteCommandStore.open({ path, clock: new FakeClock(), ackTimeoutMs: 1_000 });
    onTestFinished(() => store.close());
    const base = { agentId: AGENT, commandType: 'x', payload: {}, priority: 'normal' as const };
    const completed = { status: 'completed', error: undefined, body: {} } as const;
    const failed = { ...completed, status: 'failed' } as const;
    const ends = async (commandId: string, error: string) => {
      await store.enqueue({ ...base, commandId });
      await store.acknowledge(AGENT, { ...failed, commandId, error });
      await store.acknowledge(AGENT, { ...completed, commandId });
      await store.acknowledge(AGENT, { ...failed, commandId, error });
      return (await store.command(commandId))?.command;
    };
    expect(await ends('unknown', 'part 2 of 3: unknown outcome: nothing proves it')).toMatchObject({
      state: 'completed',
      error: undefined,
    });
    expect(await ends('refused', 'EDGE_SEND_REFUSED: message.error 22')).toMatchObject({ state: 'failed' });
  });

  it('of a newer version is not touched', async () => {
    const path = join(tempDir(), 'h.db');
    const db = new Database(path);
    db.pragma('user_version = 99');
    db.close();
    await expect(startHub({ dbPath: path })).rejects.toThrow('newer edge-hub (schema 99)');
  });
});

describe('a command that waits for its ack', () => {
  it.each([
    ['websocket', 'sync'],
    ['sync', 'websocket'],
  ] as const)('by %s is not overtaken by a younger one by %s', async (one, other) => {
    const clock = new FakeClock();
    const store = SqliteCommandStore.open({ path: join(tempDir(), 'hub.db'), clock, ackTimeoutMs: 30_000 });
    onTestFinished(() => store.close());
    const enqueue = (commandId: string) =>
      store.enqueue({ commandId, agentId: AGENT, commandType: 'x', payload: {}, priority: 'normal' });
    const taken = async (channel: 'websocket' | 'sync') =>
      (await store.take(AGENT, channel)).map(({ commandId }) => commandId);
    await enqueue('a');
    expect(await taken(one)).toEqual(['a']);
    await enqueue('b');
    expect(await taken(other)).toEqual([]);
    expect(await taken(one)).toEqual(['b']);
    await enqueue('c');
    await clock.advance(30_000);
    expect(await taken(other)).toEqual(['a', 'b', 'c']);
    const body = { command_id: 'a', status: 'received' };
    await store.acknowledge(AGENT, { commandId: 'a', status: 'received', error: undefined, body });
    await enqueue('d');
    expect(await taken(one)).toEqual([]);
    for (const commandId of ['b', 'c'])
      await store.acknowledge(AGENT, { commandId, status: 'received', error: undefined, body });
    expect(await taken(one)).toEqual(['d']);
  });
});
