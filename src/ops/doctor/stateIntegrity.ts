import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { Database } from 'better-sqlite3';
import { openReadOnly } from '../../state/openDatabase.ts';
import type { Clock } from '../../util/Clock.ts';
import { codeOf, messageOf } from '../../util/EdgeError.ts';
import { ERRORS } from '../../util/errors.ts';
import { shellWord } from '../../util/printable.ts';
import { type Check, type Finding, fail, pass, skip, warn } from './Check.ts';

/** How long the tables may be looked through, ms: SQLite cannot be stopped within one. A GB of state.db takes more. */
const BUDGET_MS = 1_000;

/** Whether state.db is of this version and whole. Only reads, beside a running agent or without one. */
export function stateIntegrity(o: { path: string; clock: Clock }): Check {
  return {
    name: 'state',
    async run() {
      if (!existsSync(o.path)) return skip('there is no state.db yet: the agent has not run');
      let db: Database | undefined;
      try {
        db = openReadOnly(o.path);
        return await look(db, o);
      } catch (error) {
        return unusable(o.path, error);
      } finally {
        db?.close();
      }
    },
  };
}

async function look(db: Database, { path, clock }: { path: string; clock: Clock }): Promise<Finding> {
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all() as string[];
  const until = clock.monotonic() + BUDGET_MS;
  let looked = 0;
  for (const table of tables) {
    if (clock.monotonic() >= until) break;
    const said = db.pragma(`quick_check("${table}")`, { simple: true });
    if (said !== 'ok') return damaged(path, String(said));
    looked++;
    await turn(); // the other checks wait in the same process
  }
  const aside = readdirSync(dirname(path)).filter(
    (name) => /\.corrupt-\d+$/.test(name) && name.startsWith(basename(path)),
  );
  if (aside.length > 0) {
    return warn(
      `state.db is whole; damaged ones were set aside before: ${aside.join(', ')}`,
      `Keep them until the cause is known (see EDGE_STATE_CORRUPT in docs/ERRORS.md), then: rm ${shellWord(path)}.corrupt-*`,
    );
  }
  const rest =
    looked < tables.length ? `; ${looked} of ${tables.length} tables were looked through in ${BUDGET_MS / 1000} s` : '';
  return pass(`state.db is whole and of this version${rest}`);
}

function unusable(path: string, error: unknown): Finding {
  const code = codeOf(error, 'EDGE_STATE_DIR');
  if (code === 'EDGE_STATE_OLDER') return warn(`${code}: ${messageOf(error)}`, ERRORS[code].fix);
  const cause = String((error as { code?: unknown }).code);
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(cause)) return damaged(path, messageOf(error));
  if (/^SQLITE_BUSY/.test(cause))
    return warn(`EDGE_STATE_BUSY: ${path}: ${messageOf(error)}`, ERRORS.EDGE_STATE_BUSY.fix);
  return fail(`${code}: ${path}: ${messageOf(error)}`, ERRORS[code].fix);
}

function damaged(path: string, words: string): Finding {
  return fail(
    `EDGE_STATE_CORRUPT: ${path}: ${words.split('\n')[0]}`,
    'edge-agent service restart: the damaged file is set aside and a new one begun. Then give the commands for schedules again under new ids.',
  );
}
