import { describe, expect, it } from 'vitest';
import { EXIT_0 } from './FakeMac.ts';
import { ANNA, senderRig } from './senderRig.ts';

/** Messages writes rows that it marks neither sent nor failed. */
function undecidedRig() {
  const rig = senderRig();
  rig.mac.onRun = (call) => {
    rig.mac.write(call, { isSent: false });
    return EXIT_0;
  };
  return rig;
}

describe('Sender, with a row that Messages has not marked sent yet', () => {
  it('completes nothing before it is marked, and fails what is refused', async () => {
    const rig = undecidedRig();
    const send = rig.command('c1', ANNA, 'hello');
    await rig.wake();
    expect([rig.state(send), rig.acks()]).toEqual(['accepted', []]);
    await rig.clock.advance(2000);
    rig.mac.amend(101, { error: 22 });
    await rig.changed();
    expect(rig.state(send)).toBe('failed');
    expect(rig.acks()).toMatchObject([
      { status: 'failed', error: expect.stringMatching(/^EDGE_SEND_REFUSED: message\.error 22: Nobody .* Check /) },
    ]);
    expect(rig.told('commandCompleted')).toEqual([]);
  });

  it('sends the answer’s copy of a reflex that is refused some seconds after its row', async () => {
    const rig = senderRig();
    rig.mac.onRun = (call) => {
      rig.mac.write(call, { isSent: rig.mac.calls.length > 1 });
      return EXIT_0;
    };
    const reflex = rig.command('r1', ANNA, 'hi', { bubbleType: 'reflex' });
    const copy = rig.queue(ANNA, 'hi', { state: 'held', waitsFor: reflex.sendId, reflexCommandId: 'r1' });
    await rig.wake();
    await rig.clock.advance(1500);
    rig.mac.amend(101, { error: 22 });
    await rig.changed();
    expect([rig.state(reflex), rig.state(copy)]).toEqual(['failed', 'confirmed']);
  });

  it('does not take a sleep of the Mac for time in which nothing was said of it', async () => {
    const rig = undecidedRig();
    const send = rig.queue(ANNA, 'hello');
    await rig.wake();
    rig.clock.sleep(3_600_000);
    await rig.clock.advance(9_000);
    expect(rig.state(send)).toBe('accepted');
    rig.mac.amend(101, { error: 22 });
    await rig.changed();
    expect(rig.state(send)).toBe('failed');
  });

  it('takes it for a success when nothing is said of it for ten seconds, also after a crash', async () => {
    const rig = undecidedRig();
    const send = rig.queue(ANNA, 'hello');
    await rig.wake();
    rig.crash();
    await rig.clock.advance(9000);
    expect(rig.state(send)).toBe('accepted');
    await rig.clock.advance(1000);
    expect(rig.state(send)).toBe('confirmed');
    expect(rig.texts()).toEqual(['hello']);
  });
});
