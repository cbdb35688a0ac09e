import { dateAtSql, sinceSql } from './appleDate.ts';
import type { ChatDbSchema } from './schemaProbe.ts';

/** Attachments read for one message; Messages itself takes some dozens. */
const MAX_ATTACHMENTS = 500;
/** Members read for one chat; a group on iMessage has up to 32. */
const MAX_PARTICIPANTS = 1000;
/** Stands for a query on tables this chat.db has not. */
const NOTHING = 'SELECT NULL WHERE ? IS NULL';
/** 2^53 - 1. Rows past it, which only damage makes, are not read: as JavaScript numbers their ROWIDs would be others. */
const LAST_ROWID = '9007199254740991';

/** The SQL of every read, made for the columns this chat.db has. */
export interface ChatDbQueries {
  dataVersion: string;
  maxRowid: string;
  hasRowsPastLast: string;
  guidAt: string;
  rowsAfter: string;
  rowsSince: string;
  rowsByGuid: string;
  rowsByRowid: string;
  outgoingAfter: string;
  outgoingSince: string;
  revisionsDated: string;
  revisionsFrom: string;
  receiptStates: string;
  recentOf: string;
  earlierInChat: string;
  chat: string;
  writtenChatOf: string;
  participants: string;
  attachments: string;
  messageOfAttachment: string;
}

/** SQLite keeps any type in any column, and a name that is no text, in a damaged row, must not stop all others. */
const text = (expression: string) => `CAST(${expression} AS TEXT)`;
/** Names and addresses have no more characters: an e-mail address has 254, a file's name 255. */
const MAX_NAME = 512;
const name = (expression: string) => `substr(${text(expression)}, 1, ${MAX_NAME})`;
const whole = (expression: string) => `CAST(coalesce(${expression}, 0) AS INTEGER)`;

/**
 * Each message comes once, by ROWID: a message in two chats with the chat it was joined to first. All joins are LEFT
 * JOINs, because Messages writes a row some ms before what belongs to it. No statement scans the message table: those
 * by ROWID are kept off the indexes (`NOT INDEXED` leaves the ROWID usable), those by date off the ROWID (unary `+`).
 * The `+` before a limit keeps SQLite from compiling the statement anew with each run, for a plan by the value.
 */
