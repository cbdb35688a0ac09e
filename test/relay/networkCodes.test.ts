import { describe, expect, it } from 'vitest';
import { endsWithSight, fixedDelayOf, isShared } from '../../src/relay/BackendGate.ts';
import { UploadGate } from '../../src/relay/uploads/UploadGate.ts';
import { NETWORK_CODES } from '../../src/util/networkCodes.ts';
import { FakeClock } from '../support/FakeClock.ts';

const codes = NETWORK_CODES.filter((code) => code !== 'EDGE_TLS_PIN');

describe('a failure of the network', () => {
  it.each(NETWORK_CODES)('%s is one that every message and file would meet, until the backend is seen', (code) => {
    const policy = { firstMs: 1000, maxMs: 60_000, jitter: 0 };
    const gate = new UploadGate({ clock: new FakeClock(), random: () => 0, policy, onOpen() {} });
    expect([isShared(code), endsWithSight(code), gate.failed(code), gate.limit(2)]).toEqual([true, true, true, 0]);
    expect([gate.seen(), gate.limit(2)]).toEqual([true, 2]);
  });

  it.each(codes)('%s is tried again by back-off', (code) => {
    expect([fixedDelayOf(code), UploadGate.delayOf(code)]).toEqual([undefined, undefined]);
  });

  it('EDGE_TLS_PIN is tried again once a minute: somebody may be in between', () => {
    expect([fixedDelayOf('EDGE_TLS_PIN'), UploadGate.delayOf('EDGE_TLS_PIN')]).toEqual([60_000, 60_000]);
  });
});
