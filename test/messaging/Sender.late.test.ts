import { describe, expect, it } from 'vitest';
import { settle } from '../support/FakeClock.ts';
import { chat, EXIT_0 } from './FakeMac.ts';
import { ANNA, BEN, SETTLE_MS, type SenderRig, senderRig } from './senderRig.ts';

const HOUR_MS = 3_600_000;

async function unknownSend(rig: SenderRig, text = 'hello') {
  rig.mac.onRun = () => EXIT_0;
  const send = rig.command(`c-${text}`, ANNA, text);
  await rig.wake();
  await rig.clock.advance(2 * SETTLE_MS);
  expect(rig.state(send)).toBe('unknown');
  return send;
}

function behaveWell(rig: SenderRig): void {
  rig.mac.onRun = (call) => {
    rig.mac.write(call);
    return EXIT_0;
  };
}

async function row(rig: SenderRig, text: string, change = {}): Promise<string> {
  const { guid } = rig.mac.write({ target: ANNA, text }, change);
  await rig.changed();
  await rig.clock.advance(2000);
  return guid;
}

function event(rig: SenderRig, id: string) {
  return rig.store.events.waiting(100).find(({ event_id }) => event_id === id);
}

describe('a receipt that comes after the outcome was told as unknown', () => {
  it('corrects send, command and event', async () => {
    const rig = senderRig();
    const send = await unknownSend(rig);
    await rig.clock.advance(HOUR_MS);
    const guid = await row(rig, 'hello');
    expect(rig.row(send)).toMatchObject({ state: 'confirmed', receiptGuid: guid, errorCode: null });
    expect(rig.store.commands.byId('c-hello')?.state).toBe('completed');
    expect(rig.acks()).toMatchObject([
      { status: 'failed', error: expect.stringContaining('unknown outcome') },
      { status: 'completed', result: { message_guid: guid } },
    ]);
    expect(rig.events()).toEqual([`failed:${send.key}`, `sent:${send.key}`]);
    expect(event(rig, `sent:${send.key}`)?.details).toMatchObject({ message_guid: guid, corrects: 'unknown' });
    expect(rig.told('sendCorrected')).toHaveLength(1);
    expect(rig.told('sendConfirmed')).toEqual([]);
    expect(rig.texts()).toEqual(['hello', 'hello']);
  });

  it('is found after a restart', async () => {
    const rig = senderRig();
    const send = await unknownSend(rig);
    rig.crash();
    await rig.clock.advance(5000);
    await row(rig, 'hello');
    expect(rig.state(send)).toBe('confirmed');
  });

  it('is found when it came while the agent was down, behind hundreds of other rows', async () => {
    const rig = senderRig();
    const send = await unknownSend(rig);
    for (let i = 0; i < 350; i++) rig.mac.write({ target: BEN, text: 'hello' });
    rig.mac.write({ target: ANNA, text: 'hello' });
    rig.crash();
    await rig.clock.advance(5000);
    expect(rig.state(send)).toBe('confirmed');
  });

  it('is found by date in another chat.db', async () => {
    const rig = senderRig();
    const send = await unknownSend(rig);
    rig.mac.rows.unshift({ ...rig.mac.write({ target: ANNA, text: 'hello' }), rowid: 3, guid: 'REBUILT' });
    rig.mac.rows.pop();
    rig.epoch = 2;
    await rig.changed();
    await rig.clock.advance(2000);
    expect(rig.row(send)).toMatchObject({ state: 'confirmed', receiptGuid: 'REBUILT', receiptRowid: 3 });
  });

  it('is not taken from a send that is still on its way with the same words', async () => {
    const rig = senderRig();
    const before = await unknownSend(rig, 'lol');
    const now = rig.queue(ANNA, 'lol');
    await rig.wake();
    const first = await row(rig, 'lol', { isSent: false });
    expect([rig.state(before), rig.state(now)]).toEqual(['unknown', 'accepted']);
    await rig.clock.advance(10_000);
    expect(rig.row(now)).toMatchObject({ state: 'confirmed', receiptGuid: first });
    await rig.clock.advance(60_000);
    expect(rig.state(before)).toBe('unknown');
    const second = await row(rig, 'lol');
    expect(rig.row(before)).toMatchObject({ state: 'confirmed', receiptGuid: second });
  });

  it('is not taken from a send that waits for its second attempt with the same words', async () => {
    const rig = senderRig();
    const before = await unknownSend(rig, 'lol');
    const now = rig.queue(ANNA, 'lol');
    await rig.wake();
    let end: () => void = () => {};
    rig.mac.onRun = () =>
      new Promise((resolve) => {
        end = () => resolve(EXIT_0);
      });
    rig.queue(BEN, 'busy');
    await rig.wake();
    await rig.clock.advance(SETTLE_MS);
    expect(rig.state(now)).toBe('queued');
    const guid = await row(rig, 'lol');
    expect([rig.state(before), rig.state(now)]).toEqual(['unknown', 'queued']);
    end();
    await settle();
    expect(rig.row(now)).toMatchObject({ state: 'confirmed', receiptGuid: guid, attempts: 1 });
    expect(rig.texts()).toEqual(['lol', 'lol', 'lol', 'busy']);
  });

  it('fails the send when Messages marks both attempts failed, under an event of its own', async () => {
    const rig = senderRig();
    const send = await unknownSend(rig);
    await row(rig, 'hello', { isSent: false, error: 22 });
    expect(rig.state(send)).toBe('unknown');
    await row(rig, 'hello', { isSent: false, error: 22 });
    expect(rig.row(send)).toMatchObject({ state: 'failed', errorCode: 'EDGE_SEND_REFUSED' });
    expect(rig.events()).toEqual([`failed:${send.key}`, `refused:${send.key}`]);
    expect(rig.store.commands.byId('c-hello')?.state).toBe('failed');
  });

  it('counts although Messages has marked the other attempt failed', async () => {
    const rig = senderRig();
    const send = await unknownSend(rig);
    await row(rig, 'hello', { isSent: false, error: 22 });
    const guid = await row(rig, 'hello');
    expect(rig.row(send)).toMatchObject({ state: 'confirmed', receiptGuid: guid });
  });

  it('counts although its chat is written much later, and not before it is sent or has kept silent', async () => {
    const rig = senderRig();
    const send = await unknownSend(rig);
    await row(rig, 'hello', { chat: undefined, isSent: false });
    await rig.clock.advance(30_000);
    rig.mac.amend(101, { chat: chat(ANNA) });
    await rig.changed();
    await rig.clock.advance(5000);
    expect(rig.state(send)).toBe('unknown');
    await rig.clock.advance(20_000);
    expect(rig.state(send)).toBe('confirmed');
    expect(event(rig, `sent:${send.key}`)?.details.status).toBe('confirmed');
  });

  it('is awaited for a day', async () => {
    const rig = senderRig();
    const send = await unknownSend(rig);
    await rig.clock.advance(24 * HOUR_MS + 1);
    await row(rig, 'hello');
    expect(rig.state(send)).toBe('unknown');
  });

  it('is awaited though the clock shows another year for some minutes', async () => {
    const YEAR_MS = 365 * 24 * HOUR_MS;
    const rig = senderRig();
    const send = await unknownSend(rig);
    rig.clock.jumpWall(YEAR_MS);
    await row(rig, 'by hand');
    rig.clock.jumpWall(-YEAR_MS);
    await row(rig, 'hello');
    expect(rig.state(send)).toBe('confirmed');
  });

  it('costs nothing while there is nothing to wait for, and reads no row over and over', async () => {
    const rig = senderRig();
    rig.mac.rowsRead = 0;
    for (let i = 0; i < 20; i++) await row(rig, 'by hand');
    expect(rig.mac.rowsRead).toBe(0);
    await unknownSend(rig);
    await rig.clock.advance(2000);
    for (let i = 0; i < 300; i++) rig.mac.write({ target: ANNA, text: 'by hand' });
    for (let i = 0; i < 5; i++) {
      await rig.clock.advance(61_000);
      await rig.changed();
      await rig.clock.advance(2000);
    }
    rig.mac.rowsRead = 0;
    await rig.changed();
    await rig.clock.advance(2000);
    expect(rig.mac.rowsRead).toBe(0);
  });

  it('completes the command of a text in parts only when all of them are known', async () => {
    const rig = senderRig();
    rig.mac.onRun = () => EXIT_0;
    const root = rig.command('c1', ANNA, 'one');
    const part = rig.queue(ANNA, 'two', { partOf: root.sendId, groupKey: root.groupKey, bubbleIndex: 1 });
    await rig.wake();
    await rig.clock.advance(4 * SETTLE_MS);
    expect([rig.state(root), rig.state(part)]).toEqual(['unknown', 'unknown']);
    const second = await row(rig, 'two');
    expect(rig.store.commands.byId('c1')?.state).toBe('failed');
    const first = await row(rig, 'one');
    expect(rig.acks().at(-1)).toMatchObject({
      status: 'completed',
      result: { message_guid: first, message_guids: [first, second] },
    });
  });
});

