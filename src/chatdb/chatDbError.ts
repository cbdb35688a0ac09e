import { EdgeError, messageOf } from '../util/EdgeError.ts';
import type { ErrorCode } from '../util/errors.ts';

/**
 * The EdgeError for whatever opening or reading chat.db threw. SQLite says CANTOPEN both for a file that is not there
 * and for one macOS refuses, so callers look for the file first. TCC shows as EPERM on open, CANTOPEN or SQLITE_AUTH;
 * a stat works without the permission.
 */
export function chatDbError(path: string, error: unknown): EdgeError {
  if (error instanceof EdgeError) return error;
  return new EdgeError(codeFor(error), `${path}: ${messageOf(error)}`, { cause: error });
}

function codeFor(error: unknown): ErrorCode {
  const code = String((error as { code?: unknown } | null)?.code);
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'EDGE_CHATDB_MISSING';
  if (code === 'EACCES' || code === 'EPERM') return 'EDGE_CHATDB_NO_PERMISSION';
  if (/^SQLITE_(AUTH|PERM|CANTOPEN|READONLY)/.test(code)) return 'EDGE_CHATDB_NO_PERMISSION';
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return 'EDGE_CHATDB_CORRUPT';
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) return 'EDGE_CHATDB_BUSY';
  return 'EDGE_CHATDB_READ';
}
