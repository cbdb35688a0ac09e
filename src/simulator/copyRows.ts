import type { Database } from 'better-sqlite3';

/**
 * Copies what a chat.db holds into an empty one of the same schema, messages by date and numbered from 1: what a
 * rebuild after a re-sync leaves (guids stay, ROWIDs do not).
 */
export function copyRows(target: Database, sourcePath: string): void {
  target.prepare('ATTACH ? AS source').run(sourcePath);
  const columns = (target.pragma('table_info(message)') as { name: string }[])
    .map((column) => column.name)
    .filter((name) => name !== 'ROWID')
    .join(', ');
  target.transaction(() => {
    for (const table of ['handle', 'chat', 'chat_handle_join', 'attachment']) {
      target.exec(`INSERT INTO main.${table} SELECT * FROM source.${table}`);
    }
    target.exec(`
      INSERT INTO main.message (${columns}) SELECT ${columns} FROM source.message ORDER BY date, ROWID;
      INSERT INTO main.chat_message_join (chat_id, message_id, message_date)
        SELECT j.chat_id, new.ROWID, j.message_date FROM source.chat_message_join j
        JOIN source.message old ON old.ROWID = j.message_id JOIN main.message new ON new.guid = old.guid;
      INSERT INTO main.message_attachment_join (message_id, attachment_id)
        SELECT new.ROWID, j.attachment_id FROM source.message_attachment_join j
        JOIN source.message old ON old.ROWID = j.message_id JOIN main.message new ON new.guid = old.guid`);
  })();
  target.exec('DETACH source');
}