describe('a bubble that went out twice', () => {
  async function retried(rig: SenderRig) {
    rig.mac.onRun = () => EXIT_0;
    const send = rig.command('c1', ANNA, 'lol');
    await rig.wake();
    behaveWell(rig);
    await rig.clock.advance(SETTLE_MS);
    expect(rig.row(send)).toMatchObject({ state: 'confirmed', attempts: 2 });
    return send;
  }

  it('is told once, and no other send takes the second row', async () => {
    const rig = senderRig();
    const send = await retried(rig);
    const guid = await row(rig, 'lol');
    await rig.changed();
    await rig.clock.advance(5000);
    expect(rig.events()).toEqual([`sent:${send.key}`, `twice:${guid}`]);
    expect(event(rig, `twice:${guid}`)).toMatchObject({
      event_type: 'error',
      details: { code: 'EDGE_SEND_TWICE', send_id: send.sendId, message_guid: guid },
    });
    expect(rig.store.spentRows.of(guid)).toEqual({ sendId: send.sendId, why: 'twice' });
    rig.mac.onRun = () => new Promise(() => {});
    const next = rig.queue(ANNA, 'lol');
    await rig.wake();
    rig.epoch = 2; // where the row is known by its date alone
    rig.crash();
    await settle();
    expect(rig.state(next)).toBe('sending');
  });

  it('is told after a restart, too', async () => {
    const rig = senderRig();
    const send = await retried(rig);
    rig.crash();
    await rig.clock.advance(1000);
    const guid = await row(rig, 'lol');
    expect(rig.events()).toEqual([`sent:${send.key}`, `twice:${guid}`]);
  });

  it('is not seen in the row of the next bubble with the same words', async () => {
    const rig = senderRig();
    await retried(rig);
    rig.mac.onRun = () => EXIT_0;
    const next = rig.queue(ANNA, 'lol');
    await rig.wake();
    const guid = await row(rig, 'lol', { isSent: false });
    await rig.clock.advance(12_000);
    expect(rig.row(next)).toMatchObject({ state: 'confirmed', receiptGuid: guid });
    expect(rig.told('failure')).toEqual([]);
  });

  it('is seen when both rows appear after the outcome was told as unknown, with one event for the bubble', async () => {
    const rig = senderRig();
    const send = await unknownSend(rig, 'lol');
    rig.mac.write({ target: ANNA, text: 'lol' });
    const second = await row(rig, 'lol');
    await rig.clock.advance(5000);
    expect(rig.events()).toEqual([`failed:${send.key}`, `sent:${send.key}`, `twice:${second}`]);
  });

  it('is not said of a bubble sent once, nor of a row that Messages marks failed', async () => {
    const rig = senderRig();
    const once = rig.queue(BEN, 'lol');
    await rig.wake();
    rig.mac.write({ target: BEN, text: 'lol' });
    const twice = await retried(rig);
    const guid = await row(rig, 'lol', { isSent: false, error: 22 });
    expect(rig.events()).toEqual([`sent:${once.key}`, `sent:${twice.key}`]);
    expect(rig.store.spentRows.of(guid)?.why).toBe('refused');
  });
});

