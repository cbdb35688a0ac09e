import { describe, expect, it } from 'vitest';
import type { SendRow } from '../../src/state/SendRow.ts';
import { settle } from '../support/FakeClock.ts';
import { ANNA, type SenderRig, senderRig } from './senderRig.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A bubble whose receipt has been seen. */
async function confirmed(rig: SenderRig, text = 'hi'): Promise<SendRow> {
  const send = rig.queue(ANNA, text);
  await rig.wake();
  await rig.clock.advance(2_000);
  expect(rig.state(send)).toBe('confirmed');
  return rig.row(send);
}

function isRead(rig: SenderRig, { receiptGuid, receiptRowid }: SendRow): number {
  rig.mac.amend(receiptRowid!, { isDelivered: true });
  rig.mac.readAt.set(receiptGuid!, rig.clock.now());
  return rig.clock.now();
}

const news = (rig: SenderRig) =>
  rig.store.events
    .waiting(1000)
    .filter(({ event_type }) => event_type === 'message_delivered')
    .map(({ event_id, details }) => [event_id, details.status]);

async function restarted(rig: SenderRig): Promise<void> {
  rig.crash();
  await rig.clock.advance(2_000);
}

describe('deliveries and reads', () => {
  it('are told once each, with the guid of the bubble and when it was read', async () => {
    const rig = senderRig();
    const send = await confirmed(rig);
    rig.mac.amend(send.receiptRowid!, { isDelivered: true });
    await rig.changed();
    await rig.clock.advance(1_000);
    expect(news(rig)).toEqual([[`delivered:${send.key}`, 'delivered']]);
    const readAt = isRead(rig, send);
    await rig.changed();
    await rig.clock.advance(1_000);
    expect(news(rig)[1]).toEqual([`read:${send.key}`, 'read']);
    expect(rig.store.events.waiting(9).at(-1)?.details).toEqual({
      send_id: send.sendId,
      key: send.key,
      message_guid: send.receiptGuid,
      status: 'read',
      read_at: new Date(readAt).toISOString(),
    });
    await rig.changed();
    await rig.clock.advance(5 * MINUTE);
    expect(news(rig)).toHaveLength(2);
    expect(rig.told('sendDelivered')).toHaveLength(1);
    expect(rig.told('eventNoted')).toHaveLength(1);
  });

  it('are both told, delivered first, of a bubble that was read before it was seen to be delivered', async () => {
    const rig = senderRig();
    const send = await confirmed(rig);
    rig.mac.readAt.set(send.receiptGuid!, rig.clock.now());
    await rig.changed();
    await rig.clock.advance(1_000);
    expect(news(rig)).toEqual([
      [`delivered:${send.key}`, 'delivered'],
      [`read:${send.key}`, 'read'],
    ]);
    expect(rig.row(send)).toMatchObject({ state: 'delivered', readAt: rig.mac.readAt.get(send.receiptGuid!) });
  });

  it('are told of the latest two hundred bubbles with each change of chat.db, and of those before within a minute', async () => {
    const rig = senderRig();
    const sends: SendRow[] = [];
    for (let n = 0; n < 202; n++) sends.push(await confirmed(rig, `bubble ${n}`));
    await rig.clock.advance(MINUTE);
    for (const n of [1, 2]) isRead(rig, sends[n]!);
    await rig.changed();
    await rig.clock.advance(2_000);
    expect(news(rig).map(([id]) => id)).toEqual([`delivered:${sends[2]!.key}`, `read:${sends[2]!.key}`]);
    await rig.clock.advance(MINUTE);
    expect(news(rig).map(([id]) => id)).toContain(`read:${sends[1]!.key}`);
  });

  it('are told when they happened while the agent was down', async () => {
    const rig = senderRig();
    const send = await confirmed(rig);
    await rig.clock.advance(5 * HOUR);
    isRead(rig, send);
    await restarted(rig);
    expect(news(rig).map(([id]) => id)).toEqual([`delivered:${send.key}`, `read:${send.key}`]);
  });

  it('are told of a bubble that is read hours later, within a minute of the change', async () => {
    const rig = senderRig();
    const send = await confirmed(rig);
    await rig.clock.advance(30 * HOUR);
    isRead(rig, send);
    await rig.changed();
    await rig.clock.advance(61_000);
    expect(news(rig)).toHaveLength(2);
  });

  it('are told after a sleep of the Mac', async () => {
    const rig = senderRig();
    const send = await confirmed(rig);
    await rig.clock.advance(9 * HOUR);
    isRead(rig, send);
    rig.sender.woke();
    await rig.clock.advance(1_000);
    expect(news(rig)).toHaveLength(2);
  });

  it('are found by guid in a chat.db with other ROWIDs, and by the new ROWID from then on', async () => {
    const rig = senderRig();
    const send = await confirmed(rig);
    rig.mac.amend(send.receiptRowid!, { rowid: 9_000, isDelivered: true });
    rig.mac.write({ target: ANNA, text: 'another' }, { rowid: send.receiptRowid!, guid: 'ANOTHER' });
    rig.epoch = 2;
    await rig.changed();
    await rig.clock.advance(1_000);
    expect(news(rig)).toEqual([[`delivered:${send.key}`, 'delivered']]);
    expect(rig.row(send).receiptRowid).toBe(9_000);
  });

  it('are not lost when chat.db cannot be read, or is not open, at that moment', async () => {
    const rig = senderRig();
    const send = await confirmed(rig);
    isRead(rig, send);
    rig.db = undefined;
    await rig.changed();
    await rig.clock.advance(3_000);
    expect(news(rig)).toEqual([]);
    rig.db = rig.mac;
    await rig.clock.advance(1_000);
    expect(news(rig)).toHaveLength(2);
  });

  it('are looked for in slices, and in no send that is older than a week', async () => {
    const rig = senderRig();
    const old = await confirmed(rig);
    await rig.clock.advance(8 * 24 * HOUR);
    const sends: SendRow[] = [];
    for (let n = 0; n < 450; n++) {
      const send = rig.queue(ANNA, `n ${n}`);
      const row = rig.mac.write({ target: ANNA, text: send.text });
      rig.store.sends.markConfirmed(send.sendId, { guid: row.guid, rowid: row.rowid }, rig.clock.now());
      sends.push(rig.row(send));
    }
    for (const send of [old, ...sends]) isRead(rig, send);
    rig.crash();
    rig.mac.receiptsAsked = 0;
    await rig.clock.advance(1_000);
    expect(rig.mac.receiptsAsked).toBe(200);
    await rig.clock.advance(1_000);
    expect(rig.mac.receiptsAsked).toBe(450);
    expect(rig.store.events.waiting(9_999).filter(({ details }) => details.status === 'read')).toHaveLength(450);
    expect(rig.row(old).readAt).toBeNull();
  });

  it('cost nothing while chat.db does not change', async () => {
    const rig = senderRig();
    await confirmed(rig);
    await rig.clock.advance(5 * MINUTE);
    rig.mac.receiptsAsked = 0;
    await rig.clock.advance(HOUR);
    await settle();
    expect(rig.mac.receiptsAsked).toBe(0);
  });
});
