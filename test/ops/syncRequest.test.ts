import { describe, expect, it, onTestFinished } from 'vitest';
import { syncRequest } from '../../src/ops/syncRequest.ts';
import { openStore } from '../relay/fakes.ts';
import { FakeClock } from '../support/FakeClock.ts';

describe('a sync', () => {
  it('is no larger than web servers take, and all events come in turn', () => {
    const { store } = openStore(new FakeClock());
    onTestFinished(() => store.close());
    const sizes = [500, ...Array.from({ length: 20 }, () => 100), 500, 500];
    sizes.forEach((size, index) => {
      const details = { text: 'x'.repeat(size * 1024) };
      store.events.insert({ event_id: `e-${index}`, event_type: 'message_edited', details }, 1);
    });
    const told: string[] = [];
    for (let syncs = 0; store.events.hasWaiting(); syncs++) {
      expect(syncs).toBeLessThan(sizes.length);
      const request = syncRequest(store, { agentId: 'a', uptimeMs: 1 });
      expect(Buffer.byteLength(JSON.stringify(request))).toBeLessThan(1024 * 1024);
      for (const { event_id } of request.pending_events) {
        told.push(event_id);
        store.events.ack(event_id, 1);
      }
    }
    expect(told).toEqual(sizes.map((_, index) => `e-${index}`));
  });
});
