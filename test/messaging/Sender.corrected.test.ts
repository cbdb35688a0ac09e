import { describe, expect, it } from 'vitest';
import { settle } from '../support/FakeClock.ts';
import { chat, EXIT_0, scriptError } from './FakeMac.ts';
import { ANNA, SETTLE_MS, SenderRig, senderRig } from './senderRig.ts';

/** A text of three bubbles, as queueText writes it. */
function threeParts(rig: SenderRig, notBeforeAt = 0) {
  const root = rig.command('c1', ANNA, 'one');
  const whole = { partOf: root.sendId, groupKey: root.groupKey, notBeforeAt };
  const part = (text: string, bubbleIndex: number) =>
    rig.queue(ANNA, text, { key: `${root.key}#${bubbleIndex}`, bubbleIndex, ...whole });
  return [root, part('two', 1), part('three', 2)] as const;
}

describe('a part that turns out failed while the next one waits for its turn', () => {
  it('keeps the rest unsent when it had been confirmed', async () => {
    const rig = senderRig({ bubblePause: 6000 });
    const [root, second, third] = threeParts(rig);
    await rig.wake();
    expect(rig.state(root)).toBe('confirmed');
    rig.mac.amend(101, { isSent: false, error: 22 });
    await rig.changed();
    await rig.clock.advance(2000);
    expect([root, second, third].map((row) => rig.state(row))).toEqual(['failed', 'failed', 'failed']);
    await rig.clock.advance(60_000);
    expect(rig.texts()).toEqual(['one']);
    expect([second, third].map((row) => rig.state(row))).toEqual(['failed', 'failed']);
    expect(rig.acks()).toMatchObject([
      { status: 'failed', error: expect.stringMatching(/^part 1 of 3: EDGE_SEND_REFUSED/) },
    ]);
  });

  it('keeps the rest unsent when it had been unknown', async () => {
    const rig = senderRig();
    rig.onMissingReceipt = 'report';
    rig.crash();
    rig.mac.onRun = () => EXIT_0;
    const [root, second, third] = threeParts(rig, rig.clock.now() + 3 * SETTLE_MS);
    await rig.wake();
    await rig.clock.advance(SETTLE_MS);
    expect([root, second].map((row) => rig.state(row))).toEqual(['unknown', 'queued']);
    rig.mac.write({ target: ANNA, text: 'one' }, { isSent: false, error: 22 });
    await rig.changed();
    await rig.clock.advance(2000);
    await rig.clock.advance(3 * SETTLE_MS);
    expect(rig.texts()).toEqual(['one']);
    expect([root, second, third].map((row) => rig.state(row))).toEqual(['failed', 'failed', 'failed']);
  });
});

/** A reflex whose first attempt leaves no receipt, and the answer's bubble that waits for it. */
async function reflexWithoutReceipt(rig: SenderRig) {
  rig.mac.onRun = () => EXIT_0;
  const reflex = rig.command('c1', ANNA, 'hi', { bubbleType: 'reflex' });
  const held = rig.queue(ANNA, 'hi', { state: 'held', waitsFor: reflex.sendId });
  await rig.wake();
  await rig.clock.advance(SETTLE_MS - 1);
  return { reflex, held };
}

describe('a second attempt that failed', () => {
  it.each([-1728, -1719])(
    'says nothing of the first: %i ends it as unknown, and its counterpart stays unsent',
    async (number) => {
      const rig = senderRig();
      const { reflex, held } = await reflexWithoutReceipt(rig);
      // Without an iMessage account everything waits; by SMS that bubble alone fails.
      rig.mac.write({ target: ANNA, text: 'from before' }, { service: 'SMS' });
      rig.mac.chats.set(ANNA, { ...rig.mac.rows[0]!.chat!, service: 'SMS' });
      rig.mac.onRun = () => scriptError(number);
      await rig.clock.advance(1);
      expect([rig.state(reflex), rig.state(held)]).toEqual(['unknown', 'superseded']);
      rig.mac.write({ target: ANNA, text: 'hi' });
      await rig.changed();
      await rig.clock.advance(2000);
      expect(rig.state(reflex)).toBe('confirmed');
      expect(rig.acks().map(({ status }) => status)).toEqual(['failed', 'completed']);
    },
  );

  it('that cannot even be begun says nothing of the first either', async () => {
    const rig = senderRig();
    const send = rig.queue('chat831000000000000001', 'hi');
    rig.mac.chats.set(send.threadId, { ...rig.mac.write({ target: ANNA, text: '-' }).chat!, isGroup: true });
    rig.mac.onRun = () => EXIT_0;
    await rig.wake();
    rig.mac.chats.clear();
    await rig.clock.advance(SETTLE_MS);
    expect(rig.state(send)).toBe('unknown');
  });

  it('looks for the receipt of the first before it gives up', async () => {
    const rig = senderRig();
    const { reflex } = await reflexWithoutReceipt(rig);
    rig.mac.onRun = () => {
      rig.mac.write({ target: ANNA, text: 'hi' });
      return scriptError(-1728);
    };
    await rig.clock.advance(1);
    expect(rig.state(reflex)).toBe('confirmed');
  });
});

