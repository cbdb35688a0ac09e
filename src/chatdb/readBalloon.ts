import type { Balloon, BalloonKind } from './Balloon.ts';
import { readArchive } from './plist/readPlist.ts';
import { readPoll } from './readPoll.ts';

/** Apple's own, by what their bundle ids contain; apps of others may well have the same words in theirs. */
const APPLE_KINDS: readonly (readonly [part: RegExp, kind: BalloonKind])[] = [
  [/URLBalloonProvider$/, 'link'],
  [/Handwriting/, 'handwriting'],
  [/DigitalTouch/, 'digital_touch'],
  [/PeerPayment/, 'apple_cash'],
  [/\.polls$/i, 'poll'],
  [/SafetyMonitor/, 'check_in'],
  [/findmy/i, 'find_my'],
  [/fitness|ActivityMessages/i, 'fitness'],
  [/Photos/, 'photos'],
  [/business/, 'business'],
];

type Words = Omit<Balloon, 'kind' | 'bundleId'>;
type Members = ReadonlyMap<string, unknown>;

const NO_WORDS: Words = { app: undefined, caption: undefined, url: undefined };
const NOTHING: Members = new Map();

/** Never throws: a payload that cannot be read leaves its words out. */
export function readBalloon(bundleId: string, payload: Uint8Array | undefined): Balloon {
  const kind = kindOf(bundleId);
  return { kind, bundleId, ...(payload ? wordsOf(kind, payload) : NO_WORDS) };
}

/** `com.apple.messages.MSMessageExtensionBalloonPlugin:<team>:<extension>`, or a bundle of the system itself. */
function kindOf(bundleId: string): BalloonKind {
  const extension = bundleId.slice(bundleId.lastIndexOf(':') + 1);
  if (!extension.startsWith('com.apple.')) return 'app';
  return APPLE_KINDS.find(([part]) => part.test(extension))?.[1] ?? 'app';
}

/** Handwriting and Digital Touch have strokes in theirs, no words, and not as a plist. */
function wordsOf(kind: BalloonKind, payload: Uint8Array): Words {
  let archive: Members | undefined;
  try {
    archive = readArchive(payload);
  } catch {
    return NO_WORDS;
  }
  if (!archive) return NO_WORDS;
  const root = archive.get('root');
  const contents = root instanceof Map ? root : archive;
  return kind === 'link' ? linkWords(contents) : appWords(kind, contents);
}

/** LPLinkMetadata; older previews have it under `metadata` (imessage-exporter). */
function linkWords(contents: Members): Words {
  const metadata = members(contents, 'richLinkMetadata') ?? members(contents, 'metadata') ?? NOTHING;
  const summary = text(metadata, 'summary');
  return {
    app: text(metadata, 'siteName'),
    caption: text(metadata, 'title'),
    ...(summary !== undefined && { subcaption: summary }),
    url: text(metadata, 'originalURL') ?? text(metadata, 'URL'),
  };
}

/** MSMessageTemplateLayout: `an` the app, `ldtext` what stands for the balloon in a notification. */
function appWords(kind: BalloonKind, contents: Members): Words {
  const layout = members(contents, 'userInfo') ?? NOTHING;
  const url = text(contents, 'URL');
  const caption = text(layout, 'caption');
  const subcaption = text(layout, 'subcaption');
  const app = text(contents, 'an');
  if (kind === 'poll') {
    const poll = url === undefined ? undefined : readPoll(url);
    return { app, caption: poll?.question ?? caption, ...(poll && { options: poll.options }), url: undefined };
  }
  // Of money the caption says whose it is, and the line below how much.
  const isMoney = kind === 'apple_cash' && subcaption !== undefined;
  const other = isMoney ? caption : subcaption;
  return {
    app,
    caption: isMoney ? subcaption : (caption ?? text(contents, 'ldtext') ?? text(layout, 'image-title')),
    ...(other !== undefined && { subcaption: other }),
    url: url !== undefined && /^https?:/i.test(url) ? url : undefined,
  };
}

function members(from: Members, name: string): Members | undefined {
  const value = from.get(name);
  return value instanceof Map ? value : undefined;
}

/** Undefined for an empty one too. A URL may be wrapped in an object of the same name. */
function text(from: Members, name: string): string | undefined {
  const value = from.get(name);
  const inner: unknown = value instanceof Map ? value.get(name) : value;
  return typeof inner === 'string' && inner !== '' ? inner : undefined;
}
