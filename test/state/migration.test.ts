import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { StateStore } from '../../src/state/StateStore.ts';
import { MIGRATIONS } from '../../src/state/schema.ts';
import { tempDir } from '../support/tempDir.ts';

it('brings what a state.db of version 1 had under way into this one', () => {
  const path = join(tempDir(), 'state.db');
  const db = new Database(path);
  db.exec(MIGRATIONS[0]!);
  db.exec(`
    INSERT INTO epochs (dev, ino, cursor_rowid, cursor_guid, newest_message_at, created_at) VALUES ('1', '2', 7, 'g7', 5, 1);
    INSERT INTO inbound (guid, epoch, chat_rowid, thread_id, state, body, backfill, created_at) VALUES
      ('live', 1, 1, 'a', 'pending', '{}', 0, 1), ('old', 1, 2, 'b', 'pending', '{}', 1, 1),
      ('parked', 1, 3, 'a', 'parked', NULL, 0, 1), ('dead', 1, 4, 'a', 'dead', '{}', 0, 1);
    INSERT INTO sends (key, thread_id, group_key, position, bubble_index, text, bubble_type, state, confirmed_at,
      finished_at, receipt_guid, receipt_rowid, created_at)
      VALUES ('cli:1', 'a', 'cli:1', 1, 0, 'hi', 'normal', 'confirmed', 3, 3, 'g9', 9, 2);
    INSERT INTO events (event_id, event_type, details, created_at) VALUES ('sent:cli:1', 'message_sent', '{}', 3);
    INSERT INTO meta VALUES ('begun_at', '1');
    PRAGMA user_version = 1`);
  db.close();
  const store = StateStore.open(path, 10);
  expect(store.inbound.openOf('a', 0, 9).map(({ guid, state }) => [guid, state])).toEqual([
    ['live', 'pending'],
    ['parked', 'parked'],
  ]);
  expect(store.inbound.backfillOf('b', 9).map(({ guid }) => guid)).toEqual(['old']);
  expect(store.inbound.counts()).toEqual({ parked: 1, undecided: 0, pending: 2, backfill: 1, dead: 1 });
  expect(store.inbound.revive('dead')).toBe(true);
  expect(store.sends.unread({ confirmedAt: 0, sendId: 0 }, 9).map(({ key }) => key)).toEqual(['cli:1']);
  expect(store.events.waiting(9).map(({ event_id }) => event_id)).toEqual(['sent:cli:1']);
  expect(store.epochs.latest()).toMatchObject({ cursorRowid: 7, newestMessageAt: 5, burstAt: null, burstBehind: 0 });
  expect(store.changes.lastTaken(1, 1_000)?.fromRowid).toBe(1);
  store.close();
});

it('brings what a state.db of version 2 had under way into this one', () => {
  const path = join(tempDir(), 'state.db');
  const db = new Database(path);
  db.exec(MIGRATIONS[0]!);
  db.exec(MIGRATIONS[1]!);
  db.exec(`
    INSERT INTO sends (key, thread_id, group_key, position, bubble_index, text, bubble_type, state, attempts,
      watermark_rowid, watermark_epoch, sending_at, created_at)
      VALUES ('cli:1', 'a', 'cli:1', 1, 0, 'hi', 'normal', 'sending', 1, 7, 1, 3, 2);
    INSERT INTO schedules (schedule_id, thread_id, text, send_at, state, created_at, finished_at) VALUES
      ('soon', 'a', 'x', 50, 'pending', 1, NULL), ('gone', 'a', 'y', 5, 'fired', 1, 5);
    INSERT INTO meta VALUES ('begun_at', '1');
    PRAGMA user_version = 2`);
  db.close();
  const store = StateStore.open(path, 10);
  expect(store.sends.inFlight()).toMatchObject([
    { key: 'cli:1', watermarkRowid: 7, attempts: 1, partOf: null, fileId: null, opensThread: 0, smsFallback: 0 },
  ]);
  expect(store.schedules.due(50, 9)).toMatchObject([{ scheduleId: 'soon', text: 'x', sendAt: 50 }]);
  expect(store.schedules.byId('gone')?.state).toBe('fired');
  store.close();
});
