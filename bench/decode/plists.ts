import { encodeArchive, encodePlist, rawArray, rawPlist, real } from '../../test/chatdb/support/plistEncoder.ts';
import { encodeText } from '../../test/chatdb/support/typedstreamEncoder.ts';

/** Summaries of edited and unsent messages, and payloads of a link, an app and a poll. */
export function ordinaryPlists(): Buffer[] {
  const version = (text: string, at: number) => ({ d: real(at), t: encodeText(text), bcg: 'guid' });
  const poll = { item: { title: 'Lunch?', orderedPollOptions: [{ text: 'Pizza' }, { text: 'Sushi' }] } };
  const metadata = {
    object: 'LPLinkMetadata',
    members: {
      title: 'A page',
      summary: 'What it is about. '.repeat(10),
      URL: { url: 'https://example.com/a' },
      originalURL: { url: 'a', base: 'https://example.com' },
      icon: Buffer.alloc(2000, 'icon'),
      images: ['one', 'zwei ü', { date: 1_700_000_000_000 }],
    },
  };
  return [
    encodePlist({ ust: true, amc: 0 }),
    encodePlist({
      ec: { 0: [version('helo', 700_000_000.5), version('hello', 700_000_060)] },
      ep: [0],
      otr: { 0: { lo: 0, le: 4 } },
    }),
    encodePlist({ rp: [0, 1], otr: { 0: { lo: 0, le: 4 }, 1: { lo: 4, le: 1 } }, ams: 'wörds', amc: 1 }),
    encodeArchive(new Map([['richLinkMetadata', metadata]])),
    encodeArchive(
      new Map<string, string | Map<string, string>>([
        ['an', 'Tables'],
        ['ldtext', 'Your move'],
        ['userInfo', new Map([['caption', 'Table for 4']])],
      ]),
    ),
    encodeArchive(new Map([['URL', { url: `data:,${encodeURIComponent(JSON.stringify(poll))}?v=1` }]])),
  ];
}

/** What would take a reader without limits exponential time, or endless. */
export function plistTraps(): Buffer[] {
  const doubled = Array.from({ length: 40 }, (_, i) => rawArray(i + 1, i + 1));
  const chain = Array.from({ length: 40 }, (_, i) => ({ 'NS.objects': [{ UID: i + 2 }, { UID: i + 2 }] }));
  const members = Array.from({ length: 200 }, (_, i) => [`${'k'.repeat(250)}${i}`, i]);
  return [
    rawPlist([...doubled, [0x08]]),
    rawPlist([rawArray(0)]),
    overlapping(8000, 65_536),
    overlapping(18_000, 255),
    encodePlist(Object.fromEntries(members)),
    encodePlist(Array.from({ length: 18_000 }, (_, i) => i)),
    encodePlist({
      $archiver: 'NSKeyedArchiver',
      $top: { root: { UID: 1 } },
      $objects: ['$null', ...chain, 'end'],
    }),
    editedOften(),
  ];
}

/** A list of strings that all are the same bytes of the file. */
function overlapping(count: number, length: number): Buffer {
  const head = Buffer.from([0x5f, 0x12, 0, 0, 0, 0]);
  head.writeUInt32BE(length, 2);
  const text = Buffer.concat([head, Buffer.alloc(length, 0x61)]);
  const plist = rawPlist([text, rawArray(...Array.from({ length: count }, (_, i) => i + 2))], { root: 1 });
  const table = Buffer.alloc(count * 4);
  for (let i = 0; i < count; i++) table.writeUInt32BE(8, i * 4);
  const trailer = Buffer.from(plist.subarray(-32));
  trailer.writeBigUInt64BE(BigInt(count + 2), 8);
  return Buffer.concat([plist.subarray(0, -32), table, trailer]);
}

/** A summary whose versions are all one long text. */
function editedOften(): Buffer {
  const key = (name: string) => [0x50 | name.length, ...Buffer.from(name)];
  const body = encodeText('x'.repeat(500_000));
  const length = Buffer.from([0x4f, 0x12, 0, 0, 0, 0]);
  length.writeUInt32BE(body.length, 2);
  return rawPlist([
    [0xd1, 0, 1, 0, 2],
    key('ec'),
    [0xd1, 0, 3, 0, 4],
    key('0'),
    rawArray(...Array<number>(5000).fill(5)),
    [0xd1, 0, 6, 0, 7],
    key('t'),
    Buffer.concat([length, body]),
  ]);
}
