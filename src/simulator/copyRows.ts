import type { Database } from 'better-sqlite3';

/**
 * Copies what a chat.db holds into an empty one of the same schema, messages by date and numbered from 1: what a
 * rebuild after a re-sync leaves (guids stay, ROWIDs do not).
 */
export function copyRows(target: Database, sourcePath: string): void {
  target.prepare('ATTACH ? AS source').run(sourcePath);
  const columns = (table: string, except: string) =>
    (target.pragma(`main.table_info(${table})`) as { name: string }[])
      .map((column) => column.name)
      .filter((name) => name !== except);
  const messages = columns('message', 'ROWID').join(', ');
  target.transaction(() => {
    for (const table of ['handle', 'chat', 'chat_handle_join', 'attachment']) {
      if (columns(table, '').length > 0) target.exec(`INSERT INTO main.${table} SELECT * FROM source.${table}`);
    }
    target.exec(`INSERT INTO main.message (${messages}) SELECT ${messages} FROM source.message ORDER BY date, ROWID`);
    for (const table of ['chat_message_join', 'message_attachment_join']) {
      const rest = columns(table, 'message_id');
      if (rest.length === 0) continue;
      target.exec(`
        INSERT INTO main.${table} (message_id, ${rest.join(', ')})
          SELECT new.ROWID, ${rest.map((name) => `j.${name}`).join(', ')} FROM source.${table} j
          JOIN source.message old ON old.ROWID = j.message_id JOIN main.message new ON new.guid = old.guid`);
    }
  })();
  target.exec('DETACH source');
}
