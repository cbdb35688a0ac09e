import type { PartVersion } from '../chatdb/MessageSummary.ts';
import type { ChatRow } from '../chatdb/types.ts';
import type { EventDraft } from './classify.ts';
import { filterText, MAX_TEXT_BYTES, type Redactor } from './filterText.ts';
import { digest } from './fingerprint.ts';
import { codesOf, messageText, writtenText } from './messageText.ts';
import { actorOf, wireTime } from './parties.ts';
import { stepsFor } from './privacy.ts';
import { isReaction } from './rowEvents.ts';

/** Edited parts told of at most, and versions of each; Messages allows five edits. */
const MAX_PARTS = 100;
const MAX_VERSIONS = 20;
/** All texts of an edit together, bytes; twice that in JSON. With it a sync stays below 1 MiB. */
const MAX_EVENT_BYTES = MAX_TEXT_BYTES;
/** Longest list of parts that stands in an id as it is, characters. */
const MAX_PARTS_LENGTH = 100;

/**
 * What became of a message after it was written, as far as its row says it now: at most one edit, which tells all
 * versions at once, and one unsending. Each has an id of its own content, so that telling it again tells nothing new.
 */
export function revisionEvents(
  row: ChatRow,
  o: { privacy: Redactor; handedOver: boolean; threadId: string },
): EventDraft[] {
  if (row.isScheduled || row.action || isReaction(row)) return [];
  const isGone = isNothingLeft(row);
  const isUnsent = isGone || (row.summary?.unsentParts.length ?? 0) > 0;
  return [...(!isGone && isEdited(row) ? [editedEvent(row, o)] : []), ...(isUnsent ? [unsentEvent(row, o)] : [])];
}

/**
 * Whether the whole message was unsent. A row is also empty while Messages still writes it; what tells them apart is
 * the date of the change, or the parts that were taken back.
 */
export function isNothingLeft(row: ChatRow): boolean {
  const unsent = row.summary?.unsentParts.length ?? 0;
  if ((row.editedAt === undefined && unsent === 0) || writtenText(row).trim() !== '') return false;
  return row.isEmpty || (unsent > 0 && row.attachments.length === 0 && !row.balloon);
}

export function unsentEvent(row: ChatRow, o: { handedOver: boolean; threadId?: string }): EventDraft {
  const parts = [...new Set(row.summary?.unsentParts)].sort((a, b) => a - b);
  const list = parts.join(',') || 'all';
  return {
    event_id: `unsent:${row.guid}:${list.length > MAX_PARTS_LENGTH ? digest(parts) : list}`,
    event_type: 'message_unsent',
    details: {
      message_guid: row.guid,
      parts,
      whole: isNothingLeft(row),
      unsent_at: wireTime(row.editedAt),
      sender: actorOf(row) ?? o.threadId,
      is_from_me: row.isFromMe,
      handed_over: o.handedOver,
    },
  };
}

/** Where message_summary_info is missing or damaged, the date alone says that the text is another one now. */
function isEdited(row: ChatRow): boolean {
  const hasUnsentParts = (row.summary?.unsentParts.length ?? 0) > 0;
  return editedParts(row).length > 0 || (row.editedAt !== undefined && !hasUnsentParts);
}

/** The parts with more than their original; one that was unsent since is told of as unsent, without its words. */
function editedParts({ summary }: ChatRow): [number, readonly PartVersion[]][] {
  return [...(summary?.edits ?? [])]
    .filter(([part, versions]) => versions.length > 1 && !summary?.unsentParts.includes(part))
    .sort(([a], [b]) => a - b);
}

function editedEvent(row: ChatRow, o: { privacy: Redactor; threadId: string }): EventDraft {
  const parts = editedParts(row).slice(0, MAX_PARTS);
  const filter = boundedFilter(o.privacy, codesOf(row));
  const text = filter.text(messageText(row));
  const history = parts.map(([part, versions]) => ({
    part,
    versions: versions
      .slice(0, MAX_VERSIONS)
      .map(({ text, writtenAt }) => ({ text: filter.text(withoutPlaceholders(text)), at: wireTime(writtenAt) })),
  }));
  const editedAt = lastEditAt(parts) ?? row.editedAt;
  return {
    event_id: `edited:${row.guid}:${editedAt ?? digest(history)}`,
    event_type: 'message_edited',
    details: {
      message_guid: row.guid,
      text,
      history,
      edited_at: wireTime(editedAt),
      sender: actorOf(row) ?? o.threadId,
      is_from_me: row.isFromMe,
      was_redacted: filter.redacted.size > 0,
      redacted_fields: [...filter.redacted],
    },
  };
}

/** date_edited is that of the last change of any part, which may be an unsending: then the edit keeps its own date. */
function lastEditAt(parts: readonly [number, readonly PartVersion[]][]): number | undefined {
  const times = parts.map(([, versions]) => versions.at(-1)?.writtenAt).filter((at) => wireTime(at) !== undefined);
  return times.length === 0 ? undefined : Math.round(Math.max(...(times as number[])));
}

function withoutPlaceholders(text: string): string {
  return writtenText({ text, balloon: undefined });
}

/** Filters texts until all together have the length that one message may have, in JSON too; what comes after is ''. */
function boundedFilter(privacy: Redactor, codes: string[]) {
  const redacted = new Set<string>();
  const steps = stepsFor(4);
  let left = MAX_EVENT_BYTES;
  return {
    redacted,
    text(whole: string): string {
      if (left <= 0) return '';
      const filtered = filterText(whole, privacy, { maxBytes: left, codes, steps });
      for (const name of filtered.redacted) redacted.add(name);
      left -= Math.max(Buffer.byteLength(filtered.text), Buffer.byteLength(JSON.stringify(filtered.text)) / 2);
      return filtered.text;
    },
  };
}
