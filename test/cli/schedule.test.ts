import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ControlServer, controlSocketPath } from '../../src/ops/ControlServer.ts';
import { controlRoutes } from '../../src/ops/controlRoutes.ts';
import type { ScheduleState } from '../../src/state/Schedules.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { silentTelemetry } from '../../src/util/Telemetry.ts';
import { agentStatus } from '../support/agentStatus.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { edgeAgent, home } from './edgeAgent.ts';

const T = Date.UTC(2026, 0, 1);
const TO = { threadId: '+15550100002', text: 'canary\nwords', now: T };

/** A state store with a schedule, a recurrence and one that is expired. */
function withSchedules() {
  const place = home();
  const store = StateStore.open(join(place.state, 'state.db'), T);
  onTestFinished(() => store.close());
  store.schedules.insert({ ...TO, scheduleId: 'once', sendAt: T + 60_000 });
  const recurrence = { rrule: 'FREQ=DAILY', timeZone: 'Europe/Berlin', firstAt: T, occurrences: 3 };
  store.schedules.insert({ ...TO, scheduleId: 'daily', sendAt: T + 3_600_000, recurrence });
  store.schedules.insert({ ...TO, scheduleId: 'old', sendAt: T - 60_000 });
  store.schedules.finish('old', 'expired', T);
  return { ...place, store };
}

async function withAgent(found: ScheduleState | undefined) {
  const place = withSchedules();
  const cancelled: string[] = [];
  const routes = controlRoutes({
    telemetry: silentTelemetry,
    store: place.store,
    clock: new FakeClock(T),
    status: agentStatus,
    queueText: (send) => place.store.sends.insert(send),
    onSends: () => {},
    onInbound: () => {},
    cancelSchedule: (id) => {
      cancelled.push(id);
      return found;
    },
  });
  const server = new ControlServer({ path: controlSocketPath(place.state), routes });
  await server.start();
  onTestFinished(() => server.stop());
  return { ...place, cancelled };
}

describe('edge-agent schedule list', () => {
  it('lists what is pending without an agent, and shows no text and no whole handle', async () => {
    const { config } = withSchedules();
    expect(await edgeAgent(['schedule', 'list', '--config', config])).toEqual({
      code: 0,
      signal: null,
      out:
        'once  pending  2026-01-01T00:01:00.000Z  …0002\n' +
        'daily  pending  2026-01-01T01:00:00.000Z  …0002  FREQ=DAILY in Europe/Berlin, 3 gone by\n',
      err: '',
    });
  });

  it('shows texts and handles when told to, each schedule on a line', async () => {
    const { config } = withSchedules();
    const { out } = await edgeAgent(['schedule', 'list', '--text', '--status', 'expired', '--config', config]);
    expect(out).toBe('old  expired  2025-12-31T23:59:00.000Z  +15550100002  canary\\nwords\n');
  });

  it('prints JSON', async () => {
    const { config } = withSchedules();
    const { out } = await edgeAgent(['schedule', 'list', '--json', '--status', 'all', '--config', config]);
    const { schedules, truncated } = JSON.parse(out);
    expect(truncated).toBe(false);
    expect(schedules.map((one: { schedule_id: string }) => one.schedule_id)).toEqual(['old', 'once', 'daily']);
    expect(schedules[2]).toEqual({
      schedule_id: 'daily',
      thread: '…0002',
      status: 'pending',
      send_at: '2026-01-01T01:00:00.000Z',
      recurrence: { rrule: 'FREQ=DAILY', time_zone: 'Europe/Berlin' },
      occurrences: 3,
      created_at: '2026-01-01T00:00:00.000Z',
      finished_at: null,
    });
    expect(out).not.toContain('canary');
  });

  it('lists nothing of an agent that never ran, and refuses a status that there is not', async () => {
    const { config } = home();
    expect(await edgeAgent(['schedule', 'list', '--config', config])).toMatchObject({
      code: 0,
      out: 'There are no pending schedules\n',
    });
    expect((await edgeAgent(['schedule', 'list', '--status', 'due', '--config', config])).code).toBe(64);
  });
});

describe('edge-agent schedule cancel', () => {
  it('has the running agent cancel it', async () => {
    const { config, cancelled } = await withAgent('pending');
    expect(await edgeAgent(['schedule', 'cancel', 'once', '--config', config])).toMatchObject({
      code: 0,
      out: 'schedule once is cancelled\n',
      err: '',
    });
    expect(cancelled).toEqual(['once']);
    const json = await edgeAgent(['schedule', 'cancel', 'once', '--json', '--config', config]);
    expect(JSON.parse(json.out)).toEqual({ cancelled: true, found: 'pending' });
  });

  it('says why there is nothing to cancel', async () => {
    const fired = await withAgent('fired');
    expect(await edgeAgent(['schedule', 'cancel', 'once', '--config', fired.config])).toMatchObject({
      code: 65,
      out: '',
      err: 'edge-agent: schedule once is fired already; `edge-agent schedule list` lists what is pending\n',
    });
    const none = await withAgent(undefined);
    expect(await edgeAgent(['schedule', 'cancel', 'x', '--config', none.config])).toMatchObject({
      code: 65,
      err: 'edge-agent: there is no schedule x; `edge-agent schedule list` lists what is pending\n',
    });
  });

  it('says that no agent runs', async () => {
    const ended = await edgeAgent(['schedule', 'cancel', 'x', '--config', home().config]);
    expect(ended.code).toBe(69);
    expect(ended.err).toContain('EDGE_NOT_RUNNING');
  });
});
