import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { ChatRow } from '../../src/chatdb/types.ts';
import { keyOf } from '../../src/relay/admit.ts';
import { EdgeError } from '../../src/util/EdgeError.ts';
import { ChangeRig } from './changeRig.ts';
import { ANNA, BERT } from './fakes.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const started = () => new ChangeRig().start();

/** Three messages, minutes apart, each looked at. */
async function talked(): Promise<ChangeRig> {
  const rig = await started();
  for (let n = 1; n <= 3; n++) {
    rig.message(n);
    await rig.changed(5 * MINUTE);
  }
  return rig;
}

/** Another process writes to state.db until the returned function is called. */
function lock(rig: ChangeRig): () => void {
  const other = new Database(rig.path);
  other.exec('BEGIN IMMEDIATE');
  return () => other.close();
}

describe('an edit', () => {
  it('is told with its new text, of a message that was handed over', async () => {
    const rig = await started();
    rig.message(1);
    const editedAt = rig.edit('guid-1', 'better, code 1234');
    await rig.changed();
    expect(rig.events).toEqual([
      {
        event_id: `edited:guid-1:${editedAt}`,
        event_type: 'message_edited',
        thread_id: ANNA,
        details: expect.objectContaining({
          message_guid: 'guid-1',
          text: 'better, code [redacted]',
          was_redacted: true,
        }),
      },
    ]);
    expect(rig.onEvents).toBe(1);
    expect(rig.calls.filter(({ event }) => event === 'eventNoted')).toHaveLength(1);
  });

  it('is told once each, five times, also by an agent that restarts after each', async () => {
    const rig = await started();
    rig.message(1);
    const ids: string[] = [];
    for (let n = 1; n <= 5; n++) {
      ids.push(`edited:guid-1:${rig.edit('guid-1', `version ${n}`)}`);
      await rig.changed();
      await rig.crash();
      await rig.start();
      await rig.changed();
    }
    expect(rig.ids).toEqual(ids);
    expect(rig.onEvents).toBe(5);
  });

  it('is not told again after the backend acknowledged it', async () => {
    const rig = await started();
    rig.message(1);
    rig.edit('guid-1', 'better');
    await rig.changed();
    rig.store.events.ack(rig.ids[0]!, rig.clock.now());
    await rig.crash();
    await rig.start();
    expect(rig.ids).toEqual([]);
  });

  it('is told whole when Messages writes its date 2 s before its text', async () => {
    const rig = await started();
    rig.message(1);
    rig.source.change('guid-1', { editedAt: rig.clock.now() });
    await rig.changed(2_000);
    expect(rig.ids).toEqual([]);
    rig.edit('guid-1', 'better', { editedAt: rig.source.rows[0]!.editedAt! });
    await rig.changed(1_500);
    expect(rig.events.map(({ details }) => details.text)).toEqual(['better']);
  });

  it('is told whole when that happens at the second edit, also to an agent that restarted', async () => {
    const rig = await started();
    rig.message(1);
    rig.edit('guid-1', 'better');
    await rig.changed(1_000);
    await rig.crash();
    await rig.start();
    const editedAt = rig.clock.now();
    rig.source.change('guid-1', { editedAt });
    await rig.changed(2_000);
    expect(rig.ids).toHaveLength(1);
    rig.edit('guid-1', 'best', { editedAt });
    await rig.changed(1_500);
    expect(rig.events.map(({ details }) => details.text)).toEqual(['better', 'best']);
  });

  it('is told after 3 s though the row does not say what was edited', async () => {
    const rig = await started();
    rig.message(1);
    rig.source.change('guid-1', { editedAt: rig.clock.now(), text: 'better' });
    await rig.changed(2_900);
    expect(rig.ids).toEqual([]);
    await rig.clock.advance(1_000);
    expect(rig.ids).toHaveLength(1);
  });

  it('is not lost when the agent ends between noticing and telling it', async () => {
    const rig = await started();
    rig.message(1);
    rig.edit('guid-1', 'better');
    await rig.changed(100);
    expect(rig.ids).toEqual([]);
    await rig.crash();
    await rig.start();
    expect(rig.ids).toHaveLength(1);
  });

  it('is told of a bubble of ours, and of no other message from this account', async () => {
    const rig = await started();
    const { sends } = rig.store;
    const { sendId } = sends.insert({ key: 'cli:1', threadId: BERT, text: 'hi', bubbleType: 'normal', now: 0 });
    rig.write(1, { isFromMe: true });
    rig.write(2, { isFromMe: true });
    rig.passed(2);
    sends.markConfirmed(sendId, { guid: 'guid-1', rowid: 1 }, rig.clock.now());
    rig.edit('guid-1', 'hi!');
    rig.edit('guid-2', 'by hand');
    await rig.changed(2_000);
    expect(rig.events.map(({ thread_id, details }) => [thread_id, details.message_guid])).toEqual([[BERT, 'guid-1']]);
  });

  it('waits for the receipt of a bubble that may be the one', async () => {
    const rig = await started();
    const { sends } = rig.store;
    const { sendId } = sends.insert({ key: 'cli:1', threadId: BERT, text: 'hi', bubbleType: 'normal', now: 0 });
    sends.markSending(sendId, { rowid: 0, epoch: 1 }, rig.clock.now());
    rig.write(1, { isFromMe: true });
    rig.passed(1);
    rig.edit('guid-1', 'hi!');
    await rig.changed(2_000);
    expect(rig.ids).toEqual([]);
    sends.markConfirmed(sendId, { guid: 'guid-1', rowid: 1 }, rig.clock.now());
    await rig.clock.advance(2_000);
    expect(rig.ids).toHaveLength(1);
  });

  it('is told of a message that intake comes to later', async () => {
    const rig = await started();
    const early = rig.write(1);
    rig.edit('guid-1', 'better');
    await rig.changed(2_000);
    rig.take(early);
    await rig.clock.advance(2_000);
    expect(rig.store.events.waitingCount()).toBe(0);
    rig.store.inbound.markDone('guid-1', rig.clock.now());
    expect(rig.ids).toHaveLength(1);
  });

  it('of a message that iCloud has inserted again is told of the one the backend knows', async () => {
    const rig = await new ChangeRig().start();
    rig.message(1);
    rig.write(2);
    const place = { epoch: 1, chatRowid: 2, threadId: ANNA, body: undefined, backfill: false, now: rig.clock.now() };
    rig.store.inbound.insert({ ...place, guid: 'guid-2', fingerprint: 'one', skipped: 'duplicate' });
    rig.fingerprint('guid-1', 'one');
    rig.passed(2);
    const editedAt = rig.edit('guid-2', 'eight');
    await rig.changed();
    expect(rig.events).toMatchObject([
      { event_id: `edited:guid-1:${editedAt}`, details: { message_guid: 'guid-1', text: 'eight' } },
    ]);
  });

  it('is not told of messages that were filtered, skipped or never seen', async () => {
    const rig = await started();
    rig.message(1, { handle: BERT });
    rig.message(2);
    rig.write(3);
    rig.passed(3);
    rig.refused.set(BERT, 'thread_denied');
    rig.skip('guid-2', 'duplicate');
    for (const guid of ['guid-1', 'guid-2', 'guid-3']) rig.edit(guid, 'better');
    await rig.changed(5_000);
    expect(rig.store.events.waitingCount()).toBe(0);
    expect(rig.onEvents).toBe(0);
  });

  it('is told of a message that arrived hours late, with an old date and a new ROWID', async () => {
    const rig = await started();
    await rig.clock.advance(HOUR);
    rig.message(1, { dateAt: rig.clock.now() - 5 * HOUR });
    await rig.changed();
    await rig.clock.advance(10 * MINUTE);
    rig.edit('guid-1', 'better');
    await rig.changed();
    expect(rig.ids).toHaveLength(1);
  });
});

