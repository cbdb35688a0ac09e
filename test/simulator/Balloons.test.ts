import { describe, expect, it } from 'vitest';
import { readKeyedArchive } from './readBplist.ts';
import { readRows } from './readRows.ts';
import { query, simulatedMac } from './simulatedMac.ts';

const from = '+15550100001';
const preview = { url: 'https://example.com/fox', title: 'A fox', summary: 'It is red.' };
const ATTACHMENTS = `SELECT a.transfer_name AS name, a.hide_attachment AS hidden, a.mime_type AS type
  FROM attachment a JOIN message_attachment_join j ON j.attachment_id = a.ROWID`;

function payload(path: string, guid: string) {
  const [row] = query(path, 'SELECT payload_data AS payload FROM message WHERE guid = ?', guid);
  return readKeyedArchive(row!.payload as Buffer);
}

describe('a link', () => {
  it('in one row becomes a balloon some time after it is there', async () => {
    const mac = await simulatedMac({ delays: { previewMs: 20 } });
    const { guid } = mac.balloons.link({ from, preview, text: 'look: https://example.com/fox !' });
    expect(readRows(mac)).toMatchObject([{ guid, balloon: undefined, text: 'look: https://example.com/fox !' }]);
    expect(readRows(mac)[0]!.body!.links).toMatchObject([{ url: preview.url, start: 6 }]);
    await mac.settled();
    const [row] = readRows(mac);
    expect(row!.balloon?.bundleId).toBe('com.apple.messages.URLBalloonProvider');
    expect(payload(mac.chatDbPath, guid)).toMatchObject({
      richLinkIsPlaceholder: false,
      richLinkMetadata: { originalURL: preview.url, URL: preview.url, title: 'A fox', summary: 'It is red.' },
    });
    const [picture] = query(mac.chatDbPath, ATTACHMENTS);
    expect(picture).toMatchObject({ hidden: 1, type: null });
    expect(picture!.name).toMatch(/\.pluginPayloadAttachment$/);
  });

  it('in two rows is the text, and a row with the link alone that points back to it', async () => {
    const mac = await simulatedMac();
    const sent = mac.balloons.link({
      from,
      preview,
      text: 'look: https://example.com/fox',
      form: 'two-rows',
      previewMs: 30,
    });
    expect(readRows(mac)).toHaveLength(1);
    await mac.settled();
    const [text, balloon] = readRows(mac);
    expect(text).toMatchObject({ guid: sent.guid, balloon: undefined });
    expect(balloon).toMatchObject({ guid: sent.preview, text: preview.url, previousGuid: sent.guid });
    expect(balloon!.dateAt!).toBeGreaterThan(text!.dateAt!);
    expect(payload(mac.chatDbPath, sent.preview!)).toMatchObject({ richLinkMetadata: { title: 'A fox' } });
  });
});

describe('what an app draws', () => {
  it.each([
    [
      'apple_cash',
      { appName: 'Apple Pay', summary: 'Sent $5 with Apple Pay.', caption: 'Apple Cash', subcaption: '$5' },
    ],
    ['check_in', { appName: 'Check In', caption: 'Check In: timer started' }],
    ['app', { appName: 'GamePigeon', summary: 'Dots & Boxes', caption: 'Your move.', title: 'T', subtitle: 'S' }],
  ] as const)('%s is a row of U+FFFD with an archive of its words', async (kind, layout) => {
    const mac = await simulatedMac();
    const guid = mac.balloons.app({ from, kind, layout });
    expect(readRows(mac)).toMatchObject([
      { guid, text: '\uFFFD', balloon: { bundleId: expect.stringContaining('MSMessageExtension') } },
    ]);
    const words = payload(mac.chatDbPath, guid) as { an: string; ldtext?: string; userInfo: Record<string, string> };
    expect([words.an, words.ldtext]).toEqual([layout.appName, 'summary' in layout ? layout.summary : undefined]);
    expect(words.userInfo.caption).toBe(layout.caption);
  });

  it('a poll holds its question and options in the address', async () => {
    const mac = await simulatedMac();
    const guid = mac.balloons.app({ from, kind: 'poll', poll: { question: 'Lunch?', options: ['Pizza', '🍣'] } });
    const { URL } = payload(mac.chatDbPath, guid) as { URL: string };
    const { item } = JSON.parse(Buffer.from(/^data:,([^?]*)/.exec(URL)![1]!, 'base64').toString());
    expect(item).toMatchObject({ title: 'Lunch?', creatorHandle: from });
    expect(item.orderedPollOptions.map(({ text }: { text: string }) => text)).toEqual(['Pizza', '🍣']);
  });

  it.each(['handwriting', 'digital_touch'] as const)('%s has no property list', async (kind) => {
    const mac = await simulatedMac();
    mac.balloons.app({ from, kind });
    const [row] = query(mac.chatDbPath, 'SELECT payload_data AS payload FROM message');
    expect((row!.payload as Buffer).includes('bplist')).toBe(false);
  });

  it('can have a damaged archive, or none', async () => {
    const mac = await simulatedMac();
    mac.balloons.app({ from, kind: 'app', payload: Buffer.from('bplist00').toString('base64') });
    mac.balloons.app({ from, kind: 'app', payload: null });
    const rows = query(mac.chatDbPath, 'SELECT payload_data AS payload FROM message');
    expect(rows).toEqual([{ payload: Buffer.from('bplist00') }, { payload: null }]);
  });
});
