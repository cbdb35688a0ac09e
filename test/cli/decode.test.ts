import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decode } from '../../src/cli/decode.ts';
import type { Io } from '../../src/cli/Io.ts';
import { encodeArchive, encodePlist, real } from '../chatdb/support/plistEncoder.ts';
import { attributes, encodeBody, encodeText, type Value } from '../chatdb/support/typedstreamEncoder.ts';
import { tempDir } from '../support/tempDir.ts';

async function decoded(bytes: Uint8Array, options: { json?: boolean } = {}): Promise<string> {
  const path = join(tempDir(), 'blob');
  writeFileSync(path, bytes);
  let printed = '';
  const io: Io = {
    out: (text) => {
      printed += text;
    },
    err: (text) => {
      printed += text;
    },
    env: {},
    cwd: '/nowhere',
    exit: () => {
      throw new Error('exit');
    },
  };
  await decode([path], options, io);
  return printed.replaceAll(path, 'blob');
}
const json = async (bytes: Uint8Array) => JSON.parse(await decoded(bytes, { json: true }));

const CODE = new Map([
  ['code', '123456'],
  ['displayCode', '123456'],
]);
const BODY = encodeBody('Code 123456 now', [
  { length: 5, attributes: attributes({ part: 0 }) },
  {
    length: 6,
    attributes: new Map<string, Value>([
      ...attributes({ part: 0 }),
      ['__kIMOneTimeCodeAttributeName', CODE],
      [
        '__kIMDataDetectedAttributeName',
        encodeArchive({ object: 'DDScannerResult', members: { T: 'AuthCode' } }, 'dd-result'),
      ],
      ['big', 2n ** 60n],
    ]),
  },
  {
    length: 4,
    attributes: new Map<string, Value>([
      ...attributes({ part: 0 }),
      ['__kIMTextBoldAttributeName', 1],
      ['__kIMTextEffectAttributeName', 9],
    ]),
  },
]);

const SUMMARY = encodePlist({
  ec: {
    0: [
      { d: real(700_000_000.5), t: encodeText('helo') },
      { d: real(700_000_060), t: encodeText('hello') },
    ],
  },
  ep: [0],
  rp: [1],
  otr: { 0: { lo: 0, le: 4 } },
});

describe('edge-agent decode', () => {
  it('prints the runs of a body with their attributes, and what they mean', async () => {
    const shown = await json(BODY);
    expect(shown).toMatchObject({
      kind: 'body',
      codes: [{ code: '123456', displayCode: '123456', start: 5, length: 6 }],
      detections: [{ kind: 'data', type: 'AuthCode', start: 5, length: 6 }],
      styles: [{ style: 'bold', start: 11, length: 4 }],
      effects: [{ effect: 'shake', start: 11, length: 4 }],
      runs: [
        { start: 0, length: 5, attributes: 0 },
        { start: 5, length: 6, attributes: 1 },
        { start: 11, length: 4, attributes: 2 },
      ],
    });
    expect(shown.attributes[1]).toMatchObject({
      __kIMOneTimeCodeAttributeName: { code: '123456', displayCode: '123456' },
      __kIMDataDetectedAttributeName: { bytes: expect.any(Number), base64: expect.stringMatching(/^YnBsaXN0/) },
      big: String(2n ** 60n),
    });
    expect(await decoded(BODY)).toBe(
      [
        'blob',
        '  text         "Code 123456 now"',
        '  part 0       0–15',
        '  code         5–11 123456',
        '  style        11–15 bold',
        '  effect       11–15 shake',
        '  detected     5–11 data AuthCode',
        '',
      ].join('\n'),
    );
  });

  it('prints the edits and unsent parts of a summary', async () => {
    expect(await json(SUMMARY)).toMatchObject({
      kind: 'summary',
      edits: [
        {
          part: 0,
          versions: [
            { text: 'helo', at: '2023-03-08T20:26:40.500Z' },
            { text: 'hello', at: '2023-03-08T20:27:40.000Z' },
          ],
        },
      ],
      edited_parts: [0],
      unsent_parts: [1],
      original_ranges: [{ part: 0, start: 0, length: 4 }],
      associated_text: null,
      plist: { rp: [1], ec: { 0: [{ t: { bytes: expect.any(Number), base64: expect.any(String) } }, {}] } },
    });
    expect(await decoded(SUMMARY)).toBe(
      [
        'blob',
        '  part 0       2023-03-08T20:26:40.500Z "helo"',
        '  part 0       2023-03-08T20:27:40.000Z "hello"',
        '  edited       parts 0',
        '  unsent       parts 1',
        '  originally   part 0 at 0–4',
        '',
      ].join('\n'),
    );
  });

  it('prints the words of a payload and its archive', async () => {
    const url = {
      url: `data:,${encodeURIComponent('{"item":{"title":"Lunch?","orderedPollOptions":[{"text":"Pizza"}]}}')}`,
    };
    const poll = encodeArchive(
      new Map<string, string | typeof url>([
        ['an', 'Polls'],
        ['URL', url],
      ]),
    );
    expect(await json(poll)).toMatchObject({
      kind: 'payload',
      balloon: { app: 'Polls', caption: 'Lunch?', options: ['Pizza'], url: null },
      archive: { root: { an: 'Polls', URL: url.url } },
    });
    expect(await decoded(poll)).toBe('blob\n  app          Polls\n  caption      Lunch?\n  options      Pizza\n');
    const link = encodeArchive(
      new Map([
        [
          'richLinkMetadata',
          new Map([
            ['title', 'A page'],
            ['originalURL', 'https://example.com'],
          ]),
        ],
      ]),
    );
    expect(await decoded(link)).toBe('blob\n  caption      A page\n  url          https://example.com\n');
  });

  it('prints any other plist, with what JSON has no form for', async () => {
    const plist = encodePlist({
      when: new Date(0),
      bytes: Buffer.alloc(5000),
      uid: { UID: 3 },
      long: 2n ** 60n,
      __proto: 1,
    });
    expect(await json(plist)).toMatchObject({
      kind: 'plist',
      plist: {
        when: '1970-01-01T00:00:00.000Z',
        bytes: { bytes: 5000, base64: Buffer.alloc(1024).toString('base64') },
        uid: { uid: 3 },
        long: String(2n ** 60n),
      },
    });
  });

  it('prints a string that stands in very many places only so often', async () => {
    const long = 'x'.repeat(100_000);
    const runs = Array.from({ length: 1000 }, () => ({ length: 1, attributes: attributes({ part: 0, link: long }) }));
    const shown = await json(encodeBody('y'.repeat(1000), runs));
    expect(shown.links[0].url).toBe(long);
    expect(shown.links[999].url).toBe('…');
  });

  it('says of a damaged plist that it is one', async () => {
    expect(await decoded(SUMMARY.subarray(0, 60))).toMatch(/^blob: /);
    expect(await json(SUMMARY.subarray(0, 60))).toMatchObject({ code: 'EDGE_BODY_UNDECODABLE' });
  });
});
