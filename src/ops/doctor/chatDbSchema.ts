import { ChatDb } from '../../chatdb/ChatDb.ts';
import { EdgeError } from '../../util/EdgeError.ts';
import { type Check, type Finding, fail, pass, skip, warn } from './Check.ts';

const LACKS_FIX =
  'npm install -g edge-relay@latest; if it stays, report the macOS version and these names. Everything else goes on.';

/** Whether chat.db has every column: without some nothing works, without others a feature does not. */
export function chatDbSchema(path: string): Check {
  return { name: 'schema', run: () => probe(path) };
}

function probe(path: string): Finding {
  const db = new ChatDb({ path });
  try {
    db.open();
    const { lacks } = db;
    if (lacks.length === 0) return pass('nothing is missing of what this macOS tells');
    return warn(`chat.db does not tell: ${lacks.join('; ')}`, LACKS_FIX);
  } catch (error) {
    if (!(error instanceof EdgeError)) throw error;
    if (error.code === 'EDGE_CHATDB_SCHEMA') return fail(`${error.code}: ${error.message}`, error.fix);
    return skip('not looked at: see the check chat.db');
  } finally {
    db.close();
  }
}
