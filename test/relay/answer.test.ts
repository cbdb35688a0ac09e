import { describe, expect, it } from 'vitest';
import { MAX_BURST_DELAY_MS } from '../../src/messaging/pauses.ts';
import { messageResponseSchema } from '../../src/protocol/wire.ts';
import { DEFAULT_BURST_DELAY_MS, MAX_BUBBLES, planAnswer } from '../../src/relay/answer.ts';

const plan = (response: Record<string, unknown>) =>
  planAnswer(messageResponseSchema.parse({ should_respond: true, ...response }));
const lines = (response: Record<string, unknown>) =>
  plan(response).bubbles.map(({ bubbleType, text, delayMs }) => `${bubbleType} ${text} +${delayMs}`);

describe('the bubbles of an answer', () => {
  const all = { reflex_message: 'r', burst_messages: ['b', 'c'], reply_bubbles: ['d'], reply_text: 'e' };
  const table: { title: string; response: Record<string, unknown>; bubbles: string[] }[] = [
    { title: 'are none when there is nothing to say', response: { ...all, should_respond: false }, bubbles: [] },
    { title: 'are none of no form', response: {}, bubbles: [] },
    {
      title: 'are the reflex and the burst before all',
      response: all,
      bubbles: ['reflex r +0', 'burst b +2000', 'burst c +2000'],
    },
    { title: 'are the reflex alone', response: { ...all, burst_messages: [] }, bubbles: ['reflex r +0'] },
    { title: 'are the burst alone', response: { burst_messages: ['b'], reply_text: 'e' }, bubbles: ['burst b +2000'] },
    {
      title: 'are the reply bubbles before the reply text',
      response: { reply_bubbles: ['d', 'f'], reply_text: 'e' },
      bubbles: ['normal d +0', 'normal f +0'],
    },
    { title: 'are the reply text', response: { reply_text: 'e' }, bubbles: ['normal e +0'] },
    {
      title: 'pass over forms that are empty',
      response: { ...all, reflex_message: '', burst_messages: [' '], reply_bubbles: [] },
      bubbles: ['normal e +0'],
    },
    {
      title: 'pass over fields that are null',
      response: { reflex_message: null, burst_messages: null, reply_bubbles: null, reply_text: 'e' },
      bubbles: ['normal e +0'],
    },
    {
      title: 'start the burst at once when told so',
      response: { burst_messages: ['b'], burst_delay_ms: 0 },
      bubbles: ['burst b +0'],
    },
    { title: 'keep their white space', response: { reply_bubbles: [' a\n'] }, bubbles: ['normal  a\n +0'] },
  ];
  for (const { title, response, bubbles } of table) {
    it(title, () => expect(lines(response)).toEqual(bubbles));
  }

  it('never wait longer than the limit', () => {
    expect(DEFAULT_BURST_DELAY_MS).toBe(2_000);
    expect(plan({ burst_messages: ['b'], burst_delay_ms: 1e12 }).bubbles[0]?.delayMs).toBe(MAX_BURST_DELAY_MS);
  });

  it('wait the usual delay when the one named makes no sense', () => {
    for (const delay of [-1, '700', Number.NaN, Number.POSITIVE_INFINITY, null, {}]) {
      expect(plan({ burst_messages: ['b'], burst_delay_ms: delay }).bubbles[0]?.delayMs).toBe(DEFAULT_BURST_DELAY_MS);
    }
  });

  it('without text are left out and counted, NUL being none', () => {
    expect(plan({ reply_bubbles: ['a', '', ' \n', '\0', 'b'] })).toMatchObject({ blank: 3, refused: 0 });
    expect(plan({ reply_text: ' ' })).toMatchObject({ bubbles: [], blank: 1 });
  });

  it('are counted as unsaid where the answer does not say whether to respond, and not where it says no', () => {
    const said = { reply_bubbles: ['a', ' ', 'b'] };
    for (const should_respond of [undefined, null]) {
      expect(plan({ ...said, should_respond })).toMatchObject({ bubbles: [], blank: 0, unsaid: 2 });
    }
    expect(plan({ ...all, should_respond: undefined })).toMatchObject({ bubbles: [], unsaid: 3 });
    expect(plan({ ...all, should_respond: false })).toMatchObject({ bubbles: [], unsaid: 0 });
    expect(plan({ reply_text: ' ', should_respond: undefined })).toMatchObject({ unsaid: 0 });
    expect(plan(said)).toMatchObject({ unsaid: 0 });
  });

  it('past the limit are left out and counted', () => {
    const { bubbles, refused } = plan({ reply_bubbles: Array.from({ length: MAX_BUBBLES + 7 }, (_, n) => `${n}`) });
    expect(bubbles).toHaveLength(MAX_BUBBLES);
    expect(refused).toBe(7);
  });
});