describe('an edit while the agent was down', () => {
  it('is told, as are all of a long downtime', async () => {
    const rig = await started();
    for (let n = 1; n <= 30; n++) rig.message(n);
    await rig.changed();
    await rig.crash(9 * HOUR);
    const ids = [1, 15, 30].map((n) => `edited:guid-${n}:${rig.edit(`guid-${n}`, 'better')}`);
    await rig.start();
    await rig.changed();
    expect(rig.ids).toEqual(ids);
  });

  it('is told though the agent ended a second time before it had looked, and took messages in meanwhile', async () => {
    const rig = await started();
    rig.message(1);
    await rig.changed();
    await rig.crash(9 * HOUR);
    rig.edit('guid-1', 'better');
    rig.watch.start();
    rig.message(2);
    await rig.crash(HOUR);
    await rig.start();
    expect(rig.ids).toHaveLength(1);
  });

  it('is told of a late arrival too', async () => {
    const rig = await started();
    rig.message(1, { dateAt: rig.clock.now() - 20 * HOUR });
    rig.message(2);
    await rig.crash(HOUR);
    rig.edit('guid-1', 'better');
    await rig.start();
    expect(rig.ids).toHaveLength(1);
  });

  it('is told of a message in a chat.db that was rebuilt with other ROWIDs', async () => {
    const rig = await started();
    rig.message(500);
    rig.message(501, { dateAt: rig.clock.now() - 5 * HOUR });
    rig.message(502);
    await rig.crash(HOUR);
    rig.store.epochs.start({ dev: '1', ino: '2', rowid: 3, guid: null, newestMessageAt: null, now: 0 });
    rig.epoch = 2;
    rig.source.rows = rig.source.rows.map((one, index) => ({ ...one, rowid: index + 1 }));
    rig.edit('guid-500', 'better');
    rig.edit('guid-501', 'better');
    await rig.start();
    expect(rig.ids).toHaveLength(2);
  });

  it('is told though Messages learns of it only minutes after the Mac woke', async () => {
    const rig = await talked();
    await rig.clock.advance(23 * HOUR);
    rig.watch.wake();
    await rig.changed(5 * MINUTE);
    rig.edit('guid-1', 'better');
    await rig.changed();
    expect(rig.ids).toHaveLength(1);
  });

  it('is told though Messages learns of it only minutes after the Mac was switched on', async () => {
    const rig = await talked();
    await rig.crash(23 * HOUR);
    await rig.start();
    await rig.changed(5 * MINUTE);
    rig.edit('guid-1', 'better');
    await rig.changed();
    expect(rig.ids).toHaveLength(1);
  });

  it('is told when chat.db could not be opened for hours', async () => {
    const rig = await started();
    rig.message(1);
    await rig.changed();
    rig.db = undefined;
    await rig.clock.advance(3 * HOUR);
    rig.edit('guid-1', 'better');
    rig.db = rig.source;
    await rig.changed();
    expect(rig.ids).toHaveLength(1);
  });

  it('does not make later looks longer', async () => {
    const rig = await started();
    rig.message(1);
    await rig.crash(9 * HOUR);
    const startedAt = rig.clock.now();
    await rig.start();
    await rig.clock.advance(10 * MINUTE);
    await rig.changed();
    rig.source.windows = [];
    await rig.changed();
    expect(rig.source.windows.map(({ sinceAt }) => sinceAt)).toEqual([startedAt - 20 * MINUTE]);
    expect(rig.store.meta.get('changes_since')).toBe('');
  });
});