export function buildQueries(schema: ChatDbSchema): ChatDbQueries {
  const m = (column: string, otherwise?: string) => schema.column('message', 'm', column, otherwise);
  // Without one, or with what cannot be one, it goes by its place; guids of Messages have some 40 characters.
  const guid = `CASE WHEN length(${text('m.guid')}) BETWEEN 1 AND ${MAX_NAME} THEN ${text('m.guid')}
    ELSE 'rowid:' || m.ROWID END`;
  const messages = (hint = '') => `
    SELECT ${messageColumns(schema, guid)}
    FROM message m ${hint}
    LEFT JOIN chat_message_join j
      ON j.rowid = (SELECT min(f.rowid) FROM chat_message_join f WHERE f.message_id = m.ROWID)
    LEFT JOIN handle h ON h.ROWID = m.handle_id`;
  const byRowid = (condition: string) => `${messages('NOT INDEXED')}
    WHERE ${condition} AND m.ROWID <= ${LAST_ROWID} ORDER BY m.ROWID`;
  /** Found in the date index and sorted before any body is touched. */
  const since = (condition: string) => {
    const found = sinceSql('d.date').map(
      (dated) => `SELECT d.ROWID AS id FROM message d
          WHERE ${dated} AND +d.ROWID > @afterRowid AND +d.ROWID <= ${LAST_ROWID} AND ${condition}`,
    );
    return `SELECT id FROM (${found.join(' UNION ALL ')}) ORDER BY +id LIMIT +@limit`;
  };
  const rowsSince = (condition: string) =>
    `${messages('NOT INDEXED')} WHERE m.ROWID IN (${since(condition)}) ORDER BY m.ROWID`;
  /** Of a message of ours; Send Later rows are there long before they are sent. */
  const outgoing = (alias: string) =>
    `${alias}.is_from_me = 1 AND ${whole(schema.column('message', alias, 'schedule_type', '0'))} = 0`;
  const chatOfMessage = `
    (SELECT f.chat_id FROM chat_message_join f WHERE f.message_id = @rowid ORDER BY f.rowid LIMIT 1)`;

  const revisions = `
    SELECT m.ROWID AS rowid, ${guid} AS guid, ${dateAtSql(m('date_edited'))} AS editedAt, m.is_from_me AS isFromMe,
      ${text('m.date')} AS date
    FROM message m`;
  const c = (column: string) => schema.column('chat', 'c', column);
  const chatColumns = `${text('c.ROWID')} AS rowid, coalesce(${name('c.guid')}, '') AS guid,
      ${name('c.chat_identifier')} AS identifier, ${c('style')} AS style, ${name(c('service_name'))} AS service`;
  /** By date where there is one: iCloud inserts old messages anew. */
  const newestFirst = (join: string) =>
    [...(schema.has('chat_message_join', 'message_date') ? ['message_date'] : []), 'message_id']
      .map((column) => `${join}.${column} DESC`)
      .join(', ');
  const a = (column: string) => schema.column('attachment', 'a', column);

  return {
    dataVersion: 'PRAGMA data_version',
    maxRowid: `SELECT max(ROWID) FROM message WHERE ROWID <= ${LAST_ROWID}`,
    hasRowsPastLast: `SELECT 1 FROM message WHERE ROWID > ${LAST_ROWID} LIMIT 1`,
    guidAt: `SELECT ${guid} FROM message m WHERE m.ROWID = ?`,
    rowsAfter: `${byRowid('m.ROWID > @rowid')} LIMIT +@limit`,
    rowsSince: rowsSince('1'),
    // A guid that was stored as a blob equals no text; one that goes by its place is found there.
    rowsByGuid: `${messages('NOT INDEXED')}
      WHERE m.ROWID IN (
          SELECT f.ROWID FROM message f WHERE f.guid IN (
            SELECT value FROM json_each(@guids) UNION ALL SELECT CAST(value AS BLOB) FROM json_each(@guids))
          UNION ALL
          SELECT CAST(substr(value, 7) AS INTEGER) FROM json_each(@guids) WHERE value GLOB 'rowid:[0-9]*')
        AND m.ROWID <= ${LAST_ROWID}
      ORDER BY m.ROWID`,
    rowsByRowid: byRowid('m.ROWID IN (SELECT value FROM json_each(@rowids))'),
    // By ROWID in spite of the date, for what comes past a watermark is little, and rows without a date count.
    outgoingAfter: `${byRowid(`m.ROWID > @rowid AND ${outgoing('m')}
      AND coalesce(${dateAtSql('m.date')}, @sinceAt) >= @sinceAt`)} LIMIT +@limit`,
    outgoingSince: rowsSince(outgoing('d')),
    // Keyset paging in the date index, whose entries are in the order of ROWID where dates are the same.
    revisionsDated: `${revisions}
      WHERE (m.date, m.ROWID) > (@date, @rowid) AND m.date <= @lastDate
        AND typeof(m.date) = 'integer' AND +m.ROWID <= ${LAST_ROWID}
      ORDER BY m.date, m.ROWID LIMIT +@limit`,
    revisionsFrom: `${revisions} NOT INDEXED
      WHERE m.ROWID > @rowid AND m.ROWID <= ${LAST_ROWID} ORDER BY m.ROWID LIMIT +@limit`,
    receiptStates: `
      SELECT m.ROWID AS rowid, ${guid} AS guid, ${m('is_sent', '0')} AS isSent, ${m('is_delivered', '0')} AS isDelivered,
        ${dateAtSql(m('date_delivered'))} AS deliveredAt, ${dateAtSql(m('date_read'))} AS readAt, ${m('error', '0')} AS error
      FROM message m NOT INDEXED
      WHERE m.ROWID IN (SELECT value FROM json_each(@rowids)) AND m.ROWID <= ${LAST_ROWID} ORDER BY m.ROWID`,
    recentOf: `
      SELECT ${guid} AS guid, ${text(m('text'))} AS text, ${m('attributedBody')} AS body, m.is_from_me AS isFromMe,
        ${name('h.id')} AS handle
      FROM message m NOT INDEXED LEFT JOIN handle h ON h.ROWID = m.handle_id
      WHERE m.ROWID IN (
          SELECT j.message_id FROM chat_message_join j
          WHERE j.chat_id = ${chatOfMessage} AND j.message_id < @rowid
          ORDER BY j.message_id DESC LIMIT +@examined)
        AND ${whole(m('item_type', '0'))} = 0 AND ${whole(m('associated_message_type', '0'))} IN (0, 2, 3)
      ORDER BY m.ROWID DESC LIMIT +@limit`,
    // A conversation may have several chats: one for each service, or another prefix after an upgrade.
    earlierInChat: `
      SELECT 1 FROM chat_message_join j
      WHERE j.chat_id IN (
          SELECT s.ROWID FROM chat s
          WHERE s.chat_identifier = (SELECT c.chat_identifier FROM chat c WHERE c.ROWID = ${chatOfMessage}))
        AND j.message_id < @rowid LIMIT 1`,
    chat: `SELECT ${chatColumns} FROM chat c WHERE c.ROWID = ?`,
    // The newest message of a chat is at the end of the chat's part of an index. One that was refused says nothing of
    // how the thread is reached; and an SMS, dated to the second, would seem older than the one it went in place of.
    writtenChatOf: `
      SELECT ${chatColumns}, ${name(m('service'))} AS newestService
      FROM chat c
      LEFT JOIN chat_message_join j ON j.rowid = (
        SELECT f.rowid FROM chat_message_join f CROSS JOIN message g ON g.ROWID = f.message_id
        WHERE f.chat_id = c.ROWID AND ${whole(schema.column('message', 'g', 'error', '0'))} = 0
        ORDER BY ${newestFirst('f')} LIMIT 1)
      LEFT JOIN message m ON m.ROWID = j.message_id
      WHERE c.chat_identifier = ? ORDER BY ${newestFirst('j')}, c.ROWID DESC LIMIT 1`,
    participants: schema.hasParticipants
      ? `SELECT ${name('h.id')} FROM chat_handle_join j CROSS JOIN handle h ON h.ROWID = j.handle_id
         WHERE j.chat_id = ? AND ${text('h.id')} <> '' ORDER BY j.rowid LIMIT ${MAX_PARTICIPANTS}`
      : NOTHING,
    attachments: schema.hasAttachments
      ? `SELECT coalesce(${name('a.guid')}, '') AS guid, ${name(a('transfer_name'))} AS transferName,
           ${text(a('filename'))} AS filename, ${name(a('mime_type'))} AS mimeType, ${name(a('uti'))} AS uti,
           ${a('total_bytes')} AS sizeBytes, ${a('transfer_state')} AS transferState, ${a('is_sticker')} AS isSticker,
           ${a('hide_attachment')} AS isHidden
         FROM message_attachment_join j CROSS JOIN attachment a ON a.ROWID = j.attachment_id
         WHERE j.message_id = ? ORDER BY j.rowid LIMIT ${MAX_ATTACHMENTS}`
      : NOTHING,
    messageOfAttachment: schema.hasAttachments
      ? `SELECT j.message_id FROM attachment a CROSS JOIN message_attachment_join j ON j.attachment_id = a.ROWID
         WHERE a.guid = ? ORDER BY j.message_id LIMIT 1`
      : NOTHING,
  };
}

