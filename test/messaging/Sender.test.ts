import { describe, expect, it } from 'vitest';
import type { ScriptResult } from '../../src/messaging/ScriptRunner.ts';
import { EdgeError } from '../../src/util/EdgeError.ts';
import { settle } from '../support/FakeClock.ts';
import { chat, EXIT_0, scriptError, TIMED_OUT, unreadable } from './FakeMac.ts';
import { ANNA, BEN, SETTLE_MS, senderRig } from './senderRig.ts';

/** A script that ends when the test says so. */
function hold() {
  let end: (result: ScriptResult) => void = () => {};
  const promise = new Promise<ScriptResult>((resolve) => {
    end = resolve;
  });
  return { promise, end };
}

describe('Sender', () => {
  it('confirms a send by the row that Messages writes', async () => {
    const rig = senderRig();
    const send = rig.command('c1', ANNA, 'hello');
    await rig.wake();
    expect(rig.row(send)).toMatchObject({ state: 'confirmed', receiptGuid: 'GUID-101', attempts: 1 });
    expect(rig.mac.calls).toEqual([{ form: 'participant', target: ANNA, service: 'iMessage', text: 'hello' }]);
    expect(rig.acks()).toMatchObject([{ command_id: 'c1', status: 'completed', result: { message_guid: 'GUID-101' } }]);
    expect(rig.events()).toEqual([`sent:${send.key}`]);
    expect(rig.settled).toBe(1);
  });

  it('names the schedule that fired a bubble in its events', async () => {
    const rig = senderRig();
    rig.queue(ANNA, 'at nine', { key: 'schedule:s1:5', scheduleId: 's1' });
    await rig.wake();
    expect(rig.store.events.waiting(9)).toMatchObject([
      { event_id: 'sent:schedule:s1:5', details: { schedule_id: 's1', key: 'schedule:s1:5' } },
    ]);
  });

  it('writes the watermark down before osascript starts', async () => {
    const rig = senderRig();
    const send = rig.queue(ANNA, 'hello');
    let seen: unknown;
    rig.mac.onRun = () => {
      seen = rig.row(send);
      return EXIT_0;
    };
    await rig.wake();
    expect(seen).toMatchObject({ state: 'sending', watermarkRowid: 100, watermarkEpoch: 1 });
  });

  it('waits for a receipt that comes after the exit, and finds it by the event or soon without one', async () => {
    const rig = senderRig();
    rig.mac.onRun = () => EXIT_0;
    const first = rig.queue(ANNA, 'one');
    const second = rig.queue(BEN, 'two');
    await rig.wake();
    expect([rig.state(first), rig.state(second)]).toEqual(['accepted', 'accepted']);
    rig.mac.write({ target: ANNA, text: 'one' });
    await rig.changed();
    expect(rig.state(first)).toBe('confirmed');
    rig.mac.write({ target: BEN, text: 'two' });
    await rig.clock.advance(1000);
    expect(rig.state(second)).toBe('confirmed');
  });

  it('takes a receipt that is there before osascript has ended', async () => {
    const rig = senderRig();
    const script = hold();
    rig.mac.onRun = () => script.promise;
    const send = rig.queue(ANNA, 'hello');
    const next = rig.queue(ANNA, 'again');
    await rig.wake();
    rig.mac.write({ target: ANNA, text: 'hello' });
    await rig.changed();
    expect(rig.state(send)).toBe('confirmed');
    expect(rig.state(next)).toBe('queued'); // the one osascript slot is taken
    script.end(TIMED_OUT);
    await settle();
    expect(rig.state(send)).toBe('confirmed');
    expect(rig.texts()).toEqual(['hello', 'again']);
  });

  it('does not take a row of another thread, of another text, from before, or from iCloud', async () => {
    const rig = senderRig();
    rig.mac.write({ target: ANNA, text: 'hello' });
    rig.mac.onRun = () => EXIT_0;
    const send = rig.queue(ANNA, 'hello');
    await rig.wake();
    rig.mac.write({ target: BEN, text: 'hello' });
    rig.mac.write({ target: ANNA, text: 'hello there' });
    rig.mac.write({ target: ANNA, text: 'hello' }, { dateAt: rig.clock.now() - 82 * 60_000 });
    await rig.changed();
    expect(rig.state(send)).toBe('accepted');
  });

  it('lets each of two equal bubbles claim a row of its own', async () => {
    const rig = senderRig();
    const sends = [rig.queue(ANNA, 'lol'), rig.queue(ANNA, 'lol')];
    await rig.wake();
    expect(sends.map((send) => rig.row(send).receiptGuid)).toEqual(['GUID-101', 'GUID-102']);
  });

  it('keeps the order of a thread while others go on', async () => {
    const rig = senderRig();
    rig.mac.onRun = (call) => {
      if (call.target !== ANNA) rig.mac.write(call);
      return EXIT_0;
    };
    rig.queue(ANNA, 'a1');
    rig.queue(ANNA, 'a2');
    rig.queue(BEN, 'b1');
    rig.queue(BEN, 'b2');
    await rig.wake();
    expect(rig.texts()).toEqual(['a1', 'b1', 'b2']);
    rig.mac.write({ target: ANNA, text: 'a1' });
    await rig.changed();
    expect(rig.texts()).toEqual(['a1', 'b1', 'b2', 'a2']);
  });

  it('lets an immediate bubble take its whole thread ahead, but none of its own thread behind', async () => {
    const rig = senderRig();
    const script = hold();
    rig.mac.onRun = () => script.promise;
    rig.queue('+15550100003', 'busy');
    await rig.wake();
    rig.mac.onRun = (call) => {
      rig.mac.write(call);
      return EXIT_0;
    };
    rig.queue(ANNA, 'a1');
    rig.queue(BEN, 'b1');
    rig.queue(BEN, 'urgent', { immediate: true });
    await rig.wake();
    rig.mac.write({ target: '+15550100003', text: 'busy' });
    script.end(EXIT_0);
    await settle();
    expect(rig.texts()).toEqual(['busy', 'b1', 'urgent', 'a1']);
  });

  it('gives threads turns, so that a long queue of one does not hold up another', async () => {
    const rig = senderRig();
    for (let i = 1; i <= 3; i++) rig.queue(ANNA, `a${i}`);
    rig.queue(BEN, 'b1');
    await rig.wake();
    expect(rig.texts()).toEqual(['a1', 'b1', 'a2', 'a3']);
  });

  it('sends a burst when its time has come, and not later because the clock was set back', async () => {
    const rig = senderRig();
    const later = rig.queue(ANNA, 'later', { notBeforeAt: rig.clock.now() + 2000 });
    await rig.wake();
    await rig.clock.advance(1999);
    expect(rig.state(later)).toBe('queued');
    await rig.clock.advance(1);
    expect(rig.state(later)).toBe('confirmed');
    const stalled = rig.queue(ANNA, 'stalled', { notBeforeAt: rig.clock.now() + 2000 });
    rig.clock.jumpWall(-86_400_000);
    await rig.wake();
    expect(rig.state(stalled)).toBe('confirmed');
  });

  it('waits while chat.db cannot be opened or read', async () => {
    const rig = senderRig();
    rig.db = undefined;
    const send = rig.queue(ANNA, 'hello');
    await rig.wake();
    expect(rig.texts()).toEqual([]);
    rig.db = rig.mac;
    rig.mac.broken = unreadable;
    await rig.clock.advance(3000);
    expect(rig.texts()).toEqual([]);
    rig.mac.broken = undefined;
    await rig.clock.advance(1000);
    expect(rig.state(send)).toBe('confirmed');
  });

  it('removes NUL and says so, and refuses a text that is empty or too long', async () => {
    const rig = senderRig();
    const nul = rig.queue(ANNA, 'a\0b');
    const empty = rig.queue(ANNA, '\0');
    const long = rig.queue(ANNA, 'x'.repeat(120_001));
    await rig.wake();
    expect(rig.texts()).toEqual(['ab']);
    expect(rig.state(nul)).toBe('confirmed');
    expect(rig.told('failure')).toMatchObject([['EDGE_SEND_TEXT', expect.stringContaining('NUL')]]);
    expect([rig.row(empty).errorCode, rig.row(long).errorCode]).toEqual(['EDGE_SEND_TEXT', 'EDGE_SEND_TEXT']);
    expect(rig.events()).toContain(`failed:${long.key}`);
  });

  it.each([
    ['5550100001', '+15550100001'],
    ['Someone@Example.com', 'someone@example.com'],
  ])('knows the receipt of a bubble to %s in the chat that Messages calls %s', async (threadId, identifier) => {
    const rig = senderRig();
    rig.mac.onRun = (call) => {
      rig.mac.write(call, { chat: chat(identifier), handle: identifier });
      return EXIT_0;
    };
    const send = rig.queue(threadId, 'hello');
    await rig.wake();
    expect(rig.state(send)).toBe('confirmed');
    await rig.clock.advance(2 * SETTLE_MS);
    expect(rig.texts()).toEqual(['hello']);
  });

  it('fails a thread that is neither a chat nor a handle', async () => {
    const rig = senderRig();
    const send = rig.command('c1', 'nobody', 'hello');
    await rig.wake();
    expect(rig.row(send)).toMatchObject({ state: 'failed', errorCode: 'EDGE_SEND_NO_SUCH_CHAT' });
    expect(rig.acks()).toMatchObject([{ status: 'failed', success: false }]);
  });
});

