import { copyFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ChatRow } from '../../src/chatdb/types.ts';
import { ForgottenBubbles } from '../../src/messaging/ForgottenBubbles.ts';
import type { ReceiptSource } from '../../src/messaging/ReceiptSource.ts';
import type { NewSend } from '../../src/state/SendRow.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { EdgeError } from '../../src/util/EdgeError.ts';
import type { ErrorCode } from '../../src/util/errors.ts';
import { chatRow } from '../support/chatRow.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';
import { tempDir } from '../support/tempDir.ts';

const ANN = '+15550100002';
const SETTLE_MS = 20_000;
const MINUTE = 60_000;
/** When the agent starts. */
const now = () => new FakeClock().now();

/** A state.db that has forgotten the last ten minutes, and a chat.db that shows `rows`. `isNoticed`: `high-water` tells. */
function rig(rows: Partial<ChatRow>[], { isNoticed = true } = {}) {
  const clock = new FakeClock();
  const path = join(tempDir(), 'state.db');
  const from = clock.now() - 10 * MINUTE;
  const early = StateStore.open(path, from);
  early.close();
  copyFileSync(path, `${path}.copy`);
  const later = StateStore.open(path, from);
  const { sendId } = later.sends.insert({ key: 'a', threadId: ANN, text: 'a', bubbleType: 'normal', now: from });
  later.transaction(() => later.noteBubble(sendId, { rowid: 1, epoch: 1 }, from));
  later.bubbleNoted();
  later.close();
  copyFileSync(`${path}.copy`, path);
  if (!isNoticed) rmSync(join(dirname(path), 'high-water'));
  const store = StateStore.open(path, clock.now());
  onTestFinished(() => store.close());
  const chat = { guid: `iMessage;-;${ANN}`, identifier: ANN, isGroup: false, participants: [ANN] };
  const all = rows.map((row, n) =>
    chatRow({
      rowid: n + 1,
      guid: `r${n + 1}`,
      isFromMe: true,
      chat: chat as never,
      dateAt: clock.now() - MINUTE,
      ...row,
    }),
  );
  let asked = 0;
  let broken: ErrorCode | undefined;
  const chatDb = {
    outgoingSince: (dateAt: number, limit: number, after = 0) => {
      asked++;
      if (broken) throw new EdgeError(broken, 'as the test says');
      return all.filter((row) => row.rowid > after && (row.dateAt ?? 0) >= dateAt).slice(0, limit);
    },
    outgoingAfter: (rowid: number) => all.filter((row) => row.rowid > rowid),
    rowsByGuid: (guids: readonly string[]) => all.filter(({ guid }) => guids.includes(guid)),
  } as unknown as ReceiptSource;
  const { telemetry, calls } = recordingTelemetry();
  const bubbles = new ForgottenBubbles({
    store,
    chatDb: () => chatDb,
    epoch: () => 1,
    clock,
    telemetry,
    settleMs: SETTLE_MS,
    onEvent: () => {},
  });
  bubbles.start();
  /** A bubble that answers a message written `agoMs` ago and was handed over just now. */
  const answer = (text: string, agoMs: number, more: Partial<NewSend> = {}) => {
    const now = clock.now() + 1;
    const guid = `m${agoMs}, ${text}`;
    const messageAt = clock.now() - agoMs;
    store.inbound.insert({
      guid,
      epoch: 1,
      chatRowid: 1,
      threadId: ANN,
      body: undefined,
      backfill: false,
      messageAt,
      now,
    });
    const { inboundId: answersId } = store.inbound.byGuid(guid)!;
    return store.sends.insert({
      key: `reply:${guid}:0`,
      threadId: ANN,
      text,
      bubbleType: 'normal',
      answersId,
      now,
      ...more,
    });
  };
  const told = () => calls.filter(({ event }) => event === 'failure').map(({ args }) => args[0]);
  return { clock, store, bubbles, answer, told, asked: () => asked, breakWith: (code?: ErrorCode) => (broken = code) };
}

it('says nothing before the settle time is over, and then shows the row', async () => {
  const { clock, bubbles, answer } = rig([{ text: 'hello' }]);
  const send = answer('hello', 2 * MINUTE);
  expect(bubbles.receipt(send)).toBe(false);
  await clock.advance(SETTLE_MS);
  expect(bubbles.receipt(send)).toMatchObject({ guid: 'r1' });
});

