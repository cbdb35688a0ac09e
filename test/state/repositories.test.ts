import { describe, expect, it } from 'vitest';
import type { NewSend } from '../../src/state/SendRow.ts';
import { insertPending, openStore } from '../relay/fakes.ts';
import { FakeClock } from '../support/FakeClock.ts';

const THREAD = '+15550100002';
const NOW = new FakeClock().now();

function setUp() {
  const { store } = openStore(new FakeClock());
  const { sends } = store;
  const send = (key: string, change: Partial<NewSend> = {}) =>
    sends.insert({ key, threadId: THREAD, text: key, bubbleType: 'normal', now: NOW, ...change });
  const order = () => sends.openOf(THREAD).map(({ key }) => key);
  return { store, sends, send, order };
}

describe('sends', () => {
  it('go in the order of their groups, and of the bubbles in a group', () => {
    const { send, order, sends } = setUp();
    send('b1', { groupKey: 'b', bubbleIndex: 1, position: 2 });
    send('b0', { groupKey: 'b', bubbleIndex: 0, position: 2 });
    send('a', { position: 1 });
    send('last');
    expect(order()).toEqual(['a', 'b0', 'b1', 'last']);
    expect(sends.headOf(THREAD)?.key).toBe('a');
    expect(sends.lastPosition(THREAD)).toBe(3);
  });

  it('make room for a group before those that wait', () => {
    const { send, order, sends } = setUp();
    send('a');
    send('c');
    sends.makeRoomAt(THREAD, 2);
    send('b', { position: 2 });
    send('d');
    expect(order()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('are one for each key', () => {
    const { send, sends } = setUp();
    const first = send('a');
    expect(send('a', { text: 'other' })).toEqual(first);
    expect(sends.counts().queued).toBe(1);
  });

  it('of a final state are no longer in the way', () => {
    const { send, sends } = setUp();
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((key) => send(key).sendId);
    sends.finish(a!, 'failed', NOW, 'EDGE_SEND_TEXT', 'empty');
    sends.finish(b!, 'unknown', NOW);
    sends.finish(c!, 'superseded', NOW);
    expect(sends.headOf(THREAD)?.sendId).toBe(d);
    sends.markConfirmed(d!, { guid: 'g', rowid: 1 }, NOW);
    expect(sends.headOf(THREAD)).toBeUndefined();
    expect(sends.openThreads()).toEqual([]);
    expect(sends.lastPosition(THREAD)).toBe(0);
  });

  it('let one bubble stand for one reflex', () => {
    const { send, sends } = setUp();
    send('reply:m1:0', { reflexCommandId: 'r1' });
    expect(() => send('reply:m2:0', { reflexCommandId: 'r1' })).toThrow(/UNIQUE/);
    const other = send('reply:m3:0');
    expect(() => sends.linkReflex(other.sendId, 'r1')).toThrow(/UNIQUE/);
    expect(sends.byReflexCommand('r1')?.key).toBe('reply:m1:0');
  });

  it('claim a receipt once', () => {
    const { send, sends } = setUp();
    const [a, b] = [send('a').sendId, send('b').sendId];
    expect(sends.markConfirmed(a, { guid: 'g', rowid: 1 }, NOW)).toBe(true);
    expect(sends.markConfirmed(b, { guid: 'g', rowid: 1 }, NOW)).toBe(false);
    expect(sends.byId(b)?.state).toBe('queued');
  });

  it('find what a reflex holds back, and let it go', () => {
    const { send, sends } = setUp();
    const reflex = send('command:r1', { bubbleType: 'reflex' });
    const held = send('reply:m1:0', { state: 'held', waitsFor: reflex.sendId });
    expect(sends.heldBy(reflex.sendId).map(({ key }) => key)).toEqual(['reply:m1:0']);
    sends.requeue(held.sendId, {});
    expect(sends.heldBy(reflex.sendId)).toEqual([]);
    expect(sends.byId(held.sendId)).toMatchObject({ state: 'queued', waitsFor: null });
  });

  it('count an attempt when it starts, and keep the watermark of the last', () => {
    const { send, sends } = setUp();
    const { sendId } = send('a');
    sends.markSending(sendId, { rowid: 5, epoch: 1 }, NOW);
    sends.markAccepted(sendId, NOW + 1);
    sends.requeue(sendId, { notBeforeAt: NOW + 9 });
    sends.markSending(sendId, { rowid: 8, epoch: 2 }, NOW + 9);
    expect(sends.byId(sendId)).toMatchObject({ attempts: 2, watermarkRowid: 8, watermarkEpoch: 2, acceptedAt: null });
  });

  it('show the recent ones of a thread, oldest first', () => {
    const { send, sends } = setUp();
    send('old', { now: NOW - 1 });
    send('b', { now: NOW + 5 });
    send('a', { now: NOW });
    send('other', { threadId: 'x' });
    expect(sends.recentOf(THREAD, NOW).map(({ key }) => key)).toEqual(['a', 'b']);
  });
});

describe('inbound', () => {
  it('takes each guid once', () => {
    const { store } = setUp();
    insertPending(store, 'm1', THREAD, NOW);
    store.inbound.markDone('m1', NOW);
    insertPending(store, 'm1', 'another', NOW);
    expect(store.inbound.byGuid('m1')).toMatchObject({ threadId: THREAD, state: 'done' });
  });

  it('shows the open rows of a thread in order', () => {
    const { store } = setUp();
    for (const guid of ['m1', 'm2', 'm3', 'm4']) insertPending(store, guid, THREAD, NOW);
    store.inbound.markDone('m2', NOW);
    store.inbound.markDead('m3', 'EDGE_BACKEND_REJECTED', '422');
    expect(store.inbound.openOf(THREAD, 0, 9).map(({ guid }) => guid)).toEqual(['m1', 'm4']);
    expect(store.inbound.openThreads()).toEqual([THREAD]);
    expect(store.inbound.counts()).toEqual({ parked: 0, undecided: 0, pending: 2, backfill: 0, dead: 1 });
  });

  it('brings a dead letter back where it stood, and nothing else', () => {
    const { store } = setUp();
    insertPending(store, 'm1', THREAD, NOW);
    insertPending(store, 'm2', THREAD, NOW);
    store.inbound.markDead('m1', 'EDGE_BACKEND_REJECTED', '422');
    expect(store.inbound.revive('m1')).toBe(true);
    expect(store.inbound.revive('m2')).toBe(false);
    expect(store.inbound.openOf(THREAD, 0, 1)).toMatchObject([{ guid: 'm1', attempts: 0, nextAttemptAt: null }]);
  });

  it('forgets texts before it forgets guids', () => {
    const { store } = setUp();
    const day = 86_400_000;
    insertPending(store, 'm1', THREAD, NOW);
    insertPending(store, 'm2', THREAD, NOW);
    store.inbound.markDone('m1', NOW);
    store.prune(NOW + 8 * day);
    expect(store.inbound.byGuid('m1')?.body).toBeNull();
    expect(store.inbound.byGuid('m2')?.body).not.toBeNull();
    store.prune(NOW + 91 * day);
    expect(store.inbound.knows('m1')).toBe(false);
    expect(store.inbound.knows('m2')).toBe(true);
  });

  it('remembers where the newest rows of an epoch stood', () => {
    const { store } = setUp();
    for (const guid of ['m1', 'm2', 'm3']) insertPending(store, guid, THREAD, NOW);
    expect(store.inbound.newestOf(1, 2)).toEqual([
      { rowid: 1, guid: 'm3' },
      { rowid: 1, guid: 'm2' },
    ]);
    expect(store.inbound.newestOf(2, 2)).toEqual([]);
  });
});

describe('commands', () => {
  const insert = (commandId: string) => ({
    commandId,
    commandType: 'send_message_now',
    payload: { text: 'x' },
    channel: 'websocket' as const,
    issuedAt: undefined,
    now: NOW,
  });
  const ack = (command_id: string, status: 'received' | 'completed') => ({
    command_id,
    success: true,
    error: null,
    timestamp: '',
    status,
  });

  it('are known for ever by their id, and keep their first outcome', () => {
    const { store } = setUp();
    expect(store.commands.insert(insert('c1'))).toBe(true);
    expect(store.commands.insert(insert('c1'))).toBe(false);
    store.commands.finish('c1', 'completed', NOW);
    store.commands.finish('c1', 'failed', NOW);
    expect(store.commands.byId('c1')?.state).toBe('completed');
  });

  it('offer the latest ack again when they come again', () => {
    const { store } = setUp();
    store.commands.insert(insert('c1'));
    expect(store.commands.offerLastAckAgain('c1')).toBe(false);
    store.commands.addAck(ack('c1', 'received'), NOW);
    store.commands.addAck(ack('c1', 'completed'), NOW);
    for (const { ackId } of store.commands.acksWaiting(0, 9)) store.commands.markHandedOver(ackId, NOW);
    expect(store.commands.acksWaitingCount()).toBe(0);
    expect(store.commands.offerLastAckAgain('c1')).toBe(true);
    expect(store.commands.acksWaiting(0, 9).map(({ body }) => body.status)).toEqual(['completed']);
  });
});

describe('epochs, events and schedules', () => {
  it('keep the latest epoch', () => {
    const { store } = setUp();
    const epoch = { dev: '1', ino: '2', rowid: 7, guid: 'g', newestMessageAt: null };
    expect(store.epochs.start({ ...epoch, now: NOW })).toBe(1);
    expect(store.epochs.start({ ...epoch, ino: '3', now: NOW + 1 })).toBe(2);
    expect(store.epochs.latest()).toMatchObject({ epoch: 2, ino: '3' });
  });

  it('tell an event once and until it is acknowledged', () => {
    const { store } = setUp();
    const event = { event_id: 'e1', event_type: 'error' as const, details: { n: 1 } };
    expect(store.events.insert(event, NOW)).toBe(true);
    expect(store.events.insert(event, NOW)).toBe(false);
    expect(store.events.waiting(9)).toEqual([event]);
    store.events.ack('e1', NOW);
    expect(store.events.waiting(9)).toEqual([]);
  });

  it('fire or cancel a schedule, never both', () => {
    const { store } = setUp();
    store.schedules.insert({ scheduleId: 's1', threadId: THREAD, text: 'x', sendAt: NOW + 5, now: NOW });
    expect(store.schedules.nextAt()).toBe(NOW + 5);
    expect(store.schedules.due(NOW + 4, 9)).toEqual([]);
    expect(store.schedules.due(NOW + 5, 9)).toHaveLength(1);
    expect(store.schedules.finish('s1', 'cancelled', NOW)).toBe(true);
    expect(store.schedules.finish('s1', 'fired', NOW)).toBe(false);
  });
});