describe('Sender, when osascript fails', () => {
  it('goes on to the chat id when Messages does not know the person (-1728), and fails when it knows neither', async () => {
    const rig = senderRig();
    rig.mac.chats.set(ANNA, chat(ANNA, { guid: `any;-;${ANNA}`, service: 'SMS' }));
    rig.mac.onRun = () => scriptError(-1728);
    const send = rig.queue(ANNA, 'hello');
    await rig.wake();
    expect(rig.mac.calls).toMatchObject([
      { form: 'participant', target: ANNA, service: 'SMS' },
      { form: 'chat', target: `any;-;${ANNA}`, service: '' },
    ]);
    expect(rig.row(send)).toMatchObject({ state: 'failed', errorCode: 'EDGE_SEND_NO_SUCH_CHAT' });
    expect(rig.row(send).errorDetail).not.toContain('+1555');
  });

  it('stops all sending when macOS does not permit it (-1743), fails nothing, and probes once a minute', async () => {
    const rig = senderRig();
    rig.mac.onRun = () => scriptError(-1743);
    const sends = [rig.queue(ANNA, 'a'), rig.queue(BEN, 'b')];
    await rig.wake();
    expect(rig.texts()).toHaveLength(1);
    await rig.clock.advance(59_000);
    expect(rig.texts()).toHaveLength(1);
    await rig.clock.advance(1000);
    expect(rig.texts()).toHaveLength(2);
    expect(rig.told('conditionRaised')).toHaveLength(1);
    rig.mac.onRun = (call) => {
      rig.mac.write(call);
      return EXIT_0;
    };
    await rig.clock.advance(60_000);
    expect(sends.map((send) => rig.state(send))).toEqual(['confirmed', 'confirmed']);
    expect(rig.told('conditionCleared')).toEqual([['EDGE_SEND_NOT_PERMITTED']]);
  });

  it('backs off while Messages is not running (-600), which costs the bubble no attempt', async () => {
    const rig = senderRig();
    rig.mac.onRun = () => scriptError(-600);
    const send = rig.queue(ANNA, 'hello');
    await rig.wake();
    await rig.clock.advance(7000);
    expect(rig.texts()).toHaveLength(4); // at 0, 1, 3 and 7 s
    expect(rig.launches).toBe(1);
    expect(rig.row(send)).toMatchObject({ state: 'queued', attempts: 0, errorCode: 'EDGE_SEND_MESSAGES_DOWN' });
  });

  it.each([
    ['a time-out', TIMED_OUT],
    ['-1712', scriptError(-1712)],
    ['any other number', scriptError(-4711)],
  ])('looks for the receipt through the settle time after %s', async (_name, result) => {
    const rig = senderRig();
    rig.mac.onRun = () => result;
    const send = rig.queue(ANNA, 'hello');
    await rig.wake();
    expect(rig.state(send)).toBe('sending');
    await rig.clock.advance(SETTLE_MS - 1000);
    expect(rig.texts()).toHaveLength(1);
    rig.mac.write({ target: ANNA, text: 'hello' });
    await rig.changed();
    expect(rig.state(send)).toBe('confirmed');
    expect(rig.texts()).toHaveLength(1);
  });

  it('makes one more attempt without a receipt, then calls the outcome unknown', async () => {
    const rig = senderRig();
    rig.mac.onRun = () => EXIT_0;
    const send = rig.command('c1', ANNA, 'hello');
    const next = rig.queue(ANNA, 'next');
    await rig.wake();
    await rig.clock.advance(SETTLE_MS);
    expect(rig.texts()).toEqual(['hello', 'hello']);
    expect(rig.state(next)).toBe('queued');
    await rig.clock.advance(SETTLE_MS);
    expect(rig.state(send)).toBe('unknown');
    expect(rig.acks()).toMatchObject([{ status: 'failed', error: expect.stringContaining('unknown outcome') }]);
    expect(rig.events()).toEqual([`failed:${send.key}`]);
    expect(rig.texts().at(-1)).toBe('next');
  });

  it('takes the receipt of the first attempt that shows itself before the second starts', async () => {
    const rig = senderRig();
    rig.mac.onRun = () => EXIT_0;
    const send = rig.queue(ANNA, 'hello');
    await rig.wake();
    const script = hold();
    rig.mac.onRun = () => script.promise;
    rig.queue(BEN, 'busy');
    await rig.wake();
    await rig.clock.advance(SETTLE_MS);
    expect(rig.state(send)).toBe('queued');
    rig.mac.write({ target: ANNA, text: 'hello' });
    script.end(EXIT_0);
    await settle();
    expect(rig.state(send)).toBe('confirmed');
    expect(rig.texts()).toEqual(['hello', 'busy']);
  });

  it('does not count time in which chat.db cannot be read as settle time', async () => {
    const rig = senderRig();
    rig.mac.onRun = () => EXIT_0;
    const send = rig.queue(ANNA, 'hello');
    await rig.wake();
    rig.mac.broken = unreadable;
    await rig.clock.advance(10 * SETTLE_MS);
    rig.mac.broken = undefined;
    expect(rig.state(send)).toBe('accepted');
    rig.mac.write({ target: ANNA, text: 'hello' });
    await rig.clock.advance(SETTLE_MS);
    expect(rig.state(send)).toBe('confirmed');
    expect(rig.texts()).toHaveLength(1);
  });

  it('takes a row that never got its chat for the receipt at the end, rather than send twice', async () => {
    const rig = senderRig();
    rig.mac.onRun = (call) => {
      rig.mac.write(call, { chat: undefined });
      return EXIT_0;
    };
    const send = rig.queue(ANNA, 'hello');
    await rig.wake();
    expect(rig.state(send)).toBe('accepted');
    await rig.clock.advance(SETTLE_MS);
    expect(rig.state(send)).toBe('confirmed');
    expect(rig.texts()).toHaveLength(1);
  });
});