describe('a row that is marked failed while both attempts are open', () => {
  it('does not end the send, whose other attempt goes out', async () => {
    const rig = senderRig();
    const { reflex, held } = await reflexWithoutReceipt(rig);
    await rig.clock.advance(1);
    expect(rig.row(reflex)).toMatchObject({ state: 'accepted', attempts: 2 });
    rig.mac.write({ target: ANNA, text: 'hi' }, { isSent: false, error: 4 });
    await rig.changed();
    expect(rig.state(reflex)).toBe('accepted');
    const { guid } = rig.mac.write({ target: ANNA, text: 'hi' });
    await rig.changed();
    expect(rig.row(reflex)).toMatchObject({ state: 'confirmed', receiptGuid: guid });
    expect(rig.state(held)).toBe('superseded');
    expect(rig.texts()).toEqual(['hi', 'hi']);
    expect(rig.acks()).toMatchObject([{ status: 'completed' }]);
  });

  it('ends it when the other one is marked failed too, also after a restart', async () => {
    for (const restart of [false, true]) {
      const rig = senderRig();
      const { reflex, held } = await reflexWithoutReceipt(rig);
      await rig.clock.advance(1);
      rig.mac.write({ target: ANNA, text: 'hi' }, { isSent: false, error: 4 });
      await rig.changed();
      if (restart) rig.crash();
      rig.mac.write({ target: ANNA, text: 'hi' }, { isSent: false, error: 4 });
      await rig.changed();
      expect(rig.row(reflex)).toMatchObject({ state: 'failed', errorCode: 'EDGE_SEND_REFUSED' });
      expect(['queued', 'sending', 'accepted']).toContain(rig.state(held));
    }
  });

  it('leaves it unknown when nothing is heard of the other', async () => {
    const rig = senderRig();
    const { reflex } = await reflexWithoutReceipt(rig);
    await rig.clock.advance(1);
    rig.mac.write({ target: ANNA, text: 'hi' }, { isSent: false, error: 4 });
    await rig.changed();
    await rig.clock.advance(SETTLE_MS);
    expect(rig.state(reflex)).toBe('unknown');
    rig.crash();
    await rig.clock.advance(2000);
    rig.mac.write({ target: ANNA, text: 'hi' }, { isSent: false, error: 4 });
    await rig.changed();
    await rig.clock.advance(2000);
    expect(rig.row(reflex)).toMatchObject({ state: 'failed', errorCode: 'EDGE_SEND_REFUSED' });
  });
});

describe('a text that goes by SMS instead', () => {
  function rigBySms(): SenderRig {
    const rig = new SenderRig({ smsFallback: true });
    rig.sender.start();
    rig.mac.chats.set(ANNA, chat(ANNA));
    rig.mac.onRun = (call) => {
      if (call.service !== 'SMS') rig.mac.write(call, { isSent: false, error: 22, service: 'iMessage' });
      return EXIT_0;
    };
    return rig;
  }

  it('has failed when the SMS is refused after its outcome was told as unknown', async () => {
    const rig = rigBySms();
    const send = rig.command('c1', ANNA, 'hi');
    await rig.wake();
    await rig.clock.advance(SETTLE_MS);
    expect(rig.row(send)).toMatchObject({ state: 'unknown', smsFallback: 1 });
    rig.mac.write({ target: ANNA, text: 'hi' }, { isSent: false, error: 39, service: 'SMS' });
    await rig.changed();
    await rig.clock.advance(2000);
    expect(rig.row(send)).toMatchObject({ state: 'failed', errorCode: 'EDGE_SEND_REFUSED' });
  });

  it('still goes when chat.db was replaced meanwhile: it is known that nobody got the iMessage', async () => {
    const rig = rigBySms();
    const send = rig.command('c1', ANNA, 'hi');
    const refuse = rig.mac.onRun;
    rig.mac.onRun = (call) => {
      rig.sender.hold();
      return refuse(call);
    };
    await rig.wake();
    expect(rig.row(send)).toMatchObject({ state: 'queued', smsFallback: 1 });
    rig.epoch = 2;
    rig.mac.onRun = refuse;
    rig.sender.release();
    await settle();
    expect(rig.row(send)).toMatchObject({ state: 'accepted', attempts: 2 });
  });
});

describe('sending.on_missing_receipt: report, set while a bubble waits for its second attempt', () => {
  it('makes that attempt no more', async () => {
    const rig = senderRig();
    const { reflex } = await reflexWithoutReceipt(rig);
    rig.sender.hold();
    await rig.clock.advance(1);
    expect(rig.state(reflex)).toBe('queued');
    rig.onMissingReceipt = 'report';
    rig.crash();
    await settle();
    expect(rig.state(reflex)).toBe('unknown');
    expect(rig.texts()).toEqual(['hi']);
  });
});
