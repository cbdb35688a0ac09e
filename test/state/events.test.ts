import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Changes } from '../../src/state/Changes.ts';
import { Events } from '../../src/state/Events.ts';
import { Sends } from '../../src/state/Sends.ts';
import { insertPending, openStore } from '../relay/fakes.ts';
import { FakeClock } from '../support/FakeClock.ts';

const THREAD = '+15550100002';
const NOW = new FakeClock().now();
const DAY = 86_400_000;

const event = (event_id: string) => ({ event_id, event_type: 'message_edited' as const, details: { text: event_id } });

describe('an event about a message', () => {
  it('waits while the message is on its way, and holds up no other', () => {
    const { store } = openStore(new FakeClock());
    insertPending(store, 'guid-1', THREAD, NOW);
    store.events.insert(event('first'), NOW, 'guid-1');
    store.events.insert(event('second'), NOW);
    expect(store.events.waiting(9).map(({ event_id }) => event_id)).toEqual(['second']);
    expect(store.events.waitingCount()).toBe(1);
    store.inbound.markDone('guid-1', NOW);
    expect(store.events.waiting(9).map(({ event_id }) => event_id)).toEqual(['first', 'second']);
    expect(store.events.waitingCount()).toBe(2);
  });

  it('is told when the message became a dead letter, and of a message that retention forgot', () => {
    const { store } = openStore(new FakeClock());
    insertPending(store, 'guid-1', THREAD, NOW);
    store.inbound.markDead('guid-1', 'EDGE_BACKEND_REJECTED', '400');
    store.events.insert(event('dead'), NOW, 'guid-1');
    store.events.insert(event('gone'), NOW, 'guid-2');
    expect(store.events.waitingCount()).toBe(2);
  });
});

describe('an event that was acknowledged', () => {
  it('loses its details after 7 days and stays known for 90', () => {
    const { store } = openStore(new FakeClock());
    store.events.insert(event('told'), NOW);
    store.events.insert(event('not told'), NOW);
    store.events.ack('told', NOW);
    const isKnown = () => !store.events.insert(event('told'), NOW);
    expect(store.prune(NOW + 6 * DAY)).toBe(0);
    expect(store.prune(NOW + 8 * DAY)).toBe(1);
    expect(store.prune(NOW + 8 * DAY)).toBe(0);
    expect(isKnown()).toBe(true);
    expect(store.prune(NOW + 91 * DAY)).toBe(1);
    expect(isKnown()).toBe(false);
    expect(store.events.waiting(9)[0]).toEqual(event('not told'));
  });
});

describe('what is asked with each look', () => {
  it('is found by an index', () => {
    const { path } = openStore(new FakeClock());
    const db = new Database(path);
    onTestFinished(() => {
      db.close();
    });
    const statements: string[] = [];
    const prepare = db.prepare.bind(db);
    db.prepare = ((sql: string) => {
      statements.push(sql);
      return prepare(sql);
    }) as typeof db.prepare;
    const [, changes, sends] = [new Events(db), new Changes(db), new Sends(db)];
    sends.unread({ confirmedAt: 0, sendId: 0 }, 1);
    expect(changes.known('guid-1')).toBeUndefined();
    const plans = statements.map((sql) => {
      const plan = prepare(`EXPLAIN QUERY PLAN ${sql.replace(/@\w+|\?/g, '1')}`).all() as { detail: string }[];
      return { sql, steps: plan.map(({ detail }) => detail) };
    });
    // Neither the few that wait, nor a walk from the end of a table, is a scan of it.
    const scans = plans
      .filter(({ sql }) => !/ORDER BY \w+_id DESC LIMIT/.test(sql))
      .flatMap(({ steps }) => steps)
      .filter((step) => /^SCAN (?!\(|CONSTANT|e USING (?:COVERING )?INDEX events_waiting)/.test(step));
    expect(scans).toEqual([]);
    expect(plans.find(({ sql }) => sql.includes('read_at IS NULL AND'))?.steps[0]).toBe(
      'SEARCH sends USING INDEX sends_unread (confirmed_at>?)',
    );
  });
});