describe('Sender, after a crash', () => {
  it('finds the row that is there and sends nothing again', async () => {
    const rig = senderRig();
    rig.mac.onRun = () => new Promise(() => {});
    const send = rig.queue(ANNA, 'hello');
    await rig.wake();
    rig.mac.write({ target: ANNA, text: 'hello' });
    rig.crash();
    await settle();
    expect(rig.state(send)).toBe('confirmed');
    expect(rig.texts()).toHaveLength(1);
  });

  it('waits a settle time for the row while other threads go on, then makes one more attempt', async () => {
    const rig = senderRig();
    rig.mac.onRun = () => new Promise(() => {});
    const send = rig.queue(ANNA, 'hello');
    rig.queue(ANNA, 'behind');
    await rig.wake();
    rig.mac.onRun = (call) => {
      rig.mac.write(call);
      return EXIT_0;
    };
    rig.queue(BEN, 'other');
    rig.crash();
    await settle();
    expect(rig.texts()).toEqual(['hello', 'other']);
    await rig.clock.advance(SETTLE_MS - 1);
    expect(rig.texts()).toEqual(['hello', 'other']);
    await rig.clock.advance(1);
    expect(rig.texts()).toEqual(['hello', 'other', 'hello', 'behind']);
    expect(rig.row(send)).toMatchObject({ state: 'confirmed', attempts: 2 });
  });

  it('finds the receipt by date when chat.db was replaced meanwhile', async () => {
    const rig = senderRig();
    rig.mac.onRun = () => new Promise(() => {});
    const send = rig.queue(ANNA, 'hello');
    await rig.wake();
    rig.mac.write({ target: ANNA, text: 'hello' }, { rowid: 7, dateAt: rig.clock.now() - 60_000, guid: 'OLD' });
    rig.mac.write({ target: ANNA, text: 'hello' }, { rowid: 8 });
    rig.epoch = 2;
    rig.crash();
    await settle();
    expect(rig.row(send)).toMatchObject({ state: 'confirmed', receiptRowid: 8 });
  });

  it('is not repeated when another chat.db, which may be older, does not have it', async () => {
    const rig = senderRig();
    rig.mac.onRun = () => new Promise(() => {});
    const send = rig.queue(ANNA, 'hello');
    await rig.wake();
    rig.epoch = 2;
    rig.crash();
    await rig.clock.advance(SETTLE_MS);
    expect(rig.row(send)).toMatchObject({ state: 'unknown', attempts: 1 });
    expect(rig.texts()).toEqual(['hello']);
  });
});

