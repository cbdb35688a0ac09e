import { describe, expect, it } from 'vitest';
import { readBalloon } from '../../src/chatdb/readBalloon.ts';
import { type Archived, encodeArchive, encodePlist } from './support/plistEncoder.ts';

const EXTENSION = 'com.apple.messages.MSMessageExtensionBalloonPlugin:0000000000:';
const POLLS = `${EXTENSION}com.apple.messages.Polls`;
const archive = (entries: Record<string, Archived>) => encodeArchive(new Map(Object.entries(entries)));
const layout = (entries: Record<string, Archived>) => new Map(Object.entries(entries));

describe('readBalloon', () => {
  it.each([
    ['com.apple.messages.URLBalloonProvider', 'link'],
    ['com.apple.Handwriting.HandwritingProvider', 'handwriting'],
    ['com.apple.DigitalTouchBalloonProvider', 'digital_touch'],
    [`${EXTENSION}com.apple.PassbookUIService.PeerPaymentMessagesExtension`, 'apple_cash'],
    [POLLS, 'poll'],
    ['com.apple.messages.Polls', 'poll'],
    [`${EXTENSION}com.apple.SafetyMonitorApp.SafetyMonitorMessages`, 'check_in'],
    [`${EXTENSION}com.apple.findmy.FindMyMessagesApp`, 'find_my'],
    [`${EXTENSION}com.apple.ActivityMessagesApp.MessagesExtension`, 'fitness'],
    [`${EXTENSION}com.apple.mobileslideshow.PhotosMessagesApp`, 'photos'],
    [`${EXTENSION}com.apple.icloud.apps.messages.business.extension`, 'business'],
    ['com.apple.messages.MSMessageExtensionBalloonPlugin:ABCDE12345:com.example.fitness.Polls', 'app'],
    ['something new', 'app'],
  ])('knows %s as %s', (bundleId, kind) => {
    expect(readBalloon(bundleId, undefined)).toEqual({
      kind,
      bundleId,
      app: undefined,
      caption: undefined,
      url: undefined,
    });
  });

  it("reads a link's page: its title, description, site and address as it was written", () => {
    const metadata: Archived = {
      object: 'LPLinkMetadata',
      members: {
        title: 'A page',
        summary: 'What it is about',
        siteName: 'Example',
        URL: { url: 'https://www.example.com/a' },
        originalURL: { url: 'https://example.com/a' },
      },
    };
    expect(readBalloon('com.apple.messages.URLBalloonProvider', archive({ richLinkMetadata: metadata }))).toMatchObject(
      {
        kind: 'link',
        app: 'Example',
        caption: 'A page',
        subcaption: 'What it is about',
        url: 'https://example.com/a',
      },
    );
  });

  it('reads a link whose preview is not loaded yet', () => {
    const metadata: Archived = { object: 'LPLinkMetadata', members: { originalURL: { url: 'https://example.com/a' } } };
    const payload = archive({ richLinkMetadata: metadata, richLinkIsPlaceholder: true });
    expect(readBalloon('com.apple.messages.URLBalloonProvider', payload)).toEqual({
      kind: 'link',
      bundleId: 'com.apple.messages.URLBalloonProvider',
      app: undefined,
      caption: undefined,
      url: 'https://example.com/a',
    });
  });

  it('reads the amount of a payment', () => {
    const payload = archive({
      an: 'Apple Pay',
      ldtext: 'Sent $5.00 with Apple Pay.',
      URL: { url: 'data:application/vnd.apple.pkppm;base64,AAAA' },
      userInfo: layout({ caption: 'Apple Cash', subcaption: '$5.00' }),
    });
    expect(readBalloon(`${EXTENSION}com.apple.PassbookUIService.PeerPaymentMessagesExtension`, payload)).toMatchObject({
      kind: 'apple_cash',
      app: 'Apple Pay',
      caption: '$5.00',
      subcaption: 'Apple Cash',
      url: undefined,
    });
  });

  it("reads an app's name, its words and a web address", () => {
    const payload = archive({
      an: 'Tables',
      URL: { url: 'https://example.com/book?id=1' },
      userInfo: layout({ caption: 'Table for 4', subcaption: 'Tap to accept', 'image-title': 'The Grill' }),
    });
    expect(readBalloon(`${EXTENSION}com.example.tables`, payload)).toMatchObject({
      kind: 'app',
      app: 'Tables',
      caption: 'Table for 4',
      subcaption: 'Tap to accept',
      url: 'https://example.com/book?id=1',
    });
  });

  it('takes what stands for a balloon in notifications where its layout has no words', () => {
    const payload = archive({ an: 'Games', ldtext: 'Your move', URL: { url: 'data:?ver=48' } });
    expect(readBalloon(`${EXTENSION}com.example.games`, payload)).toMatchObject({
      caption: 'Your move',
      url: undefined,
    });
  });

  const poll = {
    version: 1,
    item: {
      title: 'Lunch?',
      creatorHandle: '+15550100001',
      orderedPollOptions: [{ text: 'Pizza', optionIdentifier: 'A' }, { attributedText: 'Sushi' }, { odd: true }],
    },
  };
  it.each([
    ['percent-encoded', encodeURIComponent(JSON.stringify(poll))],
    ['as it is', JSON.stringify(poll)],
    ['as base64', Buffer.from(JSON.stringify(poll)).toString('base64')],
  ])("reads a poll's question and options, %s", (_name, data) => {
    const payload = archive({ an: 'Polls', ldtext: 'Sent a poll', URL: { url: `data:,${data}?v=1` } });
    expect(readBalloon(POLLS, payload)).toMatchObject({
      kind: 'poll',
      caption: 'Lunch?',
      options: ['Pizza', 'Sushi'],
      url: undefined,
    });
  });

  it.each(['data:,', 'data:,%', 'data:,{"item":{"votes":[]}}', 'data:,null', 'https://example.com', 'data:,[[['])(
    'gives no options for a poll with the address %s',
    (url) => {
      expect(readBalloon(POLLS, archive({ URL: { url } }))).not.toHaveProperty('options');
    },
  );

  it.each([
    ['no plist', Buffer.from('\x08\x01\x12')],
    ['a damaged plist', encodePlist({ a: 1 }).subarray(0, 30)],
    ['a plist that is no archive', encodePlist({ an: 'x' })],
    ['an archive of something else', encodeArchive('text')],
  ])('leaves the words out where the payload is %s', (_name, payload) => {
    expect(readBalloon(`${EXTENSION}com.example.games`, payload)).toMatchObject({ kind: 'app', app: undefined });
  });
});
