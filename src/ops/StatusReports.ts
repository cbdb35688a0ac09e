import { randomUUID } from 'node:crypto';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock } from '../util/Clock.ts';
import { EdgeError } from '../util/EdgeError.ts';
import { ERRORS, type ErrorCode } from '../util/errors.ts';
import { packageVersion } from '../util/version.ts';
import type { HealthView } from './Health.ts';

/** Where an agent is in its life. */
export type Phase = 'starting' | 'running' | 'stopping';

/** Tells how the agent is: to the backend by `agent_status` events, and to `edge-agent status` when it does not run. */
export class StatusReports {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #agentId: string;
  /** The codes that the backend was told last. */
  #reasons = '';
  /** JSON of the conditions that this process has met, shown or not. */
  #standing = '[]';
  #phase: Phase = 'starting';

  constructor(options: { store: StateStore; clock: Clock; agentId: string }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#agentId = options.agentId;
  }

  get phase(): Phase {
    return this.#phase;
  }

  started(): void {
    this.#phase = 'running';
    this.#tell(() => {
      this.#store.meta.set('started_at', String(this.#clock.now()));
      this.#store.meta.set('version', packageVersion());
      this.#store.meta.set('agent_id', this.#agentId);
      // What an earlier process left behind was perhaps mended while none ran, and then nobody clears it.
      this.#store.meta.set('conditions', this.#standing);
      this.#event({ status: 'started', version: packageVersion() });
    });
    const { quarantined, isBehind } = this.#store;
    if (quarantined) this.error('EDGE_STATE_CORRUPT', ERRORS.EDGE_STATE_CORRUPT.means);
    else if (isBehind) this.error('EDGE_STATE_BEHIND', ERRORS.EDGE_STATE_BEHIND.means);
  }

  stopping(): void {
    this.#phase = 'stopping';
    this.#tell(() => {
      this.#store.meta.set('stopped_at', String(this.#clock.now()));
      this.#event({ status: 'stopping' });
    });
  }

  /** The conditions have changed. The backend hears of those that are shown. */
  conditions({ shown, hidden }: HealthView): void {
    const reasons = shown.map(({ code }) => code);
    const isSame = this.#reasons === reasons.join(); // another detail, or what follows from them
    // First: a write that goes through may end a condition of state.db, and that is told in the midst of this.
    this.#reasons = reasons.join();
    this.#standing = JSON.stringify([...shown, ...hidden]);
    this.#tell(() => {
      this.#store.meta.set('conditions', this.#standing);
      if (isSame) return;
      this.#event(reasons.length > 0 ? { status: 'degraded', reasons } : { status: 'recovered' });
    });
  }

  /** Something the backend should know of, by its code. */
  error(code: ErrorCode, message: string): void {
    const details = { code, message, fix: ERRORS[code].fix };
    const now = this.#clock.now();
    this.#tell(() =>
      this.#store.events.insert({ event_id: `error:${code}:${now}`, event_type: 'error', details }, now),
    );
  }

  /** A report that cannot be stored must keep the agent neither from starting nor from stopping in order. */
  #tell(write: () => void): void {
    try {
      this.#store.transaction(write);
    } catch (error) {
      // The store itself is what stands then: the log and `status` say so, and its recovery is the next change.
      if (!(error instanceof EdgeError)) throw error;
    }
  }

  #event(details: Record<string, unknown>): void {
    const event_id = `status:${randomUUID()}`;
    this.#store.events.insert({ event_id, event_type: 'agent_status', details }, this.#clock.now());
  }
}
