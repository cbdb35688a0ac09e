import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { settle } from '../support/FakeClock.ts';
import { chat, EXIT_0, scriptError } from './FakeMac.ts';
import { ANNA, BEN, SETTLE_MS, type SenderRig, senderRig } from './senderRig.ts';

/** Another process writes to state.db until the returned function is called. */
function lock(rig: SenderRig): () => void {
  const other = new Database(rig.statePath);
  other.exec('BEGIN IMMEDIATE');
  return () => other.close();
}

describe('Sender, while another process holds state.db', () => {
  it('starts no osascript, and goes on when it is free', async () => {
    const rig = senderRig();
    const send = rig.queue(ANNA, 'hello');
    const unlock = lock(rig);
    await rig.wake();
    expect(rig.texts()).toEqual([]);
    expect(rig.told('failure')).toContainEqual(['EDGE_STATE_BUSY', expect.anything()]);
    unlock();
    await rig.clock.advance(1000);
    expect(rig.state(send)).toBe('confirmed');
  });

  it('notes the end of an osascript as soon as it is free', async () => {
    const rig = senderRig();
    let unlock = () => {};
    rig.mac.onRun = (call) => {
      rig.mac.write(call);
      unlock = lock(rig);
      return EXIT_0;
    };
    const send = rig.queue(ANNA, 'hello');
    await rig.wake();
    expect(rig.state(send)).toBe('sending');
    unlock();
    await rig.clock.advance(1000);
    expect(rig.state(send)).toBe('confirmed');
    expect(rig.texts()).toEqual(['hello']);
  });

  it('tries to begin a bubble once a second, however often it is woken meanwhile', async () => {
    const rig = senderRig();
    const send = rig.queue(ANNA, 'hello');
    const unlock = lock(rig);
    await rig.wake();
    for (let second = 0; second < 3; second++) {
      const before = rig.told('failure').length;
      for (let change = 0; change < 5; change++) await rig.changed();
      await rig.clock.advance(1000);
      expect(rig.told('failure').length - before).toBe(1);
    }
    unlock();
    await rig.clock.advance(1000);
    expect(rig.state(send)).toBe('confirmed');
  });

  it('tries once a second, however often chat.db changes meanwhile, and then notes what came', async () => {
    const rig = senderRig();
    rig.mac.onRun = () => EXIT_0;
    const send = rig.queue(ANNA, 'hello');
    await rig.wake();
    const unlock = lock(rig);
    rig.mac.write({ target: ANNA, text: 'hello' });
    for (let change = 0; change < 10; change++) await rig.changed();
    for (let second = 0; second < 5; second++) {
      const before = rig.told('failure').length;
      await rig.changed();
      await rig.clock.advance(1000);
      expect(rig.told('failure').length - before).toBe(1);
    }
    unlock();
    await rig.clock.advance(1000);
    expect(rig.state(send)).toBe('confirmed');
  });

  it('begins no bubble with its command before it has noted how the one before ended', async () => {
    const rig = senderRig();
    let unlock = () => {};
    rig.mac.chats.set(ANNA, chat(ANNA, { guid: `any;-;${ANNA}` }));
    rig.mac.onRun = async (call) => {
      await new Promise<void>((done) => rig.clock.after(100, done));
      if (call.form === 'participant' && call.target === ANNA) {
        unlock = lock(rig);
        return scriptError(-1728);
      }
      rig.mac.write(call);
      return EXIT_0;
    };
    const send = rig.queue(ANNA, 'hello');
    await rig.wake();
    await rig.clock.advance(100);
    unlock();
    const other = rig.store.transaction(() => {
      const asked = rig.queue(BEN, 'at once');
      rig.sender.begin(BEN);
      return asked;
    });
    rig.sender.wake(BEN);
    await settle();
    expect(rig.state(other)).toBe('queued');
    await rig.clock.advance(2000);
    expect(rig.mac.calls.map(({ form, text }) => [form, text])).toEqual([
      ['participant', 'hello'],
      ['chat', 'hello'],
      ['participant', 'at once'],
    ]);
    expect([send, other].map((one) => rig.state(one))).toEqual(['confirmed', 'confirmed']);
  });

  it('notes with its stop what osascript had said, so that no attempt counts with which nothing went out', async () => {
    const rig = senderRig();
    let unlock = () => {};
    rig.mac.onRun = () => {
      unlock = lock(rig);
      return scriptError(-1743);
    };
    const send = rig.queue(ANNA, 'hello');
    await rig.wake();
    expect(rig.state(send)).toBe('sending');
    unlock();
    await rig.sender.stop();
    expect(rig.store.sends.byId(send.sendId)).toMatchObject({ state: 'queued', attempts: 0 });
  });

  it('does with its stop once what is left to do, and nothing behind it', async () => {
    const rig = senderRig();
    rig.mac.onRun = () => EXIT_0;
    const slow = rig.queue(BEN, 'slow');
    const quick = rig.queue(ANNA, 'quick');
    await rig.wake();
    await rig.clock.advance(SETTLE_MS - 15_000);
    const unlock = lock(rig);
    rig.mac.write({ target: ANNA, text: 'quick' });
    await rig.clock.advance(10_000);
    unlock();
    await rig.sender.stop();
    expect(rig.state(quick)).toBe('confirmed');
    await rig.clock.advance(SETTLE_MS);
    await rig.sender.stop();
    expect(rig.state(slow)).toBe('accepted');
  });

  it('does not let the settle time of another bubble pass faster', async () => {
    const rig = senderRig();
    rig.mac.onRun = () => EXIT_0;
    const slow = rig.queue(BEN, 'slow');
    const quick = rig.queue(ANNA, 'quick');
    await rig.wake();
    expect(rig.texts()).toEqual(['slow', 'quick']);
    const unlock = lock(rig);
    rig.mac.write({ target: ANNA, text: 'quick' });
    await rig.changed();
    for (let looks = 0; looks < 20; looks++) await rig.clock.advance(1000);
    unlock();
    await rig.clock.advance(SETTLE_MS - 22_000);
    expect(rig.state(quick)).toBe('confirmed');
    expect(rig.texts()).toEqual(['slow', 'quick']);
    rig.mac.write({ target: BEN, text: 'slow' });
    await rig.changed();
    expect(rig.state(slow)).toBe('confirmed');
  });
});