describe('an unsend', () => {
  it('is told once, live and after a downtime', async () => {
    const rig = await started();
    rig.message(1);
    rig.message(2);
    rig.unsend('guid-1');
    await rig.changed();
    await rig.crash(HOUR);
    rig.unsend('guid-2');
    await rig.start();
    expect(rig.ids).toEqual(['unsent:guid-1:0', 'unsent:guid-2:0']);
    expect(rig.events[0]).toMatchObject({
      event_type: 'message_unsent',
      details: { parts: [0], whole: true, handed_over: true },
    });
  });

  it('of a message that is still on its way is told when that is through', async () => {
    const rig = await started();
    rig.take(rig.write(1));
    rig.unsend('guid-1');
    await rig.changed();
    expect(rig.ids).toEqual([]);
    expect(rig.store.inbound.byGuid('guid-1')?.state).toBe('pending');
    rig.store.inbound.markDone('guid-1', rig.clock.now());
    expect(rig.ids).toEqual(['unsent:guid-1:0']);
  });
});

describe('a text that comes late', () => {
  it('is told as a late edit, and not taken for one when it was edited', async () => {
    const rig = await started();
    rig.message(1, { text: 'Hel' });
    rig.message(2);
    rig.source.change('guid-1', { text: 'Hello' });
    await rig.clock.advance(1_200);
    expect(rig.events).toEqual([
      {
        event_id: expect.stringMatching(/^late:guid-1:[0-9a-f]{32}$/),
        event_type: 'message_edited',
        thread_id: ANNA,
        details: expect.objectContaining({ message_guid: 'guid-1', text: 'Hello', late: true, history: [] }),
      },
    ]);
    rig.edit('guid-2', 'better');
    await rig.changed(3_000);
    expect(rig.ids[1]).toMatch(/^edited:guid-2:/);
    expect(rig.ids).toHaveLength(2);
  });

  it('is what a copy of the message is known by from then on', async () => {
    const rig = await new ChangeRig().start();
    const taken = rig.message(1, { text: 'At ei' });
    rig.fingerprint('guid-1', keyOf(taken)!);
    rig.source.change('guid-1', { text: 'At eight' });
    await rig.changed(2_000);
    expect(rig.store.inbound.firstWith(keyOf({ ...taken, text: 'At eight' })!, 'guid-2')).toBeDefined();
  });

  it('is told again when it changes again within 3 s, but not twice', async () => {
    const rig = await started();
    rig.message(1, { text: 'H' });
    rig.message(2, { text: 'H' });
    rig.source.change('guid-1', { text: 'He' });
    rig.source.change('guid-2', { text: 'He' });
    await rig.clock.advance(1_200);
    rig.source.change('guid-1', { text: 'Hello' });
    await rig.clock.advance(10_000);
    expect(rig.events.map(({ details }) => [details.message_guid, details.text])).toEqual([
      ['guid-1', 'He'],
      ['guid-2', 'He'],
      ['guid-1', 'Hello'],
    ]);
  });

  it('is told though the agent ended in between', async () => {
    const rig = await started();
    rig.message(1, { text: 'Hel' });
    await rig.crash();
    rig.source.change('guid-1', { text: 'Hello' });
    rig.watch.start();
    await rig.clock.advance(1_500);
    expect(rig.events[0]?.details).toMatchObject({ text: 'Hello', late: true });
  });

  it('tells nothing when another column changed, or the thread is refused', async () => {
    const rig = await started();
    rig.message(1);
    rig.message(2, { handle: BERT, text: 'x' });
    rig.refused.set(BERT, 'thread_denied');
    rig.source.change('guid-1', { bodyBytes: 200 });
    rig.source.change('guid-2', { text: 'y' });
    await rig.clock.advance(5_000);
    expect(rig.store.events.waitingCount()).toBe(0);
  });

  it('reads no more than the last 500 messages of a block again', async () => {
    const rig = await started();
    for (let n = 1; n <= 700; n++) rig.watch.admitted(rig.write(n));
    rig.source.read = 0;
    await rig.clock.advance(MINUTE);
    expect(rig.source.read).toBe(1_000);
    expect(rig.clock.pending).toBe(0);
  });
});

