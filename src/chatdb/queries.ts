import { dateAtSql, sinceSql } from './appleDate.ts';
import type { ChatDbSchema } from './schemaProbe.ts';

/** Attachments read for one message; Messages itself takes some dozens. */
const MAX_ATTACHMENTS = 500;
/** Members read for one chat; a group on iMessage has up to 32. */
const MAX_PARTICIPANTS = 1000;
/** Stands for a query on tables this chat.db has not. */
const NOTHING = 'SELECT NULL WHERE ? IS NULL';

/** A row of the message queries, as SQLite gives it. */
export interface RawMessage {
  rowid: number;
  guid: string;
  text: string | null;
  body: Uint8Array | null;
  dateAt: number | null;
  service: string | null;
  handle: string | null;
  isFromMe: number;
  itemType: number | null;
  rawDate: string | null;
  subject: string | null;
  account: string | null;
  destination: string | null;
  actionType: number | null;
  title: string | null;
  otherHandle: string | null;
  shareStatus: number | null;
  associatedType: number | null;
  associatedGuid: string | null;
  emoji: string | null;
  bundleId: string | null;
  payload: Uint8Array | null;
  replyToGuid: string | null;
  previousGuid: string | null;
  summary: Uint8Array | null;
  editedAt: number | null;
  isEmpty: number | null;
  partCount: number | null;
  isAudio: number | null;
  scheduleType: number | null;
  cacheHasAttachments: number | null;
  isSent: number | null;
  isDelivered: number | null;
  isRead: number | null;
  error: number | null;
  chatRowid: number | null;
}

export interface RawChat {
  rowid: number;
  guid: string;
  identifier: string | null;
  style: number | null;
  service: string | null;
}

export interface RawAttachment {
  guid: string;
  transferName: string | null;
  filename: string | null;
  mimeType: string | null;
  sizeBytes: number | null;
  transferState: number | null;
  isSticker: number | null;
  isHidden: number | null;
}

/** The SQL of every read, made for the columns this chat.db has. */
export interface ChatDbQueries {
  dataVersion: string;
  maxRowid: string;
  guidAt: string;
  rowsAfter: string;
  rowsSince: string;
  rowsByGuid: string;
  rowsByRowid: string;
  outgoingAfter: string;
  outgoingSince: string;
  chat: string;
  newestChatOf: string;
  participants: string;
  attachments: string;
}

/**
 * Each message comes once, by ROWID: a message in two chats with the chat it was joined to first. All joins are LEFT
 * JOINs, because Messages writes a row some ms before what belongs to it. No statement scans the message table: those
 * by ROWID are kept off the indexes (`NOT INDEXED` leaves the ROWID usable), those by date off the ROWID (unary `+`).
 */
