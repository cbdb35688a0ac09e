import { sameHandle } from '../messaging/address.ts';

/** What is known of a message when it is decided whether it may be handed over. */
export interface AboutMessage {
  readonly threadId: string;
  /** The handle it came from; undefined where none is known. */
  readonly sender: string | undefined;
  /** As chat.db has it. */
  readonly service: string;
  readonly text: string;
}

type Matches<T> = (about: T) => boolean;

/** Whether a message is one that an entry of `privacy.threads.deny` speaks of: a thread id, a handle or `service:…`. */
export function deniedBy(entry: string): Matches<AboutMessage> {
  return entryMatcher(entry, addressMatcher(entry));
}

/**
 * The same for `privacy.threads.allow`, where another number that ends alike must not pass: equal but for how it is
 * written. `+` is no matter of writing, because without a country one number is many.
 */
export function allowedBy(entry: string): Matches<AboutMessage> {
  const wanted = plain(entry);
  return entryMatcher(entry, (address) => plain(address) === wanted);
}

function entryMatcher(entry: string, matches: Matches<string>): Matches<AboutMessage> {
  const service = /^service:(.*)$/i.exec(entry)?.[1];
  if (service !== undefined) return (about) => isService(about.service, service);
  return ({ threadId, sender }) => matches(threadId) || (sender !== undefined && matches(sender));
}

/** Whether a handle or thread id is the one in the settings, in whatever form either is: rather one too many. */
export function addressMatcher(wanted: string): Matches<string> {
  const bare = plain(wanted);
  return (address) => sameHandle(plain(address), bare);
}

/** Written as people or as chat.guid write it, without marks that are not seen: a number's digits, an address. */
function plain(address: string): string {
  const bare = address
    .normalize('NFKC')
    .replaceAll(/[\p{Cf}\p{Cc}]/gu, '')
    .trim()
    .replace(/^\w+;[+-];/, '')
    .replace(/^(?:tel|sms|mailto):/i, '');
  if (/^\+?[\d\s().-]+$/.test(bare)) return bare.replaceAll(/[^\d+]/g, '');
  return bare.includes('@') ? bare.toLowerCase() : bare;
}

/** iMessageLite (by satellite) is iMessage; SMS and RCS are written in any case. */
export function isService(actual: string, wanted: string): boolean {
  const fold = (service: string) =>
    service
      .trim()
      .toLowerCase()
      .replace(/^imessagelite$/, 'imessage');
  return fold(actual) === fold(wanted);
}
