import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isDamage } from '../state/openDatabase.ts';
import { EdgeError, messageOf } from '../util/EdgeError.ts';

/**
 * Opens state.db for looking, beside a running agent or without one; undefined where no agent ever ran.
 * @throws EdgeError EDGE_STATE_CORRUPT, EDGE_STATE_DIR, EDGE_STATE_NEWER, EDGE_STATE_OLDER
 */
export function openStore<T>(stateDir: string, open: (path: string) => T): T | undefined {
  const path = join(stateDir, 'state.db');
  if (!existsSync(path)) return undefined;
  try {
    return open(path);
  } catch (error) {
    if (error instanceof EdgeError) throw error;
    const code = isDamage(error) ? 'EDGE_STATE_CORRUPT' : 'EDGE_STATE_DIR';
    throw new EdgeError(code, `${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
