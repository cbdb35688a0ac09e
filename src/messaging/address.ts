import type { ThreadChat } from '../chatdb/types.ts';

/** The service types AppleScript knows; there is none for `any` or for satellite. */
export type Service = 'iMessage' | 'SMS' | 'RCS';

/** How Messages is told whom a bubble is for. */
export type AddressForm =
  | { readonly kind: 'participant'; readonly handle: string; readonly service: Service }
  | { readonly kind: 'chat'; readonly guid: string };

/** An E.164 number, a short code, or an e-mail address. No control character: an argument holds no NUL. */
const HANDLE = /^(\+?\d{3,15}|[^\s\p{Cc}@]+@[^\s\p{Cc}@]+)$/u;
/** What SMS reaches. */
const NUMBER = /^\+?\d{3,15}$/;
/** What chat.guid begins with since macOS 26, whatever the service. */
const ANY = 'any';
/** Digits that tell a number from every other: a national number without its area has that many. */
const TELLING_DIGITS = 7;

/**
 * The forms to try, in order; none when Messages cannot know the thread. `chat` is what chat.db has for it, and alone
 * says whether it is a group: identifiers of groups may look like anything.
 *
 * A conversation of two goes to the person first, because Messages often has the chat of a person in chat.db but not
 * loaded (-1728, openclaw/imsg #244); then to the chat as stored. A group has no person to go to: its chat as stored,
 * then with the other prefix, because since macOS 26 chat.db says `any;+;…` where Messages on some Macs still wants
 * `iMessage;+;…` (openclaw/imsg #90, photon-hq/imessage-kit #43). A handle is never altered to fit.
 */
export function addressForms(threadId: string, chat: ThreadChat | undefined): AddressForm[] {
  if (!chat) return HANDLE.test(threadId) ? [{ kind: 'participant', handle: threadId, service: 'iMessage' }] : [];
  const stored: AddressForm = { kind: 'chat', guid: chat.guid };
  if (!chat.isGroup) return [{ kind: 'participant', handle: chat.identifier, service: serviceOf(chat) }, stored];
  const other = withOtherPrefix(chat);
  return other === undefined ? [stored] : [stored, { kind: 'chat', guid: other }];
}

/** A person's number. */
export function isReachedBySms(threadId: string, chat: Pick<ThreadChat, 'isGroup'> | undefined): boolean {
  return chat !== undefined && !chat.isGroup && NUMBER.test(threadId);
}

/** What the thread's newest row came or went by; where that is not known, what its chat is said to be. */
export function serviceOf(chat: Pick<ThreadChat, 'service' | 'newestService'> | undefined): Service {
  return [chat?.newestService, chat?.service].map(known).find((service) => service !== undefined) ?? 'iMessage';
}

/** chat.db writes services in any case; iMessageLite is iMessage by satellite. */
function known(service: string | undefined): Service | undefined {
  switch (service?.toUpperCase()) {
    case 'IMESSAGE':
    case 'IMESSAGELITE':
      return 'iMessage';
    case 'SMS':
      return 'SMS';
    case 'RCS':
      return 'RCS';
    default:
      return undefined;
  }
}

/** `any;+;X` for `iMessage;+;X`, and the other way round. */
function withOtherPrefix(chat: ThreadChat): string | undefined {
  const at = chat.guid.indexOf(';');
  if (at < 0) return undefined;
  const prefix = chat.guid.slice(0, at);
  return `${prefix === ANY ? serviceOf({ ...chat, newestService: undefined }) : ANY}${chat.guid.slice(at)}`;
}

/**
 * Whether two handles are one address. Messages writes the chat of a person in its own form, whatever form it was asked
 * for: an e-mail address in lower case, a number in E.164.
 */
export function sameHandle(a: string, b: string): boolean {
  if (a === b || (a.includes('@') && a.toLowerCase() === b.toLowerCase())) return true;
  // Asked for each row of a block: most that are not the same differ here.
  if (a.slice(-TELLING_DIGITS) !== b.slice(-TELLING_DIGITS)) return false;
  const [short, long] = [digitsOf(a), digitsOf(b)].sort((x, y) => x.length - y.length) as [string, string];
  return short.length >= TELLING_DIGITS && long.endsWith(short);
}

/** Without `+` and the zeros that stand for a prefix; '' for what is no number. */
function digitsOf(handle: string): string {
  return /^\+?\d+$/.test(handle) ? handle.replace(/^\+?0*/, '') : '';
}
