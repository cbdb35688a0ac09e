import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it, onTestFinished, vi } from 'vitest';
import { type Condition, Health, type HealthView } from '../../src/ops/Health.ts';
import { StatusReports } from '../../src/ops/StatusReports.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { EdgeError } from '../../src/util/EdgeError.ts';
import { openStore } from '../relay/fakes.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { tempDir } from '../support/tempDir.ts';

it('the backend hears of a condition when it begins and ends, and not of each change in its words', () => {
  const clock = new FakeClock();
  const { store } = openStore(clock);
  onTestFinished(() => store.close());
  const reports = new StatusReports({ store, clock, agentId: 'edge_15550100001' });
  const condition = (detail: string): Condition => ({ code: 'EDGE_BACKEND_AUTH', detail, since: 1 });
  const view = (...shown: Condition[]): HealthView => ({ shown, hidden: [] });
  const symptom: Condition = { code: 'EDGE_UPLOAD_RETRIED', detail: '', since: 1 };
  reports.conditions({ shown: [], hidden: [symptom] }); // its cause is too young to be shown
  for (const detail of ['401', '403', '401']) reports.conditions(view(condition(detail)));
  reports.conditions({ shown: [condition('401')], hidden: [symptom] });
  expect(JSON.parse(store.meta.get('conditions') ?? '')).toEqual([condition('401'), symptom]);
  reports.conditions(view());
  expect(store.events.waiting(10).map(({ details }) => details)).toEqual([
    { status: 'degraded', reasons: ['EDGE_BACKEND_AUTH'] },
    { status: 'recovered' },
  ]);
});

it('the backend hears of the end of a full disk though it was the report of it that fitted in', () => {
  const clock = new FakeClock();
  const observer = {
    failed: () => health.raise('EDGE_STATE_FULL', ''),
    recovered: () => health.clear('EDGE_STATE_FULL'),
    awaited() {},
    closed() {},
  };
  const store = StateStore.open(join(tempDir(), 'state.db'), clock.now(), observer);
  onTestFinished(() => store.close());
  const reports = new StatusReports({ store, clock, agentId: 'edge_15550100001' });
  const health = new Health({ clock, onChange: (view) => reports.conditions(view) });
  expect(() =>
    store.transaction(() => {
      throw new EdgeError('EDGE_STATE_FULL', 'database or disk is full');
    }),
  ).toThrow();
  expect(store.events.waiting(10).map(({ details }) => details)).toEqual([
    { status: 'degraded', reasons: ['EDGE_STATE_FULL'] },
    { status: 'recovered' },
  ]);
});

it('the backend hears of a condition whose begin or end came while another process held state.db', async () => {
  const clock = new FakeClock();
  const { store, path } = openStore(clock);
  onTestFinished(() => store.close());
  const reports = new StatusReports({ store, clock, agentId: 'edge_15550100001' });
  const health = new Health({ clock, onChange: (view) => reports.conditions(view) });
  const whileHeld = async (change: () => void) => {
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    change();
    await clock.advance(1000);
    other.close();
    await clock.advance(1000);
  };
  const told = () => store.events.waiting(10).map(({ details }) => details);
  reports.started();
  for (const { event_id } of store.events.waiting(10)) store.events.ack(event_id, clock.now());
  await whileHeld(() => health.raise('EDGE_BACKEND_AUTH', '401'));
  expect(told()).toEqual([{ status: 'degraded', reasons: ['EDGE_BACKEND_AUTH'] }]);
  expect(JSON.parse(store.meta.get('conditions') ?? '')).toHaveLength(1);
  await whileHeld(() => health.clear('EDGE_BACKEND_AUTH'));
  expect(told()).toEqual([{ status: 'degraded', reasons: ['EDGE_BACKEND_AUTH'] }, { status: 'recovered' }]);
  reports.stopping();
  await whileHeld(() => health.raise('EDGE_BACKEND_AUTH', '401'));
  expect(clock.pending).toBe(0);
});

it('the backend hears of a start and of an error that came while another process held state.db', async () => {
  const clock = new FakeClock();
  const { store, path } = openStore(clock);
  onTestFinished(() => store.close());
  const onLate = vi.fn();
  const reports = new StatusReports({ store, clock, agentId: 'edge_15550100001', onLate });
  const other = new Database(path);
  other.exec('BEGIN IMMEDIATE');
  reports.started();
  reports.error('EDGE_BACKEND_TOO_LARGE', 'a frame of 70 MB');
  reports.error('EDGE_BACKEND_TOO_LARGE', 'a frame of 80 MB');
  await clock.advance(2_000);
  expect(onLate).not.toHaveBeenCalled();
  other.close();
  await clock.advance(1_000);
  expect(onLate).toHaveBeenCalledOnce();
  expect(store.events.waiting(10).map(({ details }) => details)).toMatchObject([
    { status: 'started' },
    { code: 'EDGE_BACKEND_TOO_LARGE', message: 'a frame of 80 MB' },
  ]);
  expect(store.meta.get('started_at')).toBeDefined();
});

it('a stop is the last chance for what state.db had not taken', () => {
  const clock = new FakeClock();
  const { store, path } = openStore(clock);
  onTestFinished(() => store.close());
  const reports = new StatusReports({ store, clock, agentId: 'edge_15550100001' });
  const other = new Database(path);
  other.exec('BEGIN IMMEDIATE');
  reports.started();
  other.close();
  reports.stopping();
  const told = store.events.waiting(10).map(({ details }) => (details as { status: string }).status);
  expect(told).toEqual(['started', 'stopping']);
});

it('a start leaves of the conditions in state.db those that this process has met, also before it', () => {
  const clock = new FakeClock();
  const { store } = openStore(clock);
  onTestFinished(() => store.close());
  const reports = () => new StatusReports({ store, clock, agentId: 'edge_15550100001' });
  const left = () => JSON.parse(store.meta.get('conditions') ?? '');
  const met: Condition = { code: 'EDGE_BACKEND_AUTH', detail: '401', since: 1 };
  const sick = reports();
  sick.conditions({ shown: [met], hidden: [] });
  sick.started();
  expect(left()).toEqual([met]);
  reports().started();
  expect(left()).toEqual([]);
});
