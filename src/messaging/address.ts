import type { ChatInfo } from '../chatdb/types.ts';

/** How Messages is told whom a bubble is for. */
export type AddressForm =
  | { readonly kind: 'participant'; readonly handle: string; readonly service: 'iMessage' | 'SMS' | 'RCS' }
  | { readonly kind: 'chat'; readonly guid: string };

/** An E.164 number, a short code, or an e-mail address. */
const HANDLE = /^(\+?\d{3,15}|[^\s@]+@[^\s@]+)$/;

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
