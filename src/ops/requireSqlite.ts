import Database from 'better-sqlite3';
import { EdgeError, messageOf } from '../util/EdgeError.ts';

/**
 * Loads the native part of the SQLite module, before anything rests on it: later its absence would look like a state
 * directory that cannot be used. @throws EdgeError EDGE_SQLITE_MISSING
 */
export function requireSqlite(): void {
  try {
    new Database(':memory:').close();
  } catch (error) {
    const detail = `better-sqlite3 cannot be loaded: ${messageOf(error).split('\n')[0]}`;
    throw new EdgeError('EDGE_SQLITE_MISSING', detail, { cause: error });
  }
}