describe('the cost of the watch', () => {
  it('is nothing while chat.db does not change', async () => {
    const rig = await started();
    rig.message(1);
    rig.edit('guid-1', 'better');
    await rig.changed(10_000);
    rig.source.looks = 0;
    await rig.clock.advance(HOUR);
    expect(rig.source.looks).toBe(0);
    expect(rig.clock.pending).toBe(0);
  });

  it('is one look in 250 ms, however often chat.db changes', async () => {
    const rig = await started();
    rig.source.looks = 0;
    for (let n = 0; n < 100; n++) await rig.changed(10);
    expect(rig.source.looks).toBe(5); // the first at once
  });

  it('is no reading of edits that are told, nor of those that are of no interest', async () => {
    const rig = await started();
    for (let n = 1; n <= 20; n++) {
      rig.message(n);
      rig.edit(`guid-${n}`, 'better');
    }
    for (let n = 21; n <= 40; n++) {
      rig.write(n);
      rig.edit(`guid-${n}`, 'better');
    }
    rig.passed(40);
    await rig.changed(5_000);
    expect(rig.ids).toHaveLength(20);
    rig.source.read = 0;
    await rig.changed(5_000);
    expect(rig.source.read).toBe(0);
  });

  it('is a page of 2,000 rows a look, and every edit among 50,000 is told within 60 s while chat.db keeps changing', async () => {
    const rig = await started();
    const dateAt = rig.clock.now();
    const rows: ChatRow[] = [];
    rig.message(1);
    for (let n = 2; n <= 50_000; n++) rows.push({ ...rig.source.rows[0]!, rowid: n, guid: `guid-${n}`, dateAt });
    rig.source.rows.push(...rows);
    rig.passed(50_000);
    await rig.changed(1_000);
    rig.message(50_001);
    rig.edit('guid-1', 'behind the walk that is under way');
    rig.edit('guid-50001', 'before it');
    rig.source.looks = 0;
    rig.source.examined = 0;
    for (let n = 0; n < 60; n++) await rig.changed(500);
    expect(rig.ids).toHaveLength(2);
    expect(rig.source.examined / rig.source.looks).toBeLessThanOrEqual(2_000);
    expect(rig.source.looks).toBeLessThanOrEqual(120);
  });
});

