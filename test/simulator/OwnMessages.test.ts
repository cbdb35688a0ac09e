import { expect, it } from 'vitest';
import { readRows } from './readRows.ts';
import { query, simulatedMac } from './simulatedMac.ts';

const me = '+15550100000';

it('a message to oneself is an own row and, later, an inbound one with another guid', async () => {
  const mac = await simulatedMac();
  const { guid, copy } = mac.own.toSelf({ address: me, text: 'note', copyMs: 20 });
  expect(readRows(mac)).toMatchObject([{ guid, isFromMe: true, handle: me }]);
  await mac.settled();
  expect(readRows(mac).slice(1)).toMatchObject([{ guid: copy, isFromMe: false, handle: me, text: 'note' }]);
  expect(copy).not.toBe(guid);
});

it('a message to oneself is the own row alone on newer systems', async () => {
  const mac = await simulatedMac();
  expect(mac.own.toSelf({ address: me, text: 'note', copyMs: 'never' }).copy).toBeUndefined();
  await mac.settled();
  expect(readRows(mac)).toHaveLength(1);
});

it('a message for later is there at once, with a date that lies ahead', async () => {
  const mac = await simulatedMac({ macos: 15 });
  const at = Date.now() + 3_600_000;
  mac.own.sendLater({ to: '+15550100001', text: 'happy birthday', at });
  await mac.settled();
  expect(readRows(mac)).toMatchObject([{ isFromMe: true, isScheduled: true, isSent: false, dateAt: at }]);
  expect(query(mac.chatDbPath, 'SELECT schedule_type AS type, schedule_state AS state FROM message')).toEqual([
    { type: 2, state: 2 },
  ]);
  const old = await simulatedMac({ macos: 13 });
  expect(() => old.own.sendLater({ to: '+15550100001', text: 'x', at })).toThrow('no Send Later');
});

it('an own message is delivered and read whenever the other party’s device says so', async () => {
  const mac = await simulatedMac();
  const guid = mac.people.receive({ from: '+15550100001', text: 'hi', fromMe: true });
  const states =
    'SELECT is_sent AS sent, is_delivered AS delivered, date_delivered > 0 AS dated, date_read > 0 AS read FROM message';
  expect(query(mac.chatDbPath, states)).toEqual([{ sent: 1, delivered: 0, dated: 0, read: 0 }]);
  mac.people.delivered(guid);
  expect(query(mac.chatDbPath, states)).toEqual([{ sent: 1, delivered: 1, dated: 1, read: 0 }]);
  mac.people.readByThem(guid);
  expect(query(mac.chatDbPath, states)).toEqual([{ sent: 1, delivered: 1, dated: 1, read: 1 }]);
});
