import { statSync } from 'node:fs';
import { join } from 'node:path';
import { StateStore } from '../state/StateStore.ts';
import type { Clock, Timer } from '../util/Clock.ts';
import { codeOf, type EdgeError, isStoreUnwilling, STORE_UNWILLING } from '../util/EdgeError.ts';
import type { Telemetry } from '../util/Telemetry.ts';

/**
 * From one look to the next whether state.db takes anything again, ms: perhaps nobody has anything to write for long, and
 * each may stop the event loop for as long as SQLite waits for a lock.
 */
const LOOK_EVERY_MS = 1_000;

/**
 * Opens the agent's memory in `dir`; what befalls it later is told, and `onFatal` hears of what it cannot go on with.
 * @throws EdgeError EDGE_STATE_DIR, EDGE_STATE_NEWER, EDGE_STATE_FULL, EDGE_STATE_IO
 */
export function openStateStore(
  dir: string,
  o: { clock: Clock; telemetry: Telemetry; onFatal(error: EdgeError): void },
): StateStore {
  let timer: Timer | undefined;
  const store = StateStore.open(join(dir, 'state.db'), o.clock.now(), {
    failed: (error) => {
      o.telemetry.conditionRaised(error.code, error.message);
      if (error.code === 'EDGE_STATE_IO') o.onFatal(error);
      else lookSoon();
    },
    recovered: () => {
      for (const code of STORE_UNWILLING) o.telemetry.conditionCleared(code);
    },
    awaited: lookSoon,
    closed: () => timer?.cancel(),
  });
  if (store.quarantined) o.telemetry.failure('EDGE_STATE_CORRUPT', `set aside as ${store.quarantined}`);
  else if (store.isBehind) {
    const since = new Date(store.forgotten!.from).toISOString();
    o.telemetry.failure('EDGE_STATE_BEHIND', `bubbles begun after ${since} are not in it`);
  }
  const mode = statSync(dir).mode & 0o777;
  if ((mode & 0o022) !== 0) {
    o.telemetry.failure('EDGE_STATE_DIR_MODE', `${dir} has mode ${mode.toString(8).padStart(4, '0')}: chmod 700 it`);
  }
  return store;

  function lookSoon(): void {
    timer ??= o.clock.after(LOOK_EVERY_MS, look);
  }

  /** The store tells of how it went. */
  function look(): void {
    timer = undefined;
    try {
      store.look(o.clock.now());
    } catch (error) {
      if (!isStoreUnwilling(error) && codeOf(error, 'EDGE_INTERNAL') !== 'EDGE_STATE_IO') throw error;
    }
  }
}