/** What RawMessage has, of the message `m`, its handle `h` and its join `j`. */
function messageColumns(schema: ChatDbSchema, guid: string): string {
  const m = (column: string, otherwise?: string) => schema.column('message', 'm', column, otherwise);
  const other = schema.has('message', 'other_handle')
    ? `coalesce((SELECT ${name('o.id')} FROM handle o WHERE o.ROWID = m.other_handle AND m.other_handle <> 0), '')`
    : 'NULL';
  /** Nothing in the column is something else than no column. */
  const filled = (column: string, nothing: string) =>
    `coalesce(${m(column)}, ${schema.has('message', column) ? nothing : 'NULL'})`;
  return `m.ROWID AS rowid, ${guid} AS guid, ${text(m('text'))} AS text, ${m('attributedBody')} AS body,
      ${dateAtSql('m.date')} AS dateAt, ${name(m('service'))} AS service, ${name('h.id')} AS handle,
      m.is_from_me AS isFromMe, CASE WHEN typeof(m.date) = 'integer' THEN ${text('m.date')} END AS rawDate,
      ${text(m('subject'))} AS subject, ${name(m('account'))} AS account,
      ${name(m('destination_caller_id'))} AS destination, ${m('item_type', '0')} AS itemType,
      ${filled('group_action_type', '0')} AS actionType, ${name(filled('group_title', `''`))} AS title,
      ${other} AS otherHandle, ${filled('share_status', '0')} AS shareStatus,
      ${m('associated_message_type', '0')} AS associatedType, ${name(m('associated_message_guid'))} AS associatedGuid,
      ${name(m('associated_message_emoji'))} AS emoji, ${name(m('balloon_bundle_id'))} AS bundleId,
      ${m('payload_data')} AS payload, ${name(m('thread_originator_guid'))} AS replyToGuid,
      ${name(m('reply_to_guid'))} AS previousGuid, ${m('message_summary_info')} AS summary,
      ${dateAtSql(m('date_edited'))} AS editedAt, ${m('is_empty', '0')} AS isEmpty, ${m('part_count')} AS partCount,
      ${m('is_audio_message', '0')} AS isAudio, ${m('schedule_type', '0')} AS scheduleType,
      ${m('cache_has_attachments')} AS cacheHasAttachments, ${m('is_sent', '0')} AS isSent,
      ${m('is_delivered', '0')} AS isDelivered, ${m('is_read', '0')} AS isRead, ${m('error', '0')} AS error,
      ${text('j.chat_id')} AS chatRowid`;
}
