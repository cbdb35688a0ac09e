import type { ChatRow } from '../chatdb/types.ts';

/** What a row lacks. `echo`: it reads like a bubble of ours that Messages is just taking. */
export type Missing = 'chat' | 'sender' | 'body' | 'attachments' | 'echo';

export type Classified =
  | { readonly kind: 'own' }
  /** A tapback, a group event: nothing that is answered. */
  | { readonly kind: 'event' }
  | { readonly kind: 'message' }
  | { readonly kind: 'incomplete'; readonly missing: Missing };

/**
 * What a row of chat.db is to the relay. Messages writes the row first and its chat, attachments, handle and body some
 * milliseconds later (two-step writes), so a row that lacks one of them may be whole a moment later.
 */
export function classify(row: ChatRow, isEcho: (row: ChatRow) => boolean): Classified {
  if (row.isFromMe) return { kind: 'own' };
  if (row.action || row.association) return { kind: 'event' };
  const missing = missingOf(row) ?? (isEcho(row) ? 'echo' : undefined);
  return missing === undefined ? { kind: 'message' } : { kind: 'incomplete', missing };
}

function missingOf(row: ChatRow): Missing | undefined {
  if (!row.chat) return 'chat';
  if (row.handle === undefined && row.chat.isGroup) return 'sender';
  const { length } = row.attachments;
  // A body that cannot be decoded will not get better by waiting.
  if (row.text === '' && length === 0 && row.decodeError === undefined) return 'body';
  const announced = row.body?.attachments.length ?? 0;
  return announced > length || (row.cacheHasAttachments && length === 0) ? 'attachments' : undefined;
}
