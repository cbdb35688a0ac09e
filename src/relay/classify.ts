import type { ChatRow } from '../chatdb/types.ts';
import type { EdgeEvent } from '../protocol/wire.ts';
import { fallbackReaction, type RecentMessage } from './fallbackReaction.ts';
import type { Redactor } from './filterText.ts';
import { isLinkPreview } from './linkPreview.ts';
import { isNothingLeft, unsentEvent } from './revisionEvents.ts';
import { eventOfReaction, groupEvent, isReaction, isSticker, reactionEvent } from './rowEvents.ts';

/** An event without its thread, which the one who stores it adds. */
export type EventDraft = Omit<EdgeEvent, 'thread_id'>;

/**
 * What a row lacks. `download`: a file that Messages has not fetched yet. `echo`: it reads like a bubble of ours that
 * Messages is just taking.
 */
export type Missing = 'chat' | 'sender' | 'body' | 'attachments' | 'download' | 'echo';

/** What a row is once it is whole. */
export type Settled =
  /** An own message, or one to be sent later: nothing to tell. */
  | { readonly kind: 'own' }
  /** A row that is no message: a tapback, a change of the group. */
  | { readonly kind: 'event'; readonly event: EventDraft }
  /** A message row that is not handed over; what it was is told by the event, if it has one. */
  | { readonly kind: 'skipped'; readonly reason: 'preview' | 'reaction' | 'unsent'; readonly event?: EventDraft }
  | { readonly kind: 'message' };

export type Classified =
  | Settled
  | {
      readonly kind: 'incomplete';
      readonly missing: Missing;
      /** What the row is if what is missing never comes. */
      readonly otherwise: Settled;
      /** It can go as it is after the shortest wait: there is a text, only the body beside it may still come. */
      readonly isReadable: boolean;
    };

/** What a row cannot say of itself. */
export interface Surroundings {
  /** Whether it reads like a bubble of ours that is on its way. */
  isEcho(row: ChatRow): boolean;
  byGuid(guid: string): ChatRow | undefined;
  /** Messages of the same chat before this row, newest first. */
  recentOf(row: ChatRow, limit: number): readonly RecentMessage[];
  isFirstOfChat(row: ChatRow): boolean;
}

/**
 * What a row of chat.db is to the relay; docs/MESSAGES.md has it as a table. Messages writes the row first and its chat,
 * attachments, handle and body some milliseconds later (two-step writes), so a row that lacks one of them may be whole
 * a moment later.
 */
export function classify(row: ChatRow, around: Surroundings, privacy: Redactor): Classified {
  const isEventRow = row.action !== undefined || isReaction(row);
  if (row.isScheduled || (row.isFromMe && !isEventRow)) return { kind: 'own' };
  const missing = isEventRow ? missingOfEvent(row) : missingOfMessage(row, around);
  const settled = settle(row, around, privacy);
  if (missing === undefined) return settled;
  const isReadable = missing === 'body' && hasWords(row);
  return { kind: 'incomplete', missing, otherwise: settled, isReadable };
}

function settle(row: ChatRow, around: Surroundings, privacy: Redactor): Settled {
  if (row.action) return { kind: 'event', event: groupEvent(row, row.action, privacy) };
  if (isReaction(row)) return { kind: 'event', event: reactionEvent(row, privacy) };
  if (isNothingLeft(row)) return { kind: 'skipped', reason: 'unsent', event: unsentEvent(row, { handedOver: false }) };
  if (isLinkPreview(row, around.byGuid)) return { kind: 'skipped', reason: 'preview' };
  const reaction = fallbackReaction(row, around.recentOf);
  if (!reaction) return { kind: 'message' };
  return { kind: 'skipped', reason: 'reaction', event: eventOfReaction(row, reaction, privacy, true) };
}

/** A sticker's picture is told with it; that it is still being fetched is no reason to wait. */
function missingOfEvent(row: ChatRow): Missing | undefined {
  if (!row.chat) return 'chat';
  // A change of the group without a handle is one's own; a reaction has a handle.
  if (lacksSender(row) && !row.action && !row.isFromMe) return 'sender';
  return isSticker(row) && lacksAttachments(row) ? 'attachments' : undefined;
}

function missingOfMessage(row: ChatRow, around: Surroundings): Missing | undefined {
  if (!row.chat) return 'chat';
  if (lacksSender(row)) return 'sender';
  if (isNothingLeft(row)) return undefined;
  const isBodyDue = lacksBody(row);
  if (isBodyDue && !hasWords(row)) return 'body';
  if (lacksAttachments(row)) return 'attachments';
  if (row.attachments.some(({ transferState }) => transferState === 'pending')) return 'download';
  // Last, because what waits for nothing else may go without it.
  if (isBodyDue) return 'body';
  return around.isEcho(row) ? 'echo' : undefined;
}

function lacksSender(row: ChatRow): boolean {
  return row.handle === undefined && row.chat?.isGroup === true;
}

function lacksBody(row: ChatRow): boolean {
  // A body that cannot be decoded will not get better by waiting.
  if (row.decodeError !== undefined) return false;
  // The text column may be cut short where the body is whole (imessage-kit #22).
  if (hasWords(row)) return row.bodyBytes === 0;
  return row.attachments.length === 0 && !row.balloon;
}

function hasWords(row: ChatRow): boolean {
  return row.text !== '' || row.subject !== undefined;
}

function lacksAttachments({ body, attachments, text, cacheHasAttachments, balloon, summary }: ChatRow): boolean {
  if ((body?.attachments.length ?? 0) > attachments.length) return true;
  // What a balloon keeps beside it is no attachment of the message; a photo that was unsent is gone.
  if (attachments.length > 0 || balloon || (summary?.unsentParts.length ?? 0) > 0) return false;
  return cacheHasAttachments || text.includes('\ufffc');
}
