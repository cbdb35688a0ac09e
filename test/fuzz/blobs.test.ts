import { expect, it } from 'vitest';
import { readArchive, readPlist } from '../../src/chatdb/plist/readPlist.ts';
import { readBalloon } from '../../src/chatdb/readBalloon.ts';
import { readPoll } from '../../src/chatdb/readPoll.ts';
import { readSummary } from '../../src/chatdb/readSummary.ts';
import { decodeBody, decodeText } from '../../src/chatdb/typedstream/decodeBody.ts';
import { MAX_WORK } from '../../src/chatdb/typedstream/limits.ts';
import { EdgeError } from '../../src/util/EdgeError.ts';
import { encodeArchive, encodePlist } from '../chatdb/support/plistEncoder.ts';
import { attributes, encodeBody, encodeText, type Value } from '../chatdb/support/typedstreamEncoder.ts';
import { FUZZ_MS, fuzz } from './fuzzing.ts';
import { damagedBytes } from './inputs.ts';

const BODIES = [
  encodeText('hello'),
  encodeBody('Hi @Anna \ufffc', [
    { length: 3, attributes: attributes({ part: 0 }) },
    {
      length: 5,
      attributes: attributes({ part: 0, mention: '+15550100003', link: { url: 'b', base: 'https://a.example' } }),
    },
    {
      length: 2,
      attributes: new Map<string, Value>([['n', [1, { double: 0.5 }, new Map([['d', { unknown: 'NSX' }]])]]]),
    },
  ]),
];

function valueOrRefusal<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof EdgeError && error.code === 'EDGE_BODY_UNDECODABLE') return undefined;
    throw error;
  }
}

/** How many values there are in it, each counted as often as it is met. */
function sizeOf(value: unknown): number {
  if (value instanceof Map) return [...value.values()].reduce((sum: number, inner) => sum + sizeOf(inner), 1);
  return Array.isArray(value) ? value.reduce((sum: number, inner) => sum + sizeOf(inner), 1) : 1;
}

it('reads any attributedBody, or refuses it by name, and makes of it no more than it holds', { timeout: FUZZ_MS }, () =>
  fuzz('attributedBody', 4000, damagedBytes(BODIES), (bytes) => {
    const body = valueOrRefusal(() => decodeBody(bytes));
    const text = valueOrRefusal(() => decodeText(bytes));
    if (body === undefined) return;
    expect(text).toBe(body.text);
    expect(body.text.length).toBeLessThanOrEqual(bytes.length);
    expect(body.runs.reduce((sum, { attributes }) => sum + sizeOf(attributes), 0)).toBeLessThan(MAX_WORK);
    for (const { start, length } of [...body.runs, ...body.parts]) {
      expect(start >= 0 && length >= 0 && start + length <= body.text.length).toBe(true);
    }
  }),
);

const poll = { item: { title: 'Where?', orderedPollOptions: [{ text: 'Here' }, { attributedText: 'There' }] } };
const POLL = `data:,${encodeURIComponent(JSON.stringify(poll))}?x=1`;
const PLISTS = [
  encodePlist({ a: [1, 2.5, 'x', 'wide ü', Buffer.from('data')], b: { c: new Date(0), d: true } }),
  encodePlist({
    ec: { 0: [{ d: 700_000_000, t: encodeText('before') }] },
    ep: [0],
    rp: [1],
    otr: { 0: { lo: 0, le: 5 } },
  }),
  encodeArchive(
    new Map<string, Parameters<typeof encodeArchive>[0]>([
      ['ldtext', 'A game'],
      ['URL', { url: POLL }],
      ['list', [{ url: 'a', base: 'https://example.com' }, { date: 0 }, 'text', 5]],
      [
        'richLinkMetadata',
        { object: 'LPLinkMetadata', members: { title: 'A page', URL: { url: 'https://example.com' } } },
      ],
    ]),
  ),
];
const KINDS = ['URLBalloonProvider', 'messages.MSMessageExtensionBalloonPlugin:0000000000:com.apple.messages.Polls'];

it(
  'reads any plist, or refuses it by name; any preview, app and summary it reads at least in part',
  { timeout: FUZZ_MS },
  () =>
    fuzz('plists', 4000, damagedBytes(PLISTS), (bytes) => {
      valueOrRefusal(() => readPlist(bytes));
      valueOrRefusal(() => readArchive(bytes));
      const summary = readSummary(bytes);
      for (const versions of summary?.edits.values() ?? []) {
        for (const { text } of versions) expect(text?.length ?? 0).toBeLessThanOrEqual(bytes.length);
      }
      for (const kind of KINDS) {
        const { caption, url, app } = readBalloon(`com.apple.${kind}`, bytes);
        for (const words of [caption, url, app]) expect(['string', 'undefined']).toContain(typeof words);
      }
    }),
);

it('reads any address as a poll or as none', { timeout: FUZZ_MS }, () => {
  const base64 = `data:application/json;base64,${Buffer.from(JSON.stringify(poll)).toString('base64')}`;
  return fuzz(
    'polls',
    3000,
    damagedBytes([POLL, base64, decodeURIComponent(POLL)].map((url) => Buffer.from(url))),
    (bytes) => {
      const found = readPoll(bytes.toString());
      for (const text of [found?.question, ...(found?.options ?? [])]) {
        expect(text === undefined || (typeof text === 'string' && text.length <= bytes.length)).toBe(true);
      }
    },
  );
});
