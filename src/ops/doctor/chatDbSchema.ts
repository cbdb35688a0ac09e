import { ChatDb } from '../../chatdb/ChatDb.ts';
import { EdgeError } from '../../util/EdgeError.ts';
import type { Check, Finding } from './Check.ts';

const LACKS_FIX = 'Update edge-agent; if it stays, report the macOS version and these names. Everything else goes on.';

/** Whether chat.db has every column: without some nothing works, without others a feature does not. */
export function chatDbSchema(path: string): Check {
  return { name: 'chat.db schema', run: () => probe(path) };
}

function probe(path: string): Finding {
  const db = new ChatDb({ path });
  try {
    db.open();
    const { lacks } = db;
    if (lacks.length === 0)
      return { status: 'pass', text: 'nothing is missing of what this macOS tells', fix: undefined };
    return { status: 'warn', text: `chat.db does not tell: ${lacks.join('; ')}`, fix: LACKS_FIX };
  } catch (error) {
    if (error instanceof EdgeError && error.code === 'EDGE_CHATDB_SCHEMA') {
      return { status: 'fail', text: `${error.code}: ${error.message}`, fix: error.fix };
    }
    return { status: 'warn', text: 'not looked at, because chat.db cannot be read', fix: 'See the check chat.db.' };
  } finally {
    db.close();
  }
}
