import type { ChatRow } from '../chatdb/types.ts';
import type { EdgeEvent } from '../protocol/wire.ts';
import type { PrivacyFilter } from './privacy.ts';

/** What a row lacks. `echo`: it reads like a bubble of ours that Messages is just taking. */
export type Missing = 'chat' | 'sender' | 'body' | 'attachments' | 'download' | 'echo';

/** An event without its thread. */
export type EventDraft = Pick<EdgeEvent, 'event_id' | 'event_type' | 'details'>;

export type Classified =
  | { readonly kind: 'own' }
  | { readonly kind: 'event'; readonly event: EventDraft }
  | { readonly kind: 'skipped'; readonly reason: 'preview' | 'reaction' | 'unsent'; readonly event?: EventDraft }
  | { readonly kind: 'message' }
  | { readonly kind: 'incomplete'; readonly missing: Missing };

export interface Surroundings {
  isEcho(row: ChatRow): boolean;
  byGuid(guid: string): ChatRow | undefined;
  recentOf(row: ChatRow, limit: number): { guid: string; text: string; isFromMe: boolean; handle?: string }[];
  isFirstOfChat(row: ChatRow): boolean;
}

/**
 * What a row of chat.db is to the relay. Messages writes the row first and its chat, attachments, handle and body some
 * milliseconds later (two-step writes), so a row that lacks one of them may be whole a moment later.
 */
export function classify(row: ChatRow, around: Surroundings, _privacy: Pick<PrivacyFilter, 'redact'>): Classified {
  if (row.association || row.action) return { kind: 'event', event: draft(row) };
  if (row.isFromMe) return { kind: 'own' };
  if (row.isEmpty) return { kind: 'skipped', reason: 'unsent' };
  const missing = missingOf(row) ?? (around.isEcho(row) ? 'echo' : undefined);
  return missing === undefined ? { kind: 'message' } : { kind: 'incomplete', missing };
}

function draft(row: ChatRow): EventDraft {
  const { guid, association } = row;
  const event_type = association ? 'reaction_added' : 'group_changed';
  return { event_id: `row:${guid}`, event_type, details: { message_guid: association?.targetGuid ?? guid } };
}

function missingOf(row: ChatRow): Missing | undefined {
  if (!row.chat) return 'chat';
  if (row.handle === undefined && row.chat.isGroup) return 'sender';
  const { length } = row.attachments;
  // A body that cannot be decoded will not get better by waiting.
  if (row.text === '' && length === 0 && row.decodeError === undefined) return 'body';
  const announced = row.body?.attachments.length ?? 0;
  if (announced > length || (row.cacheHasAttachments && length === 0)) return 'attachments';
  return row.attachments.some(({ transferState }) => transferState === 'pending') ? 'download' : undefined;
}
