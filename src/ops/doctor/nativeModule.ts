import { requireSqlite } from '../requireSqlite.ts';
import { type Check, pass } from './Check.ts';

/** Whether this Node can load the native part of SQLite. An older Node than 22.18 does not get here. */
export function nativeModule(o: { version: string; path: string; arch: string }): Check {
  return {
    name: 'node',
    run() {
      requireSqlite(); // what it throws is the finding
      return pass(`Node ${o.version} for ${o.arch} at ${o.path}; its SQLite module loads`);
    },
  };
}
