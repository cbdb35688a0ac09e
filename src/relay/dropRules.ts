import type { TextPattern } from '../util/TextPattern.ts';
import { type AboutMessage, addressMatcher, isService } from './threadRules.ts';

/** A rule of `privacy.drop`: every condition that is given must hold. */
export interface DropRule {
  readonly name: string;
  readonly pattern?: TextPattern | undefined;
  /** A kind of sender, or a handle. */
  readonly from?: string | undefined;
  readonly service?: string | undefined;
  readonly thread?: string | undefined;
}

/** Kinds of senders: digits too few for a telephone or a name (alphanumeric sender), Business Chat, e-mail, telephone. */
const KINDS: Readonly<Record<string, (handle: string) => boolean>> = {
  short_code: (handle) => /^\d{1,6}$/.test(handle) || /^(?!\d+$)[\p{L}\p{N} ._&-]+$/u.test(handle),
  business: (handle) => /^urn:biz:/i.test(handle),
  email: (handle) => /^[^\s@]+@[^\s@]+$/.test(handle),
  phone: (handle) => /^(?:\+\d{3,15}|\d{7,15})$/.test(handle),
};

export function dropMatcher(rule: DropRule): (about: AboutMessage) => boolean {
  const { pattern, from, service, thread } = rule;
  const kind = from === undefined ? undefined : (KINDS[from] ?? addressMatcher(from));
  const isThread = thread === undefined ? undefined : addressMatcher(thread);
  return (about) =>
    (service === undefined || isService(about.service, service)) &&
    (isThread?.(about.threadId) ?? true) &&
    (kind === undefined || (about.sender !== undefined && kind(about.sender))) &&
    (pattern?.test(about.text) ?? true);
}
