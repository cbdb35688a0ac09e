import { describe, expect, it, onTestFinished } from 'vitest';
import { WakeMessage } from '../../src/messaging/WakeMessage.ts';
import { row } from '../relay/fakes.ts';
import { setUp as intakeRig } from '../relay/intakeRig.ts';
import { settle } from '../support/FakeClock.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';
import { watchdogRig } from './watchdogRig.ts';

const ME = '+15550100001';
const ANNA = '+15550100002';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Intake and the wake message on one state.db; six hours are suspicious. */
function setUp() {
  const rig = intakeRig();
  const { clock, store } = rig;
  const { telemetry, calls } = recordingTelemetry();
  let queued = 0;
  const onQueued = () => queued++;
  const boot = () => {
    const made = new WakeMessage({ store, clock, telemetry, silenceHours: 6, handle: ME, onQueued });
    made.start();
    onTestFinished(() => made.stop());
    return made;
  };
  let rowid = 0;
  /** Somebody writes. */
  const arrives = async (text = 'hi', from = ANNA) => {
    const arrived = row(++rowid, { dateAt: clock.now(), handle: from, ownAddresses: [ME], text });
    rig.put(arrived);
    await settle();
    return rig.fate(arrived.guid);
  };
  const wakes = () => store.sends.openOf(ME);
  return { rig, clock, store, calls, boot, arrives, wakes, queued: () => queued };
}

describe('the wake message', () => {
  it('goes to the own address when no message has come for so long, and the backend is told', async () => {
    const { boot, arrives, clock, wakes, store, calls, queued } = setUp();
    boot();
    await clock.advance(HOUR);
    expect(await arrives()).toBe('live');
    await clock.advance(6 * HOUR - MINUTE);
    expect(wakes()).toEqual([]);
    await clock.advance(MINUTE);
    const text = 'edge-agent: checking that messages arrive';
    expect(wakes()).toMatchObject([{ threadId: ME, text, state: 'queued', key: expect.stringMatching(/^wake:\d+$/) }]);
    expect(queued()).toBe(1);
    expect(store.events.waiting(10)).toMatchObject([
      { event_id: expect.stringMatching(/^inbound_silent:\d+$/), details: { code: 'EDGE_INBOUND_SILENT' } },
    ]);
    expect(calls).toMatchObject([{ event: 'failure', args: ['EDGE_INBOUND_SILENT', expect.any(String)] }]);
  });

  it('goes once for each such time, also when the agent is started anew', async () => {
    const { boot, clock, wakes } = setUp();
    const first = boot();
    await clock.advance(7 * HOUR);
    expect(wakes()).toHaveLength(1);
    first.stop();
    boot();
    await clock.advance(4 * HOUR);
    expect(wakes()).toHaveLength(1);
    await clock.advance(2 * HOUR);
    expect(wakes()).toHaveLength(2);
  });

  it('goes also after a clock that showed another century was put right', async () => {
    const { boot, arrives, clock, wakes } = setUp();
    const century = 100 * 365 * 24 * HOUR;
    clock.jumpWall(century);
    boot();
    await arrives();
    await clock.advance(6 * HOUR);
    expect(wakes()).toHaveLength(1);
    clock.jumpWall(-century);
    await clock.advance(6 * HOUR + MINUTE);
    expect(wakes()).toHaveLength(2);
    await clock.advance(5 * HOUR);
    expect(wakes()).toHaveLength(2);
  });

  it('does not go out as long as messages come', async () => {
    const { boot, clock, arrives, wakes } = setUp();
    boot();
    for (let n = 0; n < 10; n++) {
      await clock.advance(5 * HOUR);
      await arrives(`message ${n}`);
    }
    expect(wakes()).toEqual([]);
  });

  it('waits after a start and after a sleep of the Mac for what was missed', async () => {
    const { boot, clock, arrives, wakes } = setUp();
    await arrives();
    await clock.advance(24 * HOUR);
    const message = boot();
    await clock.advance(9 * MINUTE);
    message.woke();
    await clock.advance(9 * MINUTE);
    expect(wakes()).toEqual([]);
    await clock.advance(MINUTE);
    expect(wakes()).toHaveLength(1);
  });

  it('waits the whole time from the start when no message has ever come', async () => {
    const { boot, clock, wakes } = setUp();
    boot();
    await clock.advance(6 * HOUR - MINUTE);
    expect(wakes()).toEqual([]);
    await clock.advance(MINUTE);
    expect(wakes()).toHaveLength(1);
  });

  it('comes back as an echo, which the backend does not get, and the time begins anew', async () => {
    const { boot, clock, wakes, store, arrives, rig } = setUp();
    boot();
    await clock.advance(6 * HOUR);
    const [wake] = wakes();
    store.sends.markSending(wake!.sendId, { rowid: 0, epoch: 1 }, clock.now());
    store.sends.markConfirmed(wake!.sendId, { guid: 'own', rowid: 1 }, clock.now());
    expect(await arrives(wake!.text, ME)).toBe('echo');
    expect(rig.posts()).toBe(0);
    await clock.advance(6 * HOUR - MINUTE);
    expect(wakes()).toEqual([]);
    await clock.advance(MINUTE);
    expect(wakes()).toHaveLength(1);
  });

  it('is off unless both a time and an address are given', async () => {
    for (const settings of [{ silenceHours: 6 }, { wakeHandle: ME }]) {
      const rig = await watchdogRig(settings);
      await rig.clock.advance(24 * HOUR);
      expect(rig.texts()).toEqual([]);
    }
    const rig = await watchdogRig({ silenceHours: 6, wakeHandle: ME });
    await rig.clock.advance(7 * HOUR);
    expect(rig.texts()).toEqual(['edge-agent: checking that messages arrive']);
  });
});
