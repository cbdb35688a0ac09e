import { expect, it, onTestFinished, vi } from 'vitest';
import { controlRoutes } from '../../src/ops/controlRoutes.ts';
import { EdgeError } from '../../src/util/EdgeError.ts';
import { silentTelemetry } from '../../src/util/Telemetry.ts';
import { ANNA, insertPending, openStore } from '../relay/fakes.ts';
import { agentStatus } from '../support/agentStatus.ts';
import { FakeClock } from '../support/FakeClock.ts';

it('what was put back in the queue goes on, though state.db takes no more of them in the middle', () => {
  const clock = new FakeClock();
  const { store } = openStore(clock);
  onTestFinished(() => store.close());
  for (let n = 0; n < 501; n++) {
    insertPending(store, `m${n}`, ANNA, clock.now());
    store.inbound.markDead(`m${n}`, 'EDGE_BACKEND_REJECTED', '400');
  }
  const onInbound = vi.fn();
  const routes = controlRoutes({
    telemetry: silentTelemetry,
    store,
    clock,
    status: agentStatus,
    queueText: (send) => store.sends.insert(send),
    onSends: () => {},
    onInbound,
    cancelSchedule: () => undefined,
  });
  const { transaction } = store;
  vi.spyOn(store, 'transaction')
    .mockImplementationOnce(transaction.bind(store))
    .mockImplementation(() => {
      throw new EdgeError('EDGE_STATE_BUSY', 'database is locked');
    });
  const request = { body: { all: true }, query: {}, headers: {} } as never;
  expect(() => routes['POST /retry']!(request)).toThrow(expect.objectContaining({ code: 'EDGE_STATE_BUSY' }));
  expect(store.inbound.deadLetters(501)).toHaveLength(1);
  expect(onInbound).toHaveBeenCalled();
});
