import { describe, expect, it } from 'vitest';
import type { ChatRow } from '../../src/chatdb/types.ts';
import { toRequest } from '../../src/relay/toRequest.ts';
import { ChangeRig, summary } from './changeRig.ts';
import { ANNA, BERT, chat, type FakeSource, row } from './fakes.ts';
import { setUp } from './intakeRig.ts';

const GROUP = chat('chat831', true);
const LOVED = { type: 2000, targetGuid: 'guid-1', part: 0, emoji: undefined };

/** A watch, and a message of a group that was parked without its chat, for its sender's thread. */
async function parked() {
  const rig = await new ChangeRig().start();
  const { guid, rowid } = rig.write(1, { chat: undefined, text: 'at seven' });
  const place = { guid, epoch: 1, chatRowid: rowid, threadId: ANNA, backfill: false };
  rig.store.inbound.insert({ ...place, body: undefined, now: rig.clock.now() });
  rig.passed(rowid);
  return rig;
}

/** What intake does once the chat is there. */
function admit(rig: ChangeRig): void {
  const now = rig.clock.now();
  const found = rig.source.rows[0]!;
  const body = toRequest(found, GROUP.identifier, { privacy: rig.privacy, backfill: false, now });
  rig.store.inbound.complete(found.guid, { threadId: GROUP.identifier, body, backfill: false });
}

describe('an edit of a message that is parked', () => {
  it('is told once, behind the message and in the thread it turned out to be of', async () => {
    const rig = await parked();
    rig.edit('guid-1', 'at eight');
    await rig.changed(5_000);
    expect(rig.store.events.heldCount()).toBe(0);
    rig.source.change('guid-1', { chat: GROUP });
    admit(rig);
    await rig.changed(2_000);
    expect([rig.ids, rig.store.events.heldCount()]).toEqual([[], 1]);
    rig.store.inbound.markDone('guid-1', rig.clock.now());
    await rig.changed(5_000);
    expect(rig.events).toMatchObject([{ thread_id: 'chat831', details: { text: 'at eight' } }]);
    expect(rig.clock.pending).toBe(0);
  });

  it('is told though the agent ended meanwhile', async () => {
    const rig = await parked();
    rig.edit('guid-1', 'at eight');
    rig.source.change('guid-1', { chat: GROUP });
    await rig.changed(2_000);
    await rig.crash();
    rig.watch.start();
    admit(rig);
    rig.store.inbound.markDone('guid-1', rig.clock.now());
    await rig.clock.advance(2_000);
    expect(rig.events.map(({ thread_id }) => thread_id)).toEqual(['chat831']);
  });

  it('is not told where the message turns out to be filtered, nor anything of it', async () => {
    const rig = await parked();
    rig.refused.set(GROUP.identifier, 'thread_denied');
    rig.edit('guid-1', 'at eight');
    rig.source.change('guid-1', { chat: GROUP });
    await rig.changed(2_000);
    rig.store.inbound.skip('guid-1', 'filtered', rig.clock.now());
    await rig.changed(5_000);
    expect([rig.ids, rig.store.events.heldCount(), rig.clock.pending]).toEqual([[], 0, 0]);
  });

  it('is not told of a dead letter that was never whole', async () => {
    const rig = await parked();
    rig.store.inbound.markDead('guid-1', 'EDGE_ROW_INCOMPLETE', 'gone');
    rig.edit('guid-1', 'at eight');
    await rig.changed(5_000);
    expect([rig.ids, rig.store.events.heldCount(), rig.clock.pending]).toEqual([[], 0, 0]);
  });
});

it('neither an edit nor a late text is told of a message whose chat came after it was handed over, and is denied', async () => {
  const rig = await new ChangeRig().start();
  rig.refused.set(GROUP.identifier, 'thread_denied');
  for (const rowid of [1, 2]) rig.message(rowid, { chat: undefined, text: 'at se' });
  rig.source.change('guid-1', { chat: GROUP });
  rig.source.change('guid-2', { chat: GROUP, text: 'at seven' });
  rig.edit('guid-1', 'at eight');
  await rig.changed(5_000);
  expect(rig.ids).toEqual([]);
});

describe('of a message that is parked without its chat', () => {
  const bare = (change: Partial<ChatRow> = {}) => row(1, { chat: undefined, ...change });
  const inGroup = { chat: GROUP };

  it('the unsending is told once, in the thread it turned out to be of, and the message not handed over', async () => {
    const { put, source, clock, store, fate } = setUp();
    put(bare());
    await clock.advance(300);
    const gone = { editedAt: clock.now(), text: '', isEmpty: true, summary: summary({ unsentParts: [0] }) };
    source.replace(1, gone);
    await clock.advance(1_000);
    expect(fate('guid-1')).toBe('parked');
    source.replace(1, inGroup);
    await clock.advance(1_000);
    expect(fate('guid-1')).toBe('unsent');
    const told = store.events.waiting(9).filter(({ event_type }) => event_type === 'message_unsent');
    expect(told).toMatchObject([{ thread_id: 'chat831', details: { handed_over: false } }]);
  });

  it.each([
    ['is told when the message is through', [], ['reaction_added']],
    ['is never told when the message turns out to be filtered', [ANNA], ['message_filtered']],
  ])('a reaction %s', async (_, denyThreads, told) => {
    const { put, source, clock, store } = setUp({ denyThreads });
    const types = () =>
      store.events.waiting(9).flatMap(({ event_type: type }) => (type === 'group_changed' ? [] : type));
    put(bare(), row(2, { handle: BERT, ...inGroup, association: LOVED }));
    await clock.advance(2_000);
    expect(types()).toEqual([]);
    expect(store.events.heldCount()).toBe(1);
    source.replace(1, inGroup);
    await clock.advance(1_000);
    store.inbound.markDone('guid-1', clock.now());
    expect([types(), store.events.heldCount()]).toEqual([told, 0]);
  });

  it.each([
    ['dead', (source: FakeSource) => source.remove(1)],
    ['own', (source: FakeSource) => source.replace(1, { isFromMe: true, ...inGroup })],
  ])('a reaction is told as soon as the message is %s, without waiting for a safety sync', async (end, bring) => {
    const { put, source, clock, store, fate, eventTellings } = setUp();
    put(bare({ handle: undefined }), row(2, { handle: BERT, ...inGroup, association: LOVED }));
    await clock.advance(2_000);
    const before = eventTellings();
    expect([fate('guid-1'), store.events.heldCount()]).toEqual(['parked', 1]);
    bring(source);
    await clock.advance(15_000);
    expect([fate('guid-1'), store.events.heldCount(), eventTellings()]).toEqual([end, 0, before + 1]);
  });
});
