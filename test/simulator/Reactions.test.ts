import { describe, expect, it } from 'vitest';
import { readBplist, readKeyedArchive } from './readBplist.ts';
import { readRows } from './readRows.ts';
import { query, simulatedMac } from './simulatedMac.ts';

const from = '+15550100001';
const REACTIONS = `SELECT * FROM message WHERE associated_message_type > 0 ORDER BY ROWID`;

async function macWithMessage(o: Parameters<typeof simulatedMac>[0] = {}) {
  const mac = await simulatedMac(o);
  const target = mac.people.receive({ from, text: 'hello' });
  await mac.settled();
  return { mac, target };
}

describe('a tapback', () => {
  it.each([
    ['love', 2000, 'Loved “hello”', 'Removed a heart from “hello”'],
    ['like', 2001, 'Liked “hello”', 'Removed a like from “hello”'],
    ['dislike', 2002, 'Disliked “hello”', 'Removed a dislike from “hello”'],
    ['laugh', 2003, 'Laughed at “hello”', 'Removed a laugh from “hello”'],
    ['emphasize', 2004, 'Emphasized “hello”', 'Removed an exclamation from “hello”'],
    ['question', 2005, 'Questioned “hello”', 'Removed a question mark from “hello”'],
    ['emoji', 2006, 'Reacted 🦊 to “hello”', 'Removed 🦊 from “hello”'],
  ] as const)('%s is a row of type %i, and 1000 more when it is taken back', async (kind, type, words, removal) => {
    const { mac, target } = await macWithMessage();
    const emoji = kind === 'emoji' ? { emoji: '🦊' } : {};
    const first = mac.people.react({ from, target, kind, ...emoji });
    await mac.settled();
    const given = { type, targetGuid: target, part: 0, emoji: emoji.emoji };
    expect(readRows(mac)[1]).toMatchObject({ guid: first, association: given, text: words });
    const [row] = query(mac.chatDbPath, REACTIONS);
    expect(readBplist(row!.message_summary_info as Buffer)).toMatchObject({ ams: 'hello' });
    const second = mac.people.react({ from, target, kind, removed: true, ...emoji });
    await mac.settled();
    expect(readRows(mac)[1]).toMatchObject({
      guid: second,
      association: { ...given, type: type + 1000 },
      text: removal,
    });
  });

  it('can be a sticker, with its picture', async () => {
    const { mac, target } = await macWithMessage();
    mac.people.react({ from, target, kind: 'sticker' });
    mac.people.placeSticker({ from, target, sticker: { name: 'fox.heic' } });
    await mac.settled();
    expect(readRows(mac).slice(1)).toMatchObject([
      { association: { type: 2007 }, attachments: [{ isSticker: true }] },
      { association: { type: 1000 }, attachments: [{ isSticker: true, name: 'fox.heic' }] },
    ]);
  });

  it('points to a part, to the balloon, or to the bare guid', async () => {
    const { mac, target } = await macWithMessage();
    mac.people.react({ from, target, kind: 'love', part: 2 });
    mac.people.react({ from, target, kind: 'love', form: 'balloon' });
    mac.people.react({ from, target, kind: 'love', form: 'bare' });
    const forms = query(mac.chatDbPath, REACTIONS).map((row) => row.associated_message_guid);
    expect(forms).toEqual([`p:2/${target}`, `bp:${target}`, target]);
  });

  it('can be one’s own, beside the other party’s', async () => {
    const { mac, target } = await macWithMessage();
    mac.people.react({ from, target, kind: 'love' });
    mac.people.react({ from, target, kind: 'like', fromMe: true });
    mac.people.react({ from, target, kind: 'laugh', fromMe: true });
    await mac.settled();
    expect(readRows(mac).slice(1)).toMatchObject([
      { isFromMe: false, association: { type: 2000 } },
      { isFromMe: true, association: { type: 2003 } },
    ]);
  });

  it('stays in its group, whatever the member', async () => {
    const mac = await simulatedMac();
    const group = { id: 'chat831', participants: [from, '+15550100002'] };
    const target = mac.people.receive({ from, text: 'hi all', group });
    await mac.settled();
    mac.people.react({ from: '+15550100002', target, kind: 'love' });
    await mac.settled();
    expect(readRows(mac)[1]).toMatchObject({ handle: '+15550100002', chat: { identifier: 'chat831', isGroup: true } });
    expect(query(mac.chatDbPath, 'SELECT * FROM chat')).toHaveLength(1);
  });

  it('is an ordinary text of words where the other party has no iMessage', async () => {
    const { mac, target } = await macWithMessage();
    mac.people.react({ from, target, kind: 'love', asText: true });
    expect(readRows(mac)[1]).toMatchObject({ text: 'Loved “hello”', association: undefined });
  });

  it('has no emoji of its own before macOS 15', async () => {
    const { mac, target } = await macWithMessage({ macos: 13 });
    mac.people.react({ from, target, kind: 'emoji', emoji: '🦊' });
    expect(readRows(mac)[1]).toMatchObject({
      association: { type: 2006, emoji: undefined },
      text: 'Reacted 🦊 to “hello”',
    });
  });
});

it('a vote in a poll is a row of type 4000 that says who chose what', async () => {
  const mac = await simulatedMac();
  const poll = { question: 'Lunch?', options: ['Pizza', 'Sushi'] };
  const target = mac.balloons.app({ from, kind: 'poll', poll });
  await mac.settled();
  mac.people.vote({ from, target, options: ['2'], form: 'bare' });
  const [vote] = query(mac.chatDbPath, REACTIONS);
  expect(vote).toMatchObject({ associated_message_type: 4000, associated_message_guid: target });
  const { URL } = readKeyedArchive(vote!.payload_data as Buffer) as { URL: string };
  const json = Buffer.from(/^data:,([^?]*)/.exec(URL)![1]!, 'base64').toString();
  expect(JSON.parse(json)).toEqual({
    version: 1,
    item: { votes: [{ participantHandle: from, voteOptionIdentifier: '2' }] },
  });
});
