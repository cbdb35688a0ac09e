import { onTestFinished } from 'vitest';
import { ChatDb } from '../../src/chatdb/ChatDb.ts';
import type { ChatRow } from '../../src/chatdb/types.ts';

/** Every row as the relay reads it. */
export function readRows(mac: { chatDbPath: string }): ChatRow[] {
  const db = new ChatDb({ path: mac.chatDbPath });
  db.open();
  onTestFinished(() => db.close());
  return db.rowsAfter(0, 1000);
}
