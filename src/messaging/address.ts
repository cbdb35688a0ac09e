import type { ChatInfo } from '../chatdb/types.ts';

/** How Messages is told whom a bubble is for. */
export type AddressForm =
  | { readonly kind: 'participant'; readonly handle: string; readonly service: 'iMessage' | 'SMS' | 'RCS' }
  | { readonly kind: 'chat'; readonly guid: string };

/** An E.164 number, a short code, or an e-mail address. No control character: an argument holds no NUL. */
const HANDLE = /^(\+?\d{3,15}|[^\s\p{Cc}@]+@[^\s\p{Cc}@]+)$/u;
/** Digits that tell a number from every other: a national number without its area has that many. */
const TELLING_DIGITS = 7;

/**
 * The forms to try, in order; none when Messages cannot know the thread. A conversation of two goes to the person
 * first, because Messages often has the chat of a person in chat.db but not loaded (-1728); a group has no form but
 * its chat id.
 */
export function addressForms(threadId: string, chat: ChatInfo | undefined): AddressForm[] {
  if (chat?.isGroup) return [{ kind: 'chat', guid: chat.guid }];
  if (chat) {
    return [
      { kind: 'participant', handle: chat.identifier, service: serviceOf(chat.service) },
      { kind: 'chat', guid: chat.guid },
    ];
  }
  return HANDLE.test(threadId) ? [{ kind: 'participant', handle: threadId, service: 'iMessage' }] : [];
}

/** AppleScript knows three service types; iMessageLite (satellite) is iMessage there, and `any` is none of them. */
function serviceOf(service: string): 'iMessage' | 'SMS' | 'RCS' {
  const upper = service.toUpperCase();
  return upper === 'SMS' || upper === 'RCS' ? upper : 'iMessage';
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