describe('Sender, with a receipt that another send has claimed', () => {
  it('does not take it again, even where dates are all there is to go by', async () => {
    const rig = senderRig();
    const first = rig.queue(ANNA, 'lol');
    await rig.wake();
    rig.mac.onRun = () => new Promise(() => {});
    const second = rig.queue(ANNA, 'lol');
    await rig.wake();
    rig.epoch = 2;
    rig.crash();
    await settle();
    expect([rig.state(first), rig.state(second)]).toEqual(['confirmed', 'sending']);
  });
});

describe('Sender, the rows it holds back', () => {
  it('drops the answer’s copy when the reflex is confirmed', async () => {
    const rig = senderRig();
    const reflex = rig.command('r1', ANNA, 'hey', { bubbleType: 'reflex' });
    const held = rig.queue(ANNA, 'hey', { state: 'held', waitsFor: reflex.sendId, reflexCommandId: 'r1' });
    const next = rig.queue(ANNA, 'and more');
    await rig.wake();
    expect([reflex, held, next].map((send) => rig.state(send))).toEqual(['confirmed', 'superseded', 'confirmed']);
    expect(rig.texts()).toEqual(['hey', 'and more']);
    expect(rig.told('reflexMatched')).toEqual([[{ commandId: 'r1', threadId: ANNA, kept: 'reflex' }]]);
  });

  it('sends the answer’s copy when the reflex fails', async () => {
    const rig = senderRig();
    rig.mac.onRun = (call) => {
      rig.mac.write(call, { error: rig.texts().length === 1 ? 22 : 0 });
      return EXIT_0;
    };
    const reflex = rig.command('r1', ANNA, 'hey', { bubbleType: 'reflex' });
    const held = rig.queue(ANNA, 'hey', { state: 'held', waitsFor: reflex.sendId });
    await rig.wake();
    expect(rig.row(reflex)).toMatchObject({ state: 'failed', errorCode: 'EDGE_SEND_REFUSED', receiptGuid: 'GUID-101' });
    expect(rig.row(held)).toMatchObject({ state: 'confirmed', receiptGuid: 'GUID-102' });
  });

  it('does not send the copy of a reflex that may have gone out twice', async () => {
    const rig = senderRig();
    rig.mac.onRun = () => EXIT_0;
    const reflex = rig.command('r1', ANNA, 'hey', { bubbleType: 'reflex' });
    const held = rig.queue(ANNA, 'hey', { state: 'held', waitsFor: reflex.sendId });
    await rig.wake();
    await rig.clock.advance(2 * SETTLE_MS);
    expect([rig.state(reflex), rig.state(held)]).toEqual(['unknown', 'superseded']);
  });
});

