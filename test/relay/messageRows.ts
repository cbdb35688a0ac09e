import type { Balloon } from '../../src/chatdb/Balloon.ts';
import type { MessageSummary } from '../../src/chatdb/MessageSummary.ts';
import { decodeBody } from '../../src/chatdb/typedstream/decodeBody.ts';
import type { Association, ChatInfo, ChatRow, GroupAction } from '../../src/chatdb/types.ts';
import type { Surroundings } from '../../src/relay/classify.ts';
import { createPrivacyFilter } from '../../src/relay/privacy.ts';
import { encodeText } from '../chatdb/support/typedstreamEncoder.ts';
import { chatRow } from '../support/chatRow.ts';

export const ANNA = '+15550100002';
export const BERT = '+15550100003';
export const AT = Date.UTC(2026, 5, 1, 12);
/** message.date of AT: nanoseconds since 2001. */
export const RAW_DATE = '802008000000000000';

export const PAIR: ChatInfo = {
  guid: `iMessage;-;${ANNA}`,
  identifier: ANNA,
  isGroup: false,
  service: 'iMessage',
  participants: [ANNA],
};
export const GROUP: ChatInfo = {
  guid: 'iMessage;+;chat831',
  identifier: 'chat831',
  isGroup: true,
  service: 'iMessage',
  participants: [ANNA, BERT],
};

export const privacy = createPrivacyFilter({ redact: ['payment_card'], denyThreads: [] });
export const CARD = '4242 4242 4242 4242';

/** A whole message of Anna; `change` makes it another. */
export function message(change: Partial<ChatRow> = {}): ChatRow {
  const handle = 'handle' in change ? change.handle : ANNA;
  return chatRow({
    rowid: 7,
    guid: 'M-7',
    dateAt: AT,
    rawDate: RAW_DATE,
    chat: PAIR,
    ...said('hello'),
    ...change,
    handle,
  });
}

/** A text with the body beside it, as Messages writes it. */
export function said(text: string): Pick<ChatRow, 'text' | 'body' | 'bodyBytes'> {
  const bytes = encodeText(text);
  return { text, body: decodeBody(bytes), bodyBytes: bytes.length };
}

export const NO_WORDS = { text: '', body: undefined, bodyBytes: 0 } as const;

export function tapback(type: number, change: Partial<Association> = {}): { association: Association } {
  return { association: { type, targetGuid: 'T-1', part: 0, emoji: undefined, ...change } };
}

export function action(itemType: number, actionType = 0, change: Partial<GroupAction> = {}): { action: GroupAction } {
  const nothing = { title: '', otherHandle: '', shareStatus: 0 };
  return { action: { itemType, actionType, ...nothing, ...change } };
}

export function balloon(kind: Balloon['kind'], change: Partial<Balloon> = {}): { balloon: Balloon } {
  return { balloon: { kind, bundleId: 'com.example', app: undefined, caption: undefined, url: undefined, ...change } };
}

export function summary(change: Partial<MessageSummary>): { summary: MessageSummary } {
  const nothing = { edits: new Map(), unsentParts: [], originalRanges: new Map(), associatedText: undefined };
  return { summary: { ...nothing, ...change } };
}

/** What else is in chat.db. */
export function around(
  o: { rows?: readonly ChatRow[]; recent?: readonly string[]; isEcho?: boolean } = {},
): Surroundings {
  return {
    isEcho: () => o.isEcho ?? false,
    byGuid: (guid) => o.rows?.find((row) => row.guid === guid),
    recentOf: (_row, limit) => (o.recent ?? []).slice(0, limit).map((text, index) => ({ guid: `R-${index}`, text })),
    isFirstOfChat: () => true,
  };
}