describe('sending.on_missing_receipt: report', () => {
  it('makes no second attempt', async () => {
    const rig = senderRig();
    rig.onMissingReceipt = 'report';
    rig.crash();
    rig.mac.onRun = () => EXIT_0;
    const send = rig.queue(ANNA, 'hello');
    await rig.wake();
    await rig.clock.advance(SETTLE_MS);
    expect(rig.state(send)).toBe('unknown');
    expect(rig.texts()).toEqual(['hello']);
    await row(rig, 'hello');
    expect(rig.state(send)).toBe('confirmed');
  });
});

describe('the one more attempt after a missing receipt', () => {
  it('is one, however often the agent is started again', async () => {
    const rig = senderRig();
    rig.mac.onRun = () => new Promise(() => {});
    const send = rig.queue(ANNA, 'hello');
    await rig.wake();
    for (let i = 0; i < 5; i++) {
      rig.crash();
      await rig.clock.advance(SETTLE_MS);
    }
    expect(rig.state(send)).toBe('unknown');
    expect(rig.texts()).toEqual(['hello', 'hello']);
  });

  it('is not needed when the row of the first is finished only after the second has begun', async () => {
    const rig = senderRig();
    rig.mac.onRun = () => EXIT_0;
    const send = rig.queue(ANNA, 'hello');
    await rig.wake();
    rig.mac.write({ target: ANNA, text: '' }, { bodyBytes: 0 });
    await rig.clock.advance(SETTLE_MS);
    expect(rig.row(send)).toMatchObject({ attempts: 2, watermarkRowid: 100 });
    rig.mac.amend(101, { text: 'hello' });
    await rig.changed();
    expect(rig.row(send)).toMatchObject({ state: 'confirmed', receiptGuid: 'GUID-101' });
  });

  it('is not made in another chat.db', async () => {
    const rig = senderRig();
    rig.mac.onRun = () => EXIT_0;
    const send = rig.queue(ANNA, 'hello');
    await rig.wake();
    rig.mac.onRun = () => new Promise(() => {});
    rig.queue(BEN, 'busy');
    await rig.wake();
    await rig.clock.advance(SETTLE_MS);
    expect(rig.state(send)).toBe('queued');
    rig.epoch = 2;
    rig.crash();
    await settle();
    expect(rig.state(send)).toBe('unknown');
    expect(rig.texts()).toEqual(['hello', 'busy']);
  });
});

describe('message_sent', () => {
  it('says when Messages took the bubble, when its row was seen, and whether Messages sent it', async () => {
    const rig = senderRig();
    rig.mac.onRun = () => EXIT_0;
    const send = rig.queue(ANNA, 'hello');
    await rig.wake();
    const acceptedAt = rig.clock.now();
    await rig.clock.advance(5000);
    const guid = await row(rig, 'hello');
    expect(event(rig, `sent:${send.key}`)?.details).toEqual({
      send_id: send.sendId,
      key: send.key,
      message_guid: guid,
      status: 'sent',
      accepted_at: new Date(acceptedAt).toISOString(),
      confirmed_at: new Date(acceptedAt + 5000).toISOString(),
    });
  });
});