it.each<[string, Partial<ChatRow>, string, number]>([
  ['says something else', { text: 'hallo' }, 'hello', 2],
  ['is older than the message that is answered', { text: 'hello' }, 'hello', 0.5],
  ['was refused', { text: 'hello', error: 22 }, 'hello', 2],
  ['is of another thread', { text: 'hello', chat: { identifier: '+15550100003' } as never }, 'hello', 2],
])('is not deceived by a row that %s', async (_, row, text, minutes) => {
  const { clock, bubbles, answer } = rig([row]);
  const send = answer(text, minutes * MINUTE);
  await clock.advance(SETTLE_MS);
  expect(bubbles.receipt(send)).toBe(undefined);
});

it('lets one row stand for one bubble: what was said twice on purpose is said twice', async () => {
  const { clock, store, bubbles, answer } = rig([{ text: 'lol' }]);
  const [first, second] = [answer('lol', 3 * MINUTE), answer('lol', 2 * MINUTE)];
  await clock.advance(SETTLE_MS);
  expect(bubbles.receipt(first)).toMatchObject({ guid: 'r1' });
  store.sends.markConfirmed(first.sendId, { guid: 'r1', rowid: 1 }, clock.now());
  expect(bubbles.receipt(second)).toBe(undefined);
});

const LINK = 'https://example.com/a';
/** A text with a link, and what may be its preview or a bubble of its own. */
const WITH_PREVIEW: Partial<ChatRow>[] = [
  { text: `See ${LINK}` },
  { text: LINK, previousGuid: 'r1', balloon: { kind: 'link', url: LINK } as never },
];

it('takes what may be the preview below another bubble for the bare link, as most of that time had gone out', async () => {
  const { clock, bubbles, answer } = rig(WITH_PREVIEW);
  const send = answer(LINK, 2 * MINUTE);
  await clock.advance(SETTLE_MS);
  expect(bubbles.receipt(send)).toMatchObject({ guid: 'r2' });
});

it('does not say that there is none where it has not seen all rows', async () => {
  const { clock, bubbles, answer } = rig([...Array(5000).fill({ text: 'else' }), { text: 'hello' }]);
  const send = answer('hello', 2 * MINUTE);
  await clock.advance(SETTLE_MS);
  expect(bubbles.receipt(send)).toBe('unsure');
});

it('holds nothing up that nobody asked for in the forgotten time', () => {
  const { clock, store, bubbles } = rig([{ text: 'hello' }]);
  const now = clock.now() + 1;
  const typed = store.sends.insert({ key: 'cli:1', threadId: ANN, text: 'hello', bubbleType: 'normal', now });
  expect(bubbles.receipt(typed)).toBe(undefined);
  const command = { commandId: 'c1', commandType: 'send_message_now', payload: {}, channel: 'sync' as const, now };
  store.commands.insert({ ...command, issuedAt: now + 20 * MINUTE });
  const send = { key: 'command:c1', threadId: ANN, text: 'hello', bubbleType: 'normal' as const, now };
  expect(bubbles.receipt(store.sends.insert({ ...send, commandId: 'c1' }))).toBe(undefined);
});