export function buildQueries(schema: ChatDbSchema): ChatDbQueries {
  const m = (column: string, otherwise?: string) => schema.column('message', 'm', column, otherwise);
  // SQLite keeps any type in any column, and a name that is no text, in a damaged row, must not stop all others.
  const text = (expression: string) => `CAST(${expression} AS TEXT)`;
  const other =
    schema.column('message', 'm', 'other_handle') === 'NULL'
      ? 'NULL'
      : `(SELECT ${text('o.id')} FROM handle o WHERE o.ROWID = m.other_handle AND m.other_handle <> 0)`;
  const messages = (hint = '') => `
    SELECT m.ROWID AS rowid, ${text('m.guid')} AS guid, ${m('text')} AS text, ${m('attributedBody')} AS body,
      ${dateAtSql('m.date')} AS dateAt, ${text(m('service'))} AS service, ${text('h.id')} AS handle, m.is_from_me AS isFromMe,
      ${text('m.date')} AS rawDate, ${text(m('subject'))} AS subject, ${text(m('account'))} AS account,
      ${text(m('destination_caller_id'))} AS destination, ${m('item_type', '0')} AS itemType,
      ${m('group_action_type', '0')} AS actionType, ${text(m('group_title'))} AS title,
      ${other} AS otherHandle, ${m('share_status', '0')} AS shareStatus,
      ${m('associated_message_type', '0')} AS associatedType, ${text(m('associated_message_guid'))} AS associatedGuid,
      ${text(m('associated_message_emoji'))} AS emoji, ${text(m('balloon_bundle_id'))} AS bundleId,
      ${m('payload_data')} AS payload, ${text(m('thread_originator_guid'))} AS replyToGuid,
      ${text(m('reply_to_guid'))} AS previousGuid, ${m('message_summary_info')} AS summary,
      ${dateAtSql(m('date_edited'))} AS editedAt, ${m('is_empty', '0')} AS isEmpty, ${m('part_count')} AS partCount,
      ${m('is_audio_message', '0')} AS isAudio, ${m('schedule_type', '0')} AS scheduleType, ${m('cache_has_attachments', '0')} AS cacheHasAttachments,
      ${m('is_sent', '0')} AS isSent, ${m('is_delivered', '0')} AS isDelivered, ${m('is_read', '0')} AS isRead,
      ${m('error', '0')} AS error, j.chat_id AS chatRowid
    FROM message m ${hint}
    LEFT JOIN chat_message_join j
      ON j.rowid = (SELECT min(f.rowid) FROM chat_message_join f WHERE f.message_id = m.ROWID)
    LEFT JOIN handle h ON h.ROWID = m.handle_id`;
  // The ROWIDs are found in the date index alone and sorted before any body is touched.
  const since = (condition: string) => `${messages()}
    WHERE m.ROWID IN (
      SELECT d.ROWID FROM message d WHERE ${sinceSql('d.date')} AND ${condition} ORDER BY +d.ROWID LIMIT @limit)
    ORDER BY m.ROWID`;

  const c = (column: string) => schema.column('chat', 'c', column);
  const chats = `
    SELECT c.ROWID AS rowid, ${text('c.guid')} AS guid, ${text('c.chat_identifier')} AS identifier,
      ${c('style')} AS style, ${text(c('service_name'))} AS service
    FROM chat c`;
  const a = (column: string) => schema.column('attachment', 'a', column);

  return {
    dataVersion: 'PRAGMA data_version',
    maxRowid: 'SELECT max(ROWID) FROM message',
    guidAt: `SELECT ${text('guid')} FROM message WHERE ROWID = ?`,
    rowsAfter: `${messages('NOT INDEXED')} WHERE m.ROWID > @rowid ORDER BY m.ROWID LIMIT @limit`,
    rowsSince: since('+d.ROWID > @afterRowid'),
    rowsByGuid: `${messages()} WHERE m.guid IN (SELECT value FROM json_each(@guids)) ORDER BY m.ROWID`,
    rowsByRowid: `${messages('NOT INDEXED')} WHERE m.ROWID IN (SELECT value FROM json_each(@rowids)) ORDER BY m.ROWID`,
    outgoingAfter: `${messages('NOT INDEXED')} WHERE m.ROWID > @rowid AND m.is_from_me = 1 ORDER BY m.ROWID LIMIT @limit`,
    outgoingSince: since('d.is_from_me = 1'),
    chat: `${chats} WHERE c.ROWID = ?`,
    newestChatOf: `${chats} WHERE c.chat_identifier = ? ORDER BY c.ROWID DESC LIMIT 1`,
    participants: schema.hasParticipants
      ? `SELECT ${text('h.id')} FROM chat_handle_join j JOIN handle h ON h.ROWID = j.handle_id
         WHERE j.chat_id = ? ORDER BY j.rowid LIMIT ${MAX_PARTICIPANTS}`
      : NOTHING,
    attachments: schema.hasAttachments
      ? `SELECT ${text('a.guid')} AS guid, ${text(a('transfer_name'))} AS transferName,
           ${text(a('filename'))} AS filename, ${text(a('mime_type'))} AS mimeType, ${a('total_bytes')} AS sizeBytes,
           ${a('transfer_state')} AS transferState, ${a('is_sticker')} AS isSticker, ${a('hide_attachment')} AS isHidden
         FROM message_attachment_join j JOIN attachment a ON a.ROWID = j.attachment_id
         WHERE j.message_id = ? ORDER BY j.rowid LIMIT ${MAX_ATTACHMENTS}`
      : NOTHING,
  };
}
