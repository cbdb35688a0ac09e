import { describe, expect, it } from 'vitest';
import type { PartVersion } from '../../src/chatdb/MessageSummary.ts';
import type { ChatRow } from '../../src/chatdb/types.ts';
import { MAX_TEXT_BYTES } from '../../src/relay/filterText.ts';
import { revisionEvents } from '../../src/relay/revisionEvents.ts';
import { ANNA, AT, action, CARD, GROUP, message, NO_WORDS, privacy, said, summary, tapback } from './messageRows.ts';

const versions = (...texts: string[]): PartVersion[] =>
  texts.map((text, index) => ({ text, writtenAt: AT + index * 60_000 }));
const eventsOf = (row: ChatRow, handedOver = true) =>
  JSON.parse(JSON.stringify(revisionEvents(row, { privacy, handedOver, threadId: ANNA })));

describe('an edit', () => {
  const edited = message({
    ...said('third'),
    editedAt: AT + 120_000,
    ...summary({ edits: new Map([[0, versions('first', 'second', 'third')]]) }),
  });

  it('tells the text now and every version since it was written, in one event', () => {
    expect(eventsOf(edited)).toEqual([
      {
        event_id: `edited:M-7:${AT + 120_000}`,
        event_type: 'message_edited',
        details: {
          message_guid: 'M-7',
          text: 'third',
          history: [
            {
              part: 0,
              versions: [
                { text: 'first', at: '2026-06-01T12:00:00.000Z' },
                { text: 'second', at: '2026-06-01T12:01:00.000Z' },
                { text: 'third', at: '2026-06-01T12:02:00.000Z' },
              ],
            },
          ],
          edited_at: '2026-06-01T12:02:00.000Z',
          sender: ANNA,
          is_from_me: false,
          was_redacted: false,
          redacted_fields: [],
        },
      },
    ]);
  });

  it('of one’s own is told as mine', () => {
    expect(eventsOf({ ...edited, isFromMe: true })[0].details).toMatchObject({ sender: 'me', is_from_me: true });
  });

  it('is told by its date where the summary is missing or damaged', () => {
    expect(eventsOf(message({ ...said('now'), editedAt: AT + 9 }))).toMatchObject([
      {
        event_id: `edited:M-7:${AT + 9}`,
        details: { text: 'now', history: [], edited_at: '2026-06-01T12:00:00.009Z' },
      },
    ]);
  });

  it('is told where the column of its date is missing', () => {
    expect(eventsOf({ ...edited, editedAt: undefined })[0].event_id).toBe(`edited:M-7:${AT + 120_000}`);
  });

  it('keeps of every version what the privacy settings keep', () => {
    const row = message({
      ...said('done'),
      editedAt: AT,
      ...summary({ edits: new Map([[0, versions(`card ${CARD}`, 'done')]]) }),
    });
    const [{ details }] = eventsOf(row);
    expect(JSON.stringify(details)).not.toContain(CARD);
    expect(details).toMatchObject({ text: 'done', was_redacted: true, redacted_fields: ['payment_card'] });
  });

  it('names the parts in order, without placeholders', () => {
    const edits = new Map([
      [2, versions('c', 'C')],
      [0, versions('\ufffca', 'A')],
      [1, versions('only the original')],
    ]);
    const [{ details }] = eventsOf(message({ editedAt: AT, ...summary({ edits }) }));
    expect(details.history.map(({ part }: { part: number }) => part)).toEqual([0, 2]);
    expect(details.history[0].versions[0].text).toBe('a');
  });

  it('survives dates that no calendar has', () => {
    const edits = new Map([
      [
        0,
        [
          { text: 'a', writtenAt: Number.NaN },
          { text: 'b', writtenAt: 9e99 },
        ],
      ],
    ]);
    const [event] = eventsOf(message({ editedAt: AT, ...summary({ edits }) }));
    expect(event).toMatchObject({ event_id: `edited:M-7:${AT}`, details: { history: [{ versions: [{}, {}] }] } });
  });

  it('is told in bounded length, however long and many the versions', () => {
    const long = versions(...Array.from({ length: 500 }, (_, index) => `${index}${'x'.repeat(40_000)}`));
    const edits = new Map(Array.from({ length: 300 }, (_, part) => [part, part === 0 ? long : versions('a', 'b')]));
    const [{ details }] = eventsOf(
      message({ ...said('y'.repeat(MAX_TEXT_BYTES)), editedAt: AT, ...summary({ edits }) }),
    );
    expect(details.history).toHaveLength(100);
    expect(JSON.stringify(details).length).toBeLessThan(3 * MAX_TEXT_BYTES);
  });
});

describe('an unsent message', () => {
  const whole = message({ ...NO_WORDS, isEmpty: true, editedAt: AT + 5000, ...summary({ unsentParts: [0] }) });

  it('is told with its parts, and that nothing is left', () => {
    expect(eventsOf(whole)).toEqual([
      {
        event_id: 'unsent:M-7:0',
        event_type: 'message_unsent',
        details: {
          message_guid: 'M-7',
          parts: [0],
          whole: true,
          unsent_at: '2026-06-01T12:00:05.000Z',
          sender: ANNA,
          is_from_me: false,
          handed_over: true,
        },
      },
    ]);
    expect(eventsOf(whole, false)[0].details.handed_over).toBe(false);
  });

  it('is told without the summary too', () => {
    expect(eventsOf({ ...whole, summary: undefined })).toMatchObject([
      { event_id: 'unsent:M-7:all', details: { parts: [], whole: true } },
    ]);
  });

  it('in part is told with what is gone, and is no edit', () => {
    const row = message({ ...said('left'), editedAt: AT + 5000, ...summary({ unsentParts: [2, 1, 1] }) });
    expect(eventsOf(row)).toMatchObject([{ event_id: 'unsent:M-7:1,2', details: { parts: [1, 2], whole: false } }]);
  });

  it('in part keeps the edit of another part apart, under the id that edit had before', () => {
    const edits = new Map([[0, versions('a', 'b')]]);
    const before = message({ ...said('b'), editedAt: AT + 60_000, ...summary({ edits }) });
    const after = { ...before, editedAt: AT + 90_000, ...summary({ edits, unsentParts: [1] }) };
    const ids = (row: ChatRow) => eventsOf(row).map((event: { event_id: string }) => event.event_id);
    expect(ids(after)).toEqual([...ids(before), 'unsent:M-7:1']);
  });

  it('no longer shows the versions of what was unsent', () => {
    const edits = new Map([[1, versions('secret', 'sorry')]]);
    const row = message({ ...said('left'), editedAt: AT, ...summary({ edits, unsentParts: [1] }) });
    expect(JSON.stringify(eventsOf(row))).not.toMatch(/secret|sorry/);
  });

  it('has an id of bounded length', () => {
    const unsentParts = Array.from({ length: 1000 }, (_, part) => part);
    expect(eventsOf({ ...whole, ...summary({ unsentParts }) })[0].event_id.length).toBeLessThan(200);
  });
});

describe('nothing is told', () => {
  it.each<[string, ChatRow]>([
    ['of a message as it was written', message()],
    ['of a row that is empty because it is being written', message({ ...NO_WORDS, isEmpty: true })],
    ['of a message to be sent later', message({ editedAt: AT, isScheduled: true, isFromMe: true })],
    ['of a reaction', message({ ...tapback(2000), editedAt: AT })],
    ['of a change of the group', message({ chat: GROUP, ...action(2), editedAt: AT })],
  ])('%s', (_title, row) => {
    expect(eventsOf(row)).toEqual([]);
  });
});
