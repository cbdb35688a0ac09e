import { expect, it } from 'vitest';
import { messageResponseSchema } from '../../src/protocol/wire.ts';
import { queueAnswer } from '../../src/relay/queueAnswer.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { insertPending, openStore } from './fakes.ts';

const ANNA = '+15550100002';
const LONG = 'One sentence that is nearly as long as a bubble. And another one.';
const PARTS = ['One sentence that is nearly as long as a bubble.', 'And another one.'];

function setUp() {
  const clock = new FakeClock();
  const { store } = openStore(clock);
  const limit = { limit: 1, windowMs: 60_000, onTripped: () => {} };
  for (const guid of ['m1', 'm2', 'm3']) insertPending(store, guid, ANNA, clock.now());
  const answer = (guid: string, response: Record<string, unknown>, loopGuard?: typeof limit) => {
    const inbound = { ...store.inbound.byGuid(guid)!, threadId: ANNA };
    const whole = messageResponseSchema.parse({ should_respond: true, ...response });
    const o = { maxBubbleChars: 50, loopGuard };
    return store.transaction(() => queueAnswer(store, inbound, whole, clock.now(), o));
  };
  const texts = () => store.sends.openOf(ANNA).map(({ text }) => text);
  return { clock, store, answer, texts, limit };
}

it('queues the long bubbles of an answer as parts, in the place of the whole', () => {
  const { store, answer } = setUp();
  expect(answer('m1', { reply_bubbles: ['a', LONG, 'b', LONG] })).toMatchObject({ bubbles: 6, blocked: 0 });
  const rows = store.sends.openOf(ANNA);
  expect(rows.map(({ text }) => text)).toEqual(['a', ...PARTS, 'b', ...PARTS]);
  expect(rows.map(({ key }) => key)).toEqual([
    'reply:m1:0',
    'reply:m1:1',
    'reply:m1:1#1',
    'reply:m1:2',
    'reply:m1:3',
    'reply:m1:3#1',
  ]);
  expect(rows.map(({ bubbleIndex }) => bubbleIndex)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(rows.map(({ partOf }) => partOf)).toEqual([null, null, 2, null, null, 5]);
  expect(new Set(rows.map(({ groupKey }) => groupKey)).size).toBe(1);
});

it('gives the parts of a burst the delay of the whole', () => {
  const { clock, store, answer } = setUp();
  answer('m1', { burst_messages: [LONG], burst_delay_ms: 700 });
  expect(store.sends.openOf(ANNA).map(({ notBeforeAt }) => notBeforeAt)).toEqual([
    clock.now() + 700,
    clock.now() + 700,
  ]);
});

it('puts the answer to an earlier message before a long one that waits, and not into one that has begun', () => {
  const { clock, store, answer, texts } = setUp();
  answer('m3', { reply_text: LONG });
  answer('m2', { reply_text: LONG.replace('One', 'Two') });
  expect(texts()).toEqual([...PARTS.map((part) => part.replace('One', 'Two')), ...PARTS]);
  store.sends.markSending(store.sends.headOf(ANNA)!.sendId, { rowid: 0, epoch: 1 }, clock.now());
  answer('m1', { reply_text: 'first' });
  expect(texts()).toEqual([...PARTS.map((part) => part.replace('One', 'Two')), 'first', ...PARTS]);
});

it('counts a long answer once for the loop guard, and stops all parts of one too many', () => {
  const { store, answer, limit } = setUp();
  expect(answer('m1', { reply_text: LONG }, limit)).toMatchObject({ bubbles: 2, blocked: 0 });
  expect(answer('m2', { reply_text: LONG }, limit)).toMatchObject({ bubbles: 0, blocked: 2 });
  expect(store.sends.byGroup('reply:m2').map(({ errorCode }) => errorCode)).toEqual([
    'EDGE_ANSWER_LOOP',
    'EDGE_ANSWER_LOOP',
  ]);
});

it('takes no reflex for its own that was pushed while the clock was a day ahead, but the one before the step', () => {
  const { clock, store, answer } = setUp();
  const push = (id: string) =>
    store.sends.insert({ key: `command:${id}`, threadId: ANNA, text: 'hi', bubbleType: 'reflex', now: clock.now() });
  clock.jumpWall(86_400_000);
  push('long-ago');
  clock.jumpWall(-86_400_000 + 60_000);
  answer('m1', { reply_text: 'hi' });
  expect(store.sends.byGroup('reply:m1')).toMatchObject([{ state: 'queued', waitsFor: null }]);
  const reflex = push('just-now');
  clock.jumpWall(-120_000);
  answer('m2', { reply_text: 'hi' });
  expect(store.sends.byGroup('reply:m2')).toMatchObject([{ state: 'held', waitsFor: reflex.sendId }]);
});
