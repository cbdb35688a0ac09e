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

/** Whether a message is one that an entry of `privacy.threads` speaks of: a thread id, a handle or `service:…`. */
export function entryMatcher(entry: string): (about: AboutMessage) => boolean {
  const service = /^service:(.*)$/i.exec(entry)?.[1];
  if (service !== undefined) return (about) => isService(about.service, service);
  const matches = addressMatcher(entry);
  return ({ threadId, sender }) => matches(threadId) || (sender !== undefined && matches(sender));
}

/** Whether a handle or thread id is the one in the settings, written as people or as chat.guid write it. */
export function addressMatcher(wanted: string): (address: string) => boolean {
  const bare = wanted.trim().replace(/^\w+;[+-];/, '');
  const plain = /^\+?[\d\s().-]+$/.test(bare) ? bare.replaceAll(/[^\d+]/g, '') : bare;
  return (address) => sameHandle(address, plain) || address === bare;
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
