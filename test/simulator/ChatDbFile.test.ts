import { closeSync, existsSync, fstatSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ChatDbFile } from '../../src/simulator/ChatDbFile.ts';
import { fillHistory } from '../../src/simulator/fillHistory.ts';
import { tempDir } from '../support/tempDir.ts';
import { query, simulatedMac } from './simulatedMac.ts';

const from = '+15550100001';
const GUIDS = 'SELECT ROWID AS rowid, guid FROM message ORDER BY ROWID';
const inode = (path: string) => statSync(path).ino;

describe('the chat.db of a simulated Mac', () => {
  it.each([12, 13, 15, 26] as const)('has the columns of macOS %i, in WAL mode', async (macos) => {
    const mac = await simulatedMac({ macos });
    const columns = query(mac.chatDbPath, 'PRAGMA table_info(message)').map(({ name }) => name);
    expect(columns.includes('date_edited')).toBe(macos >= 13);
    expect(columns.includes('associated_message_emoji')).toBe(macos >= 15);
    expect(columns.includes('ck_chat_id')).toBe(macos >= 26);
    expect(query(mac.chatDbPath, 'PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }]);
  });

  it.each([
    ['NORMAL', 1],
    ['FULL', 2],
  ] as const)('commits with synchronous=%s', async (synchronous, value) => {
    const mac = await simulatedMac({ synchronous });
    expect(mac.chatDb.get('PRAGMA synchronous')).toEqual({ synchronous: value });
  });

  it('keeps what it holds when the Mac is turned off and on', async () => {
    const dir = tempDir();
    const first = await simulatedMac({ dir });
    first.people.receive({ from, text: 'hello' });
    await first.settled();
    await first.close();
    const second = await simulatedMac({ dir });
    second.people.receive({ from, text: 'again' });
    expect(query(second.chatDbPath, GUIDS)).toHaveLength(2);
  });

  it('empties its -wal at a checkpoint unless a reader is in the way', async () => {
    const mac = await simulatedMac();
    mac.people.receive({ from, text: 'hello' });
    await mac.settled();
    expect(statSync(`${mac.chatDbPath}-wal`).size).toBeGreaterThan(0);
    expect(mac.chatDb.checkpoint()).toBe(true);
    expect(statSync(`${mac.chatDbPath}-wal`).size).toBe(0);

    const reader = new Database(mac.chatDbPath, { readonly: true });
    onTestFinished(() => void reader.close());
    const rows = reader.prepare(GUIDS).iterate();
    rows.next();
    mac.people.receive({ from, text: 'meanwhile' });
    expect(mac.chatDb.checkpoint()).toBe(false);
    rows.return?.();
  });

  it('makes its -wal anew when no one else has it open', async () => {
    const mac = await simulatedMac();
    mac.people.receive({ from, text: 'hello' });
    await mac.settled();
    const old = openSync(`${mac.chatDbPath}-wal`, 'r');
    onTestFinished(() => closeSync(old));
    expect(mac.chatDb.recreateWal()).toBe(true);
    expect(fstatSync(old).nlink).toBe(0);
    expect(statSync(`${mac.chatDbPath}-wal`).size).toBeGreaterThan(0);

    const reader = new Database(mac.chatDbPath, { readonly: true });
    onTestFinished(() => void reader.close());
    reader.prepare(GUIDS).all();
    expect(mac.chatDb.recreateWal()).toBe(false);
    expect(query(mac.chatDbPath, GUIDS)).toHaveLength(1);
  });
});

describe('another file in its place', () => {
  async function macWithThree() {
    const mac = await simulatedMac();
    const ages = [3, 1, 2];
    const guids = ages.map((days) =>
      mac.people.receive({ from, text: `${days}`, dateAt: Date.UTC(2026, 0, 10 - days), attachments: [{ name: 'a' }] }),
    );
    await mac.settled();
    return { mac, guids };
  }

  it('has a new inode and the same rows, while a reader of the old one sees no change', async () => {
    const { mac, guids } = await macWithThree();
    const before = inode(mac.chatDbPath);
    const reader = new Database(mac.chatDbPath, { readonly: true });
    onTestFinished(() => void reader.close());
    reader.prepare(GUIDS).all();
    mac.chatDb.replace('same-rows');
    expect(inode(mac.chatDbPath)).not.toBe(before);
    expect(query(mac.chatDbPath, GUIDS)).toEqual(guids.map((guid, index) => ({ rowid: index + 1, guid })));
    mac.people.receive({ from, text: 'new' });
    expect(query(mac.chatDbPath, GUIDS)).toHaveLength(4);
    expect(reader.prepare(GUIDS).all()).toHaveLength(3);
  });

  it('has the rows renumbered by date, with their chats and attachments', async () => {
    const { mac, guids } = await macWithThree();
    mac.people.remove(guids[0]!);
    mac.chatDb.replace('renumbered');
    expect(query(mac.chatDbPath, GUIDS)).toEqual([
      { rowid: 1, guid: guids[2] },
      { rowid: 2, guid: guids[1] },
    ]);
    const joined = `SELECT m.guid, a.guid AS file FROM message m JOIN chat_message_join j ON j.message_id = m.ROWID
      JOIN message_attachment_join f ON f.message_id = m.ROWID JOIN attachment a ON a.ROWID = f.attachment_id
      ORDER BY m.ROWID`;
    expect(query(mac.chatDbPath, joined)).toEqual([
      { guid: guids[2], file: `at_0_${guids[2]}` },
      { guid: guids[1], file: `at_0_${guids[1]}` },
    ]);
  });

  it('is empty, or the backup from before', async () => {
    const { mac } = await macWithThree();
    const backup = join(tempDir(), 'backup.db');
    mac.chatDb.backup(backup);
    mac.people.receive({ from, text: 'after the backup' });
    mac.chatDb.replace('empty');
    expect(query(mac.chatDbPath, GUIDS)).toEqual([]);
    mac.chatDb.replace({ backup });
    expect(query(mac.chatDbPath, GUIDS)).toHaveLength(3);
    expect(existsSync(`${mac.chatDbPath}-old`)).toBe(false);
  });

  it('gets what was due to the old one by guid, never to a row that has its number now', async () => {
    const mac = await simulatedMac({ delays: { joinMs: 50 } });
    mac.people.receive({ from, text: 'older number, newer date', dateAt: Date.UTC(2026, 0, 2) });
    const older = mac.people.receive({ from: 'kim@example.com', text: 'x', dateAt: Date.UTC(2026, 0, 1) });
    mac.chatDb.replace('renumbered');
    await mac.settled();
    const chats = query(
      mac.chatDbPath,
      `SELECT m.ROWID AS rowid, m.guid, c.chat_identifier AS chat FROM message m
       JOIN chat_message_join ON message_id = m.ROWID JOIN chat c ON c.ROWID = chat_id ORDER BY m.ROWID`,
    );
    expect(chats).toMatchObject([
      { rowid: 1, guid: older, chat: 'kim@example.com' },
      { rowid: 2, chat: from },
    ]);
  });
});

describe('a history', () => {
  it('is complete rows spread over its threads, newest last', () => {
    const file = new ChatDbFile({ path: join(tempDir(), 'chat.db'), macos: 26 });
    file.open();
    onTestFinished(() => file.close());
    fillHistory(file, { messages: 1000, threads: 120, until: Date.UTC(2026, 0, 1) });
    expect(
      query(
        file.path,
        `SELECT count(*) AS messages, count(DISTINCT chat_id) AS threads, sum(is_from_me) AS own,
           max(m.ROWID) AS last, max(date) = (SELECT date FROM message ORDER BY ROWID DESC LIMIT 1) AS ordered
         FROM message m JOIN chat_message_join ON message_id = m.ROWID`,
      ),
    ).toEqual([{ messages: 1000, threads: 120, own: 334, last: 1000, ordered: 1 }]);
  });
});