describe('when something fails', () => {
  it('looks again after chat.db could not be read, and tells all', async () => {
    const rig = await started();
    rig.message(1);
    rig.edit('guid-1', 'better');
    rig.source.broken = new EdgeError('EDGE_CHATDB_BUSY', 'locked');
    await rig.changed(3_000);
    rig.source.broken = undefined;
    await rig.clock.advance(2_000);
    expect(rig.ids).toHaveLength(1);
    expect(rig.calls.filter(({ event }) => event === 'failure').length).toBeGreaterThan(1);
  });

  it('waits for a state.db that another process holds when the first walk comes to stand for all before it', async () => {
    const rig = await started();
    await rig.clock.advance(10 * MINUTE);
    const unlock = lock(rig);
    await rig.changed(3_000);
    expect(rig.calls).toContainEqual({ event: 'failure', args: ['EDGE_STATE_BUSY', expect.anything()] });
    unlock();
    await rig.clock.advance(2_000);
    expect([rig.store.meta.get('changes_since'), rig.clock.pending]).toEqual(['', 0]);
  });

  it('waits for a state.db that another process holds when chat.db becomes another, and tells all', async () => {
    const rig = await started();
    rig.message(1);
    rig.edit('guid-1', 'better');
    rig.epoch = 2;
    const unlock = lock(rig);
    await rig.changed(3_000);
    unlock();
    await rig.clock.advance(2_000);
    expect(rig.ids).toHaveLength(1);
  });

  it('does not start before it has noted how far back to look', () => {
    const rig = new ChangeRig();
    const unlock = lock(rig);
    expect(() => rig.watch.start()).toThrow(expect.objectContaining({ code: 'EDGE_STATE_BUSY' }));
    unlock();
  });

  it('takes a chat.db without the columns for one without edits', async () => {
    const rig = await started();
    rig.source.revisions = () => ({ found: [], examinedTo: undefined });
    rig.message(1);
    rig.edit('guid-1', 'better');
    await rig.changed(5_000);
    expect(rig.ids).toEqual([]);
    expect(rig.clock.pending).toBe(0);
  });

  it('does nothing after it was stopped', async () => {
    const rig = await started();
    rig.watch.stop();
    await rig.changed();
    expect(rig.clock.pending).toBe(0);
  });
});
