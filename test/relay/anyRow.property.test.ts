import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChatRow } from '../../src/chatdb/types.ts';
import { classify } from '../../src/relay/classify.ts';
import { fingerprintOf } from '../../src/relay/fingerprint.ts';
import { revisionEvents } from '../../src/relay/revisionEvents.ts';
import { groupCreated } from '../../src/relay/rowEvents.ts';
import { threadOf, toRequest } from '../../src/relay/toRequest.ts';
import { FUZZ_MS, fuzzing } from '../fuzz/fuzzing.ts';
import { attachment } from '../support/chatRow.ts';
import { ANNA, around, BERT, balloon, GROUP, message, PAIR, privacy, said, summary } from './messageRows.ts';
import { strictEvent, strictRequest } from './strictRequest.ts';

const odd = fc.constantFrom('', '\ufffc', '\ufffd', 'hi', 'Loved “hi”', 'https://example.com/', '\ud800', ' \n');
const number = fc.oneof(fc.integer(), fc.constantFrom(0, 1000, 2000, 2006, 3007, 4000, Number.NaN, 1e300, -1));
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const versions = fc.array(fc.record({ text: odd, writtenAt: maybe(number) }), { maxLength: 4 });

/** Rows as a damaged database, or a later macOS, may hold them. */
const anyRow: fc.Arbitrary<ChatRow> = fc
  .record({
    isFromMe: fc.boolean(),
    dateAt: maybe(fc.integer({ min: 0, max: 4e12 })),
    rawDate: fc.constantFrom('0', '', '802008000000000000', '9223372036854775807'),
    service: fc.constantFrom('iMessage', 'SMS', 'rcs', '', 'any', 'Pigeon'),
    handle: maybe(fc.constantFrom(ANNA, BERT, '')),
    chat: maybe(fc.constantFrom(PAIR, GROUP, { ...GROUP, identifier: '' })),
    words: odd,
    subject: maybe(odd),
    bodyBytes: fc.constantFrom(0, 9),
    decodeError: maybe(fc.constant('damaged')),
    association: maybe(fc.record({ type: number, targetGuid: maybe(odd), part: maybe(number), emoji: maybe(odd) })),
    action: maybe(
      fc.record({
        itemType: number,
        actionType: number,
        title: maybe(odd),
        otherHandle: maybe(fc.constantFrom(ANNA, BERT, '')),
        shareStatus: number,
      }),
    ),
    app: maybe(fc.constantFrom(balloon('link').balloon, balloon('poll').balloon, balloon('app', { app: '' }).balloon)),
    previousGuid: maybe(fc.constantFrom('M-6', 'gone')),
    edits: maybe(fc.record({ edits: fc.array(fc.tuple(number, versions)), unsentParts: fc.array(number) })),
    editedAt: maybe(fc.integer({ min: 0, max: 4e12 })),
    isEmpty: fc.boolean(),
    isAudio: fc.boolean(),
    isScheduled: fc.boolean(),
    cacheHasAttachments: fc.boolean(),
    attachments: fc.constantFrom([], [attachment({ guid: 'a', transferState: 'pending' })]),
  })
  .map(({ words, app, edits, bodyBytes, ...rest }) => ({
    ...message({ ...rest, ...(bodyBytes > 0 ? said(words) : { text: words }) }),
    bodyBytes,
    balloon: app,
    summary: edits && summary({ ...edits, edits: new Map(edits.edits) }).summary,
  }));

const surroundings = around({ rows: [message({ guid: 'M-6', ...said('https://example.com') })], recent: ['hi'] });

describe('any row at all', () => {
  it('is one of the kinds, and what is told of it can be told', { timeout: FUZZ_MS }, () => {
    fc.assert(
      fc.property(anyRow, (row) => {
        const classified = classify(row, surroundings, privacy);
        const settled = classified.kind === 'incomplete' ? classified.otherwise : classified;
        expect(['own', 'event', 'skipped', 'message']).toContain(settled.kind);
        if (settled.kind === 'message' || settled.kind === 'skipped') expect(row.isFromMe).toBe(false);
        const told = revisionEvents(row, { privacy, handedOver: true, threadId: ANNA });
        const event = 'event' in settled ? settled.event : undefined;
        for (const one of [event, groupCreated(row), ...told]) {
          if (!one) continue;
          expect(one.event_id).toMatch(/^[\w:,.+-]{1,200}$/);
          const { thread_id: _, ...event } = strictEvent.parse({ ...one, thread_id: ANNA });
          expect(JSON.parse(JSON.stringify(event.details))).toBeTypeOf('object');
        }
        const request = toRequest(row, threadOf(row) ?? ANNA, { privacy, backfill: false, now: 0 });
        strictRequest.parse(request);
        fingerprintOf(row);
      }),
      fuzzing(3000),
    );
  });

  it('gives the same ids each time it is looked at', { timeout: FUZZ_MS }, () => {
    fc.assert(
      fc.property(anyRow, (row) => {
        const ids = () => {
          const told = revisionEvents(row, { privacy, handedOver: true, threadId: ANNA });
          return [JSON.stringify(classify(row, surroundings, privacy)), ...told.map(({ event_id }) => event_id)];
        };
        expect(ids()).toEqual(ids());
      }),
      fuzzing(100),
    );
  });
});
