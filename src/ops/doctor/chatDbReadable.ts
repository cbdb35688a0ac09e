import { ChatDb } from '../../chatdb/ChatDb.ts';
import { EdgeError, messageOf } from '../../util/EdgeError.ts';
import type { Check, Finding } from './Check.ts';

/** Whether chat.db can be opened and read at both ends: tells a missing file from a missing permission from damage. */
export function chatDbReadable(path: string): Check {
  return { name: 'chat.db', run: () => read(path) };
}

function read(path: string): Finding {
  const db = new ChatDb({ path });
  try {
    db.open();
    const newest = db.maxRowid();
    db.rowsAfter(newest - 1, 1);
    const rows = newest === 0 ? 'holds no message yet' : `can be read; its newest message has ROWID ${newest}`;
    return { status: 'pass', text: `${path} ${rows}`, fix: undefined };
  } catch (error) {
    return unreadable(error);
  } finally {
    db.close();
  }
}

function unreadable(error: unknown): Finding {
  if (!(error instanceof EdgeError)) return { status: 'fail', text: messageOf(error), fix: undefined };
  // It can be read; what is in it is for the check of the schema.
  if (error.code === 'EDGE_CHATDB_SCHEMA') return { status: 'pass', text: 'the file can be read', fix: undefined };
  const status = error.code === 'EDGE_CHATDB_BUSY' ? 'warn' : 'fail';
  return { status, text: `${error.code}: ${error.message}`, fix: error.fix };
}
