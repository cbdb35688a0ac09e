import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PageView } from '../../src/ops/page/PageView.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { agentStatus } from '../support/agentStatus.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { tempDir } from '../support/tempDir.ts';

const HOUR = 3_600_000;

function view(wall: number) {
  const clock = new FakeClock(wall);
  const store = StateStore.open(join(tempDir(), 'state.db'), wall);
  onTestFinished(() => store.close());
  let rows = 0;
  const receive = (at = clock.now()) => {
    const guid = `g${++rows}`;
    const row = { guid, epoch: 1, chatRowid: rows, threadId: '+15550100002', body: undefined, backfill: false };
    store.inbound.insert({ ...row, now: at });
  };
  const status = agentStatus();
  return { clock, store, receive, page: new PageView({ store, clock, status: () => status, can: ['retry'] }) };
}
const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);

describe('what the status page shows', () => {
  it('counts the day of the Mac from midnight, and every message once however often it is asked', async () => {
    const noon = new Date(2026, 10, 20, 12).getTime();
    const { clock, receive, page } = view(noon);
    receive(noon - 11 * HOUR);
    for (let n = 0; n < 20; n++) {
      receive();
      expect(sum(page.state().traffic.in)).toBe(n + 2);
      await clock.advance(25 * 60_000);
    }
    const { from, bucket_seconds, in: received } = page.state().traffic;
    expect(from).toBe(new Date(2026, 10, 20).toISOString());
    expect(received).toHaveLength(86_400 / bucket_seconds);
    expect(received[6]).toBe(1);
    expect(received[72]).toBe(1);
  });

  it('begins again at midnight', async () => {
    const { clock, receive, page } = view(new Date(2026, 10, 20, 23, 50).getTime());
    receive();
    expect(sum(page.state().traffic.in)).toBe(1);
    await clock.advance(20 * 60_000);
    expect(sum(page.state().traffic.in)).toBe(0);
    receive();
    await clock.advance(5_000);
    expect(page.state().traffic.in[1]).toBe(1);
  });

  it('has neither the text of a schedule nor a whole handle', () => {
    const { store, page, clock } = view(new Date(2026, 10, 20, 12).getTime());
    const sendAt = clock.now() + HOUR;
    const schedule = { scheduleId: 'to-+15550100003', threadId: '+15550100002', text: 'my private words', sendAt };
    store.schedules.insert({ ...schedule, now: clock.now() });
    const state = page.state();
    expect(state.schedules).toEqual([
      {
        schedule_id: 'to-+15550100003',
        name: 'to-…0003',
        thread: '…0002',
        send_at: new Date(sendAt).toISOString(),
        recurrence: null,
      },
    ]);
    expect(JSON.stringify(state)).not.toContain('my private words');
  });
});
