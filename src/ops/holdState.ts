import { join } from 'node:path';
import { StateStore } from '../state/StateStore.ts';
import type { Clock } from '../util/Clock.ts';
import type { EdgeError } from '../util/EdgeError.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { InstanceLock } from './InstanceLock.ts';

interface StoreParts {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  onFatal(error: EdgeError): void;
}

/**
 * Takes the instance lock of `dir` and opens the agent's memory in it, so that of two agents one touches nothing; `close`
 * gives both back.
 * @throws EdgeError EDGE_ALREADY_RUNNING, EDGE_STATE_DIR, EDGE_STATE_NEWER, EDGE_STATE_FULL, EDGE_STATE_IO
 */
export function holdState(dir: string, o: StoreParts): { readonly store: StateStore; close(): void } {
  const lock = InstanceLock.acquire(join(dir, 'lock.db'));
  try {
    const store = openStateStore(dir, o);
    const close = () => {
      store.close();
      lock.release();
    };
    return { store, close };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** What befalls the store later is told, and `onFatal` hears of what the agent cannot go on with. */
function openStateStore(dir: string, o: StoreParts): StateStore {
  const store = StateStore.open(join(dir, 'state.db'), o.clock.now(), {
    failed: (error) => {
      o.telemetry.conditionRaised(error.code, error.message);
      if (error.code === 'EDGE_STATE_IO') o.onFatal(error);
    },
    recovered: () => o.telemetry.conditionCleared('EDGE_STATE_FULL'),
  });
  if (store.quarantined) o.telemetry.failure('EDGE_STATE_CORRUPT', `set aside as ${store.quarantined}`);
  return store;
}
