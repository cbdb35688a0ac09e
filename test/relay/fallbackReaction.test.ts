import { describe, expect, it } from 'vitest';
import { classify } from '../../src/relay/classify.ts';
import { attachment } from '../support/chatRow.ts';
import { ANNA, around, message, privacy, said } from './messageRows.ts';

function read(text: string, recent: string[] = ['hi']) {
  const classified = classify(message({ ...said(text), service: 'SMS' }), around({ recent }), privacy);
  return classified.kind === 'skipped' && classified.reason === 'reaction' ? classified.event : undefined;
}

describe('a reaction in words', () => {
  it.each([
    ['Loved “hi”', 'reaction_added', 'love', undefined],
    ['Liked “hi”', 'reaction_added', 'like', undefined],
    ['Disliked “hi”', 'reaction_added', 'dislike', undefined],
    ['Laughed at “hi”', 'reaction_added', 'laugh', undefined],
    ['Emphasized “hi”', 'reaction_added', 'emphasize', undefined],
    ['Emphasised “hi”', 'reaction_added', 'emphasize', undefined],
    ['Questioned “hi”', 'reaction_added', 'question', undefined],
    ['Reacted 😂 to “hi”', 'reaction_added', 'emoji', '😂'],
    ['Reacted 👍🏽 to “hi”', 'reaction_added', 'emoji', '👍🏽'],
    ['Reacted 🇩🇪 to “hi”', 'reaction_added', 'emoji', '🇩🇪'],
    ['Reacted ❤️ to "hi"', 'reaction_added', 'emoji', '❤️'],
    ['Reacted 1️⃣ to “hi”', 'reaction_added', 'emoji', '1️⃣'],
    ['Reacted with a sticker to “hi”', 'reaction_added', 'sticker', undefined],
    ['Removed a heart from “hi”', 'reaction_removed', 'love', undefined],
    ['Removed a like from “hi”', 'reaction_removed', 'like', undefined],
    ['Removed a dislike from “hi”', 'reaction_removed', 'dislike', undefined],
    ['Removed a laugh from “hi”', 'reaction_removed', 'laugh', undefined],
    ['Removed an exclamation from “hi”', 'reaction_removed', 'emphasize', undefined],
    ['Removed a question mark from “hi”', 'reaction_removed', 'question', undefined],
    ['Removed a 😂 from “hi”', 'reaction_removed', 'emoji', '😂'],
  ])('%s is %s, %s', (text, event_type, reaction, emoji) => {
    expect(read(text)).toEqual({
      event_id: expect.stringMatching(/^reaction:.{32}$/),
      event_type,
      details: expect.objectContaining({ reaction, emoji, message_guid: 'R-0', sender: ANNA, from_text: true }),
    });
  });

  it.each([
    ['quotation marks of its own', 'She said “no” and “never”', 'Loved “She said “no” and “never””'],
    ['quotation marks at its end', 'read “Dune”', 'Loved “read “Dune””'],
    ['straight quotation marks', 'it’s "fine"', 'Loved "it’s "fine""'],
    ['several lines', 'one\ntwo\n\nthree', 'Loved “one\ntwo\n\nthree”'],
    ['more than is quoted', 'Shall we meet at seven by the river?', 'Loved “Shall we meet at sev…”'],
    ['more than is quoted, with dots', 'Shall we meet at seven by the river?', 'Loved “Shall we meet at...”'],
    ['an ellipsis of its own', 'well…', 'Loved “well…”'],
    ['a photo beside it', '\ufffclook here', 'Loved “look here”'],
  ])('finds a message with %s', (_title, recent, text) => {
    expect(read(text, ['other', recent])?.details).toMatchObject({ message_guid: 'R-1', reaction: 'love' });
  });

  it('belongs to the newest of the messages that read so', () => {
    expect(read('Loved “ok”', ['no', 'ok', 'ok'])?.details).toMatchObject({ message_guid: 'R-1' });
  });

  it('is an ordinary message when nobody wrote what it quotes', () => {
    expect(read('Loved “x”', ['hi', 'yx', 'x y'])).toBeUndefined();
    expect(read('Loved “Shall we…”', ['Shall we meet at seven?'])).toBeUndefined();
    expect(read('Loved “…”', ['anything at all'])).toBeUndefined();
    expect(read('Loved “hi”', [])).toBeUndefined();
  });

  it.each([
    'Loved hi',
    'Loved “”',
    'Loved “hi” so much',
    'Adored “hi”',
    'I loved “hi”',
    'Reacted badly to “hi”',
    'Removed a hat from “hi”',
    'Removed a constructor from “hi”',
    'Loved the film “hi”',
    'loved “hi”',
  ])('is not %s', (text) => {
    expect(read(text)).toBeUndefined();
  });

  it('is not a message that brings something else', () => {
    const row = message({ ...said('Loved “hi”'), attachments: [attachment({ guid: 'a' })] });
    expect(classify(row, around({ recent: ['hi'] }), privacy)).toEqual({ kind: 'message' });
    const titled = message({ ...said('Loved “hi”'), subject: 'News' });
    expect(classify(titled, around({ recent: ['hi'] }), privacy)).toEqual({ kind: 'message' });
  });

  it('is asked for only by a text that begins like one', () => {
    const surroundings = { ...around(), recentOf: () => expect.unreachable() };
    for (const text of ['hello', 'Loved it', 'Removed', `Loved “${'a'.repeat(30_000)}”`]) {
      expect(classify(message(said(text)), surroundings, privacy)).toEqual({ kind: 'message' });
    }
  });
});