describe('Sender, afterwards', () => {
  it('reports the delivery, once', async () => {
    const rig = senderRig();
    const send = rig.queue(ANNA, 'hello');
    await rig.wake();
    rig.mac.amend(101, { isDelivered: true });
    await rig.changed();
    await rig.clock.advance(1000);
    await rig.changed();
    await rig.clock.advance(1000);
    expect(rig.state(send)).toBe('delivered');
    expect(rig.events()).toEqual([`sent:${send.key}`, `delivered:${send.key}`]);
  });

  it('reports an error that Messages notes after the row was taken for a success', async () => {
    const rig = senderRig();
    const send = rig.queue(ANNA, 'hello');
    await rig.wake();
    rig.mac.amend(101, { error: 22 });
    await rig.changed();
    await rig.clock.advance(1000);
    expect(rig.row(send)).toMatchObject({ state: 'failed', errorCode: 'EDGE_SEND_REFUSED', receiptGuid: 'GUID-101' });
    expect(rig.events()).toEqual([`sent:${send.key}`, `failed:${send.key}`]);
  });

  it('does not believe the row that has the number of the receipt in another chat.db', async () => {
    const rig = senderRig();
    const send = rig.queue(ANNA, 'hello');
    await rig.wake();
    rig.mac.amend(101, { isDelivered: true, guid: 'ANOTHER' });
    await rig.changed();
    await rig.clock.advance(1000);
    expect(rig.state(send)).toBe('confirmed');
  });
});

