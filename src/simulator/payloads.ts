import { randomUUID } from 'node:crypto';
import { type ArchivedValue, archivedUrl, encodeKeyedArchive } from './keyedArchive.ts';

/** balloon_bundle_id of an app's extension: team and extension follow. */
const EXTENSION = 'com.apple.messages.MSMessageExtensionBalloonPlugin';

export const URL_BALLOON = 'com.apple.messages.URLBalloonProvider';
/** Apple's own extensions have the team 0000000000. */
export const POLLS = `${EXTENSION}:0000000000:com.apple.messages.Polls`;

/** What an app draws, and the bundle id that says which app. */
export const BUNDLES = {
  handwriting: 'com.apple.Handwriting.HandwritingProvider',
  digital_touch: 'com.apple.DigitalTouchBalloonProvider',
  apple_cash: `${EXTENSION}:0000000000:com.apple.PassbookUIService.PeerPaymentMessagesExtension`,
  poll: POLLS,
  check_in: `${EXTENSION}:0000000000:com.apple.SafetyMonitorApp.SafetyMonitorMessages`,
  find_my: `${EXTENSION}:0000000000:com.apple.findmy.FindMyMessagesApp`,
  fitness: `${EXTENSION}:0000000000:com.apple.ActivityMessagesApp.MessagesExtension`,
  photos: `${EXTENSION}:0000000000:com.apple.mobileslideshow.PhotosMessagesApp`,
  business: `${EXTENSION}:0000000000:com.apple.icloud.apps.messages.business.extension`,
  app: `${EXTENSION}:EWFNLB79LQ:com.gamerdelights.gamepigeon.ext`,
} as const;

export interface LinkPreview {
  readonly url: string;
  readonly title?: string;
  readonly summary?: string;
  readonly siteName?: string;
}

/** payload_data of a link: a RichLink with its LPLinkMetadata. */
export function encodeLink({ url, title, summary, siteName }: LinkPreview): Buffer {
  const metadata = {
    className: 'LPLinkMetadata',
    fields: {
      version: 1,
      originalURL: archivedUrl(url),
      URL: archivedUrl(url),
      ...(title !== undefined && { title }),
      ...(summary !== undefined && { summary }),
      ...(siteName !== undefined && { siteName }),
    },
  };
  return encodeKeyedArchive({
    className: 'RichLink',
    fields: { richLinkIsPlaceholder: false, richLinkMetadata: metadata },
  });
}

/** What an app's balloon reads, by the keys of its archive. */
export interface AppLayout {
  /** `an` */
  readonly appName?: string;
  /** `ldtext`: the balloon in words. */
  readonly summary?: string;
  readonly caption?: string;
  readonly subcaption?: string;
  readonly title?: string;
  readonly subtitle?: string;
  readonly url?: string;
}

/** payload_data of an app's extension: a dictionary with a template layout. */
export function encodeApp(layout: AppLayout): Buffer {
  const userInfo: Record<string, ArchivedValue> = {
    ...(layout.caption !== undefined && { caption: layout.caption }),
    ...(layout.subcaption !== undefined && { subcaption: layout.subcaption }),
    ...(layout.title !== undefined && { 'image-title': layout.title }),
    ...(layout.subtitle !== undefined && { 'image-subtitle': layout.subtitle }),
  };
  return encodeKeyedArchive({
    ...(layout.appName !== undefined && { an: layout.appName }),
    ...(layout.summary !== undefined && { ldtext: layout.summary }),
    URL: archivedUrl(layout.url ?? 'data:,'),
    layoutClass: 'MSMessageTemplateLayout',
    userInfo,
    sessionIdentifier: {
      className: 'NSUUID',
      fields: { 'NS.uuidbytes': Buffer.from(randomUUID().replaceAll('-', ''), 'hex') },
    },
  });
}

export interface PollOption {
  readonly optionIdentifier: string;
  readonly text: string;
}

/** What a poll, or a vote in one, is about. */
export type PollItem =
  | { readonly title: string; readonly creatorHandle: string; readonly orderedPollOptions: readonly PollOption[] }
  | { readonly votes: readonly { readonly participantHandle: string; readonly voteOptionIdentifier: string }[] };

/** payload_data of a poll or a vote: an app's archive whose URL holds JSON in base64. */
export function encodePoll(item: PollItem): Buffer {
  const json = Buffer.from(JSON.stringify({ version: 1, item })).toString('base64');
  const count = 'votes' in item ? item.votes.length : item.orderedPollOptions.length;
  return encodeApp({
    appName: 'Polls',
    summary: 'votes' in item ? 'Voted' : 'Sent a poll',
    url: `data:,${json}?src=p&c=${count}`,
  });
}
