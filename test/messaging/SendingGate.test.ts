import { describe, expect, it } from 'vitest';
import { SendingGate } from '../../src/messaging/SendingGate.ts';
import type { ErrorCode } from '../../src/util/errors.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';

function gate() {
  const clock = new FakeClock();
  const { telemetry, calls } = recordingTelemetry();
  const gate = new SendingGate({ clock, telemetry, launchMessages: async () => {} });
  const conditions = () =>
    calls.map(({ event, args }) => `${event === 'conditionRaised' ? '+' : '-'} ${String(args[0])}`);
  const paused = (code: ErrorCode) => gate.heard({ kind: 'paused', code, detail: 'd' });
  return { gate, clock, conditions, paused };
}

const FAILED = { kind: 'failed', code: 'EDGE_SEND_NO_SUCH_CHAT', detail: 'd' } as const;

describe('SendingGate', () => {
  it.each(['EDGE_SEND_NOT_PERMITTED', 'EDGE_SEND_NO_ACCOUNT'] as const)('lets a probe by each minute (%s)', (code) => {
    const { gate: it, paused, conditions } = gate();
    for (let i = 0; i < 3; i++) {
      paused(code);
      expect(it.closedForMs()).toBe(60_000);
    }
    expect(conditions()).toEqual([`+ ${code}`]);
    it.heard({ kind: 'accepted' });
    expect([it.closedForMs(), conditions()]).toEqual([0, [`+ ${code}`, `- ${code}`]]);
  });

  it('shows one condition at a time, the one that was met last', () => {
    const { paused, conditions } = gate();
    paused('EDGE_SEND_MESSAGES_DOWN');
    paused('EDGE_SEND_NOT_PERMITTED');
    expect(conditions()).toEqual([
      '+ EDGE_SEND_MESSAGES_DOWN',
      '- EDGE_SEND_MESSAGES_DOWN',
      '+ EDGE_SEND_NOT_PERMITTED',
    ]);
  });

  it('opens when Messages refuses a bubble, for it answers then, unless its account is what is missing', () => {
    const down = gate();
    down.paused('EDGE_SEND_MESSAGES_DOWN');
    down.gate.heard(FAILED);
    expect([down.gate.closedForMs(), down.conditions().at(-1)]).toEqual([0, '- EDGE_SEND_MESSAGES_DOWN']);
    const signedOut = gate();
    signedOut.paused('EDGE_SEND_NO_ACCOUNT');
    signedOut.gate.heard(FAILED);
    expect(signedOut.conditions()).toEqual(['+ EDGE_SEND_NO_ACCOUNT']);
  });

  it('learns nothing from a time-out, nor from a form of address that is followed by another', () => {
    const { gate: it, paused } = gate();
    paused('EDGE_SEND_NO_ACCOUNT');
    it.heard({ kind: 'unknown', code: 'EDGE_SEND_TIMEOUT', detail: 'd' });
    it.heard({ kind: 'next-form', code: 'EDGE_SEND_NO_SUCH_CHAT', detail: 'd' });
    expect(it.closedForMs()).toBe(60_000);
  });
});