describe('a thread whose chat cannot be read', () => {
  for (const immediate of [false, true]) {
    it(`holds up no other with ${immediate ? 'an immediate' : 'a'} bubble, and is tried again and again`, async () => {
      const rig = senderRig();
      const chatOf = rig.mac.chatOf.bind(rig.mac);
      let isDamaged = true;
      rig.mac.chatOf = (threadId) => {
        if (isDamaged && threadId === BEN)
          throw new EdgeError('EDGE_CHATDB_CORRUPT', 'database disk image is malformed');
        return chatOf(threadId);
      };
      rig.queue(BEN, 'later', { immediate });
      for (const text of ['one', 'two']) rig.queue(ANNA, text);
      await rig.wake();
      await rig.clock.advance(10_000);
      expect(rig.texts()).toEqual(['one', 'two']);
      isDamaged = false;
      await rig.clock.advance(2_000);
      expect(rig.texts()).toEqual(['one', 'two', 'later']);
    });
  }
});

describe('Sender.stop', () => {
  it('starts nothing new, lets the running osascript end, notes how, and leaves no timer', async () => {
    const rig = senderRig();
    const script = hold();
    rig.mac.onRun = () => script.promise;
    const send = rig.queue(ANNA, 'hello');
    const next = rig.queue(BEN, 'next');
    await rig.wake();
    let stopped = false;
    const stop = rig.sender.stop().then(() => {
      stopped = true;
    });
    await settle();
    expect(stopped).toBe(false);
    rig.mac.write({ target: ANNA, text: 'hello' });
    script.end(EXIT_0);
    await stop;
    expect([rig.state(send), rig.state(next)]).toEqual(['confirmed', 'queued']);
    expect(rig.clock.pending).toBe(0);
  });
});
