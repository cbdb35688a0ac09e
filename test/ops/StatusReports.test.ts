import { expect, it, onTestFinished } from 'vitest';
import type { Condition } from '../../src/ops/Health.ts';
import { StatusReports } from '../../src/ops/StatusReports.ts';
import { openStore } from '../relay/fakes.ts';
import { FakeClock } from '../support/FakeClock.ts';

it('the backend hears of a condition when it begins and ends, and not of each change in its words', () => {
  const clock = new FakeClock();
  const { store } = openStore(clock);
  onTestFinished(() => store.close());
  const reports = new StatusReports({ store, clock, agentId: 'edge_15550100001' });
  const condition = (detail: string): Condition => ({ code: 'EDGE_BACKEND_AUTH', detail, since: 1 });
  for (const detail of ['401', '403', '401']) reports.conditions([condition(detail)]);
  expect(JSON.parse(store.meta.get('conditions') ?? '')).toEqual([condition('401')]);
  reports.conditions([]);
  expect(store.events.waiting(10).map(({ details }) => details)).toEqual([
    { status: 'degraded', reasons: ['EDGE_BACKEND_AUTH'] },
    { status: 'recovered' },
  ]);
});