describe('where nothing shows that bubbles were forgotten', () => {
  const unnoticed = (rows: Partial<ChatRow>[]) => rig(rows, { isNoticed: false });

  it('shows the row at once, and tells once that state.db did not know of it', () => {
    const { store, bubbles, answer, told } = unnoticed([{ text: 'one' }, { text: 'two' }]);
    expect([store.isBehind, store.forgotten]).toEqual([false, undefined]);
    for (const [text, guid] of [
      ['one', 'r1'],
      ['two', 'r2'],
    ] as const) {
      const send = answer(text, 2 * MINUTE);
      expect(bubbles.concerns(send)).toBe(true);
      expect(bubbles.receipt(send)).toMatchObject({ guid });
    }
    expect(told()).toEqual(['EDGE_STATE_BEHIND']);
    const events = store.events.waiting(10);
    expect(events).toMatchObject([{ event_type: 'error', details: { code: 'EDGE_STATE_BEHIND' } }]);
  });

  it.each<[string, number, number]>([
    ['before the message', 1, 0.5],
    ['before the last moment that state.db knows of', 10.1, 11],
    ['after the start', -0.1, 2],
  ])('is not deceived by the same words that a person typed %s', (_, typedMinutes, askedMinutes) => {
    const { clock, bubbles, answer, told } = unnoticed([
      { text: 'hello', dateAt: now() - typedMinutes * MINUTE },
      { text: 'something else' },
    ]);
    expect(clock.now()).toBe(now());
    expect(bubbles.receipt(answer('hello', askedMinutes * MINUTE))).toBe(undefined);
    expect(told()).toEqual([]);
  });

  it('does not take the preview below a bubble that is known for the bare link that follows it', () => {
    const { clock, store, bubbles, answer } = unnoticed(WITH_PREVIEW);
    const text = answer(`See ${LINK}`, 3 * MINUTE);
    store.sends.markConfirmed(text.sendId, { guid: 'r1', rowid: 1 }, clock.now());
    const send = answer(LINK, 2 * MINUTE);
    expect(bubbles.concerns(send)).toBe(false);
    expect(bubbles.receipt(send)).toBe(undefined);
  });

  it('takes no preview for the bare link where other rows are not known', () => {
    const { bubbles, answer } = unnoticed(WITH_PREVIEW);
    expect(bubbles.receipt(answer(LINK, 2 * MINUTE))).toBe(undefined);
  });

  it('takes what a person typed meanwhile for the answer, as nobody can tell it from one', () => {
    const { bubbles, answer } = unnoticed([{ text: 'hello' }]);
    expect(bubbles.receipt(answer('hello', 9 * MINUTE))).toMatchObject({ guid: 'r1' });
  });

  it('sends the second of two answers that say the same when only one row shows them', () => {
    const { clock, store, bubbles, answer } = unnoticed([{ text: 'lol' }, { text: 'something else' }]);
    const [first, second] = [answer('lol', 3 * MINUTE), answer('lol', 2 * MINUTE)];
    expect(bubbles.receipt(first)).toMatchObject({ guid: 'r1' });
    store.sends.markConfirmed(first.sendId, { guid: 'r1', rowid: 1 }, clock.now());
    expect(bubbles.receipt(second)).toBe(undefined);
  });

  it('leaves a row to the bubble of the same words that nobody could vouch for', () => {
    const { clock, store, bubbles, answer } = unnoticed([{ text: 'lol' }]);
    const [first, second] = [answer('lol', 3 * MINUTE), answer('lol', 2 * MINUTE)];
    store.sends.finish(first.sendId, 'unknown', clock.now());
    expect(bubbles.receipt(second)).toBe(undefined);
  });

  it('looks for a bubble that waited in state.db already, from when it was asked for', () => {
    const { clock, store, bubbles } = unnoticed([{ text: 'hello' }]);
    const send = { threadId: ANN, text: 'hello', bubbleType: 'normal' as const };
    const before = store.sends.insert({ ...send, key: 'a', now: clock.now() - 2 * MINUTE });
    const later = store.sends.insert({ ...send, key: 'b', now: clock.now() - MINUTE / 2 });
    expect(bubbles.receipt(before)).toMatchObject({ guid: 'r1' });
    expect(bubbles.receipt(later)).toBe(undefined);
  });

  it('asks chat.db once, and of no bubble, where it shows nothing of ours that is not known', () => {
    const { clock, store, bubbles, answer, asked } = unnoticed([{ text: 'known' }, { text: 'old', dateAt: 0 }]);
    const known = answer('known', 3 * MINUTE);
    store.sends.markConfirmed(known.sendId, { guid: 'r1', rowid: 1 }, clock.now());
    for (const text of ['one', 'two', 'known']) {
      const send = answer(text, 2 * MINUTE);
      expect(bubbles.concerns(send)).toBe(false);
      expect(bubbles.receipt(send)).toBe(undefined);
    }
    expect(asked()).toBe(2); // a page, and the empty one after it
  });

  it('waits for a chat.db that is locked, but not for one with a damaged page', () => {
    const { bubbles, answer, breakWith } = unnoticed([{ text: 'hello' }]);
    const send = answer('hello', 2 * MINUTE);
    breakWith('EDGE_CHATDB_BUSY');
    expect(bubbles.concerns(send)).toBe(true);
    expect(bubbles.receipt(send)).toBe(false);
    breakWith('EDGE_CHATDB_CORRUPT');
    expect(bubbles.receipt(send)).toBe(undefined);
    breakWith();
    expect(bubbles.receipt(send)).toMatchObject({ guid: 'r1' });
  });

  it('asks nothing of chat.db for what is asked for after the start', () => {
    const { bubbles, answer, asked } = unnoticed([{ text: 'hello' }]);
    const send = answer('hello', -MINUTE);
    expect(bubbles.concerns(send)).toBe(false);
    expect(bubbles.receipt(send)).toBe(undefined);
    expect(asked()).toBe(0);
  });
});
