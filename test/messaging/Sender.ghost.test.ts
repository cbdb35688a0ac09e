import { describe, expect, it } from 'vitest';
import { settle } from '../support/FakeClock.ts';
import { chat, EXIT_0, type FakeMac, type ScriptCall, scriptError } from './FakeMac.ts';
import { ANNA, SETTLE_MS, type SenderRig, senderRig } from './senderRig.ts';

const GROUP = 'chat831000000000000001';
const GHOST_MS = 5000;

/** A group, which has no form of address but its chat id. */
function rigWithGroup(): SenderRig {
  const rig = senderRig();
  rig.mac.chats.set(GROUP, chat(GROUP, { guid: `iMessage;+;${GROUP}`, isGroup: true }));
  return rig;
}

/** The row of a bubble that nobody gets. */
function ghost(mac: FakeMac) {
  return mac.write({ target: '', text: '' }, { chat: undefined, handle: undefined, service: 'SMS', bodyBytes: 0 });
}

function behave(rig: SenderRig, ...runs: ((call: ScriptCall) => void)[]): void {
  rig.mac.onRun = (call) => {
    (runs.shift() ?? ((call) => void rig.mac.write(call)))(call);
    return EXIT_0;
  };
}

describe('Sender, with a ghost', () => {
  it('fails the last form of address by the name of the ghost, for nothing went out', async () => {
    const rig = senderRig();
    rig.mac.chats.set(ANNA, chat(ANNA));
    rig.mac.onRun = (call) => {
      if (call.form === 'participant') return scriptError(-1728);
      ghost(rig.mac);
      return EXIT_0;
    };
    const send = rig.command('c1', ANNA, 'hello');
    await rig.wake();
    await rig.clock.advance(GHOST_MS - 1);
    expect(rig.state(send)).toBe('accepted');
    await rig.clock.advance(1);
    const calls = rig.mac.calls.length;
    expect(rig.mac.calls.slice(0, 2).map(({ form }) => form)).toEqual(['participant', 'chat']);
    await rig.clock.advance(calls * GHOST_MS);
    expect(rig.row(send)).toMatchObject({ state: 'failed', errorCode: 'EDGE_SEND_GHOST' });
    expect(rig.acks()).toMatchObject([{ status: 'failed', error: expect.stringContaining('EDGE_SEND_GHOST') }]);
    expect(rig.told('ghostSeen')[0]).toEqual([{ sendId: send.sendId, threadId: ANNA, guid: 'GUID-101' }]);
    expect(rig.store.spentRows.of('GUID-101')).toEqual({ sendId: send.sendId, why: 'ghost' });
    const event = rig.store.events.waiting(1)[0];
    expect(event).toMatchObject({
      event_id: 'ghost:GUID-101',
      event_type: 'error',
      thread_id: ANNA,
      details: { code: 'EDGE_SEND_GHOST', send_id: send.sendId, message_guid: 'GUID-101' },
    });
  });

  it('tries the next form of address after five seconds, and counts no attempt', async () => {
    const rig = rigWithGroup();
    behave(rig, () => void ghost(rig.mac));
    const send = rig.queue(GROUP, 'hello');
    await rig.wake();
    await rig.clock.advance(GHOST_MS);
    expect(rig.mac.calls.map(({ target }) => target)).toEqual([`iMessage;+;${GROUP}`, `any;+;${GROUP}`]);
    expect(rig.row(send)).toMatchObject({ state: 'confirmed', receiptGuid: 'GUID-102', attempts: 1 });
    expect(rig.events()).toEqual(['ghost:GUID-101', `sent:${send.key}`]);
  });

  it('is none before Messages had five seconds awake to fill it in', async () => {
    const rig = rigWithGroup();
    behave(rig, () => void ghost(rig.mac));
    const send = rig.queue(GROUP, 'hello');
    await rig.wake();
    rig.clock.sleep(3_600_000);
    await rig.clock.advance(GHOST_MS - 1);
    expect(rig.mac.calls).toHaveLength(1);
    rig.mac.amend(101, { chat: chat(GROUP, { guid: `iMessage;+;${GROUP}`, isGroup: true }), text: 'hello' });
    await rig.changed();
    await rig.clock.advance(GHOST_MS);
    expect(rig.mac.calls).toHaveLength(1);
    expect(rig.row(send)).toMatchObject({ state: 'confirmed', receiptGuid: 'GUID-101' });
  });

  it('is the receipt after all when it is filled in before the next form is tried', async () => {
    const rig = rigWithGroup();
    behave(rig, () => void ghost(rig.mac));
    const send = rig.queue(GROUP, 'hello');
    await rig.wake();
    let end: () => void = () => {};
    rig.mac.onRun = () =>
      new Promise((resolve) => {
        end = () => resolve(EXIT_0);
      });
    rig.queue(ANNA, 'busy');
    await rig.wake();
    await rig.clock.advance(GHOST_MS);
    expect(rig.row(send)).toMatchObject({ state: 'queued', errorCode: 'EDGE_SEND_GHOST' });
    rig.mac.amend(101, { text: 'hello', chat: rig.mac.chats.get(GROUP), bodyBytes: 100 });
    end();
    await settle();
    expect(rig.row(send)).toMatchObject({ state: 'confirmed', receiptGuid: 'GUID-101' });
    expect(rig.texts()).toEqual(['hello', 'busy']);
  });

  it('is told as a second bubble when it is filled in after the next form was confirmed', async () => {
    const rig = rigWithGroup();
    behave(rig, () => void ghost(rig.mac));
    const send = rig.queue(GROUP, 'hello');
    await rig.wake();
    await rig.clock.advance(GHOST_MS);
    rig.mac.amend(101, { text: 'hello', chat: rig.mac.chats.get(GROUP), bodyBytes: 100 });
    await rig.changed();
    await rig.clock.advance(2000);
    expect(rig.events()).toEqual(['ghost:GUID-101', `sent:${send.key}`, 'twice:GUID-101']);
  });

  it('takes a row whose text and chat come later for what it is', async () => {
    const rig = rigWithGroup();
    behave(rig, () => void ghost(rig.mac));
    const send = rig.queue(GROUP, 'hello');
    await rig.wake();
    await rig.clock.advance(GHOST_MS - 100);
    rig.mac.amend(101, { text: 'hello', chat: rig.mac.chats.get(GROUP), bodyBytes: 100 });
    await rig.changed();
    expect(rig.row(send)).toMatchObject({ state: 'confirmed', receiptGuid: 'GUID-101' });
    await rig.clock.advance(2 * SETTLE_MS);
    expect(rig.texts()).toEqual(['hello']);
    expect(rig.told('ghostSeen')).toEqual([]);
  });

  it('waits the whole time again after a crash', async () => {
    const rig = rigWithGroup();
    behave(rig, () => void ghost(rig.mac));
    const send = rig.queue(GROUP, 'hello');
    await rig.wake();
    await rig.clock.advance(GHOST_MS - 1);
    rig.crash();
    await rig.clock.advance(GHOST_MS - 1);
    expect(rig.state(send)).toBe('accepted');
    await rig.clock.advance(1);
    expect(rig.told('ghostSeen')).toHaveLength(1);
  });

  it('is not looked for while osascript runs, nor in a send by participant', async () => {
    const rig = rigWithGroup();
    const toPerson = rig.queue(ANNA, 'hi');
    behave(rig, () => void ghost(rig.mac));
    await rig.wake();
    rig.mac.onRun = () => new Promise(() => {});
    ghost(rig.mac);
    const toGroup = rig.queue(GROUP, 'hello');
    await rig.wake();
    ghost(rig.mac);
    await rig.changed();
    await rig.clock.advance(2 * GHOST_MS);
    expect([rig.state(toPerson), rig.state(toGroup)]).toEqual(['accepted', 'sending']);
    expect(rig.told('ghostSeen')).toEqual([]);
  });

  it('belongs to the send that began last before it', async () => {
    const rig = rigWithGroup();
    const other = 'chat831000000000000002';
    rig.mac.chats.set(other, chat(other, { guid: `iMessage;+;${other}`, isGroup: true }));
    behave(
      rig,
      () => {},
      () => void ghost(rig.mac),
    );
    const first = rig.queue(GROUP, 'one');
    const second = rig.queue(other, 'two');
    await rig.wake();
    await rig.clock.advance(GHOST_MS);
    expect(rig.told('ghostSeen')).toEqual([[{ sendId: second.sendId, threadId: other, guid: 'GUID-101' }]]);
    expect(rig.state(first)).toBe('accepted');
  });

  it('says nothing of an attempt before it that left no receipt: the outcome stays unknown', async () => {
    const rig = rigWithGroup();
    const nothing = () => {};
    const left = () => void ghost(rig.mac);
    behave(rig, nothing, left, left, left);
    const send = rig.queue(GROUP, 'hello');
    await rig.wake();
    await rig.clock.advance(SETTLE_MS + 3 * GHOST_MS);
    expect(rig.state(send)).toBe('unknown');
  });

  it('is laid to none but the bubble that began last, whose osascript may still run', async () => {
    for (const last of ['by chat, running', 'by participant']) {
      const rig = rigWithGroup();
      const other = 'chat831000000000000002';
      rig.mac.chats.set(other, chat(other, { guid: `iMessage;+;${other}`, isGroup: true }));
      let end: () => void = () => {};
      rig.mac.onRun = () => EXIT_0;
      const first = rig.queue(GROUP, 'one');
      await rig.wake();
      rig.mac.onRun = () => {
        ghost(rig.mac);
        return last === 'by participant' ? EXIT_0 : new Promise((resolve) => (end = () => resolve(EXIT_0)));
      };
      const second = rig.queue(last === 'by participant' ? ANNA : other, 'two');
      await rig.wake();
      rig.mac.onRun = () => EXIT_0;
      await rig.changed();
      await rig.clock.advance(GHOST_MS);
      await rig.changed();
      expect(rig.told('ghostSeen')).toEqual([]);
      expect(rig.row(first)).toMatchObject({ state: 'accepted', addressForm: 0 });
      end();
      await settle();
      await rig.clock.advance(1000);
      const left = last === 'by participant' ? [] : [[expect.objectContaining({ sendId: second.sendId })]];
      expect(rig.told('ghostSeen')).toEqual(left);
    }
  });

  it('is the receipt after all when it is filled in while Messages does not run for the next form', async () => {
    const rig = rigWithGroup();
    behave(rig, () => void ghost(rig.mac));
    const write = rig.mac.onRun;
    rig.mac.onRun = (call) => (rig.mac.calls.length === 2 ? scriptError(-600) : write(call));
    const send = rig.queue(GROUP, 'hello');
    await rig.wake();
    await rig.clock.advance(GHOST_MS);
    expect(rig.texts()).toHaveLength(2);
    rig.mac.amend(101, { text: 'hello', chat: rig.mac.chats.get(GROUP), bodyBytes: 100 });
    await rig.clock.advance(60_000);
    expect(rig.row(send)).toMatchObject({ state: 'confirmed', receiptGuid: 'GUID-101' });
    expect(rig.texts()).toHaveLength(2);
  });
});
