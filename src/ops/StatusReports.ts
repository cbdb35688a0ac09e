import { randomUUID } from 'node:crypto';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock, Timer } from '../util/Clock.ts';
import { EdgeError, isStoreUnwilling } from '../util/EdgeError.ts';
import { ERRORS, type ErrorCode } from '../util/errors.ts';
import { packageVersion } from '../util/version.ts';
import type { HealthView } from './Health.ts';

/** Until conditions that state.db did not take are written again, ms. */
const TRY_AGAIN_MS = 1_000;

/** Where an agent is in its life. */
export type Phase = 'starting' | 'running' | 'stopping';

/** Tells how the agent is: to the backend by `agent_status` events, and to `edge-agent status` when it does not run. */
export class StatusReports {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #agentId: string;
  readonly #onLate: () => void;
  /** The codes that the backend was told last. */
  #reasons = '';
  /** JSON of the conditions that this process has met, shown or not. */
  #standing = '[]';
  #phase: Phase = 'starting';
  #latest: HealthView = { shown: [], hidden: [] };
  #again: Timer | undefined;

  /** `onLate`: what state.db had not taken is told now. */
  constructor(options: { store: StateStore; clock: Clock; agentId: string; onLate?: () => void }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#agentId = options.agentId;
    this.#onLate = options.onLate ?? (() => {});
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
    this.conditions(this.#latest); // what could not be told before
    const { quarantined, isBehind } = this.#store;
    if (quarantined) this.error('EDGE_STATE_CORRUPT', ERRORS.EDGE_STATE_CORRUPT.means);
    else if (isBehind) this.error('EDGE_STATE_BEHIND', ERRORS.EDGE_STATE_BEHIND.means);
  }

  stopping(): void {
    this.#phase = 'stopping';
    this.#again?.cancel();
    this.#tell(() => {
      this.#store.meta.set('stopped_at', String(this.#clock.now()));
      this.#event({ status: 'stopping' });
    });
  }

  /** The conditions have changed. The backend hears of those that are shown. */
  conditions(view: HealthView): void {
    const { shown, hidden } = view;
    const codes = shown.map(({ code }) => code);
    const [before, reasons] = [this.#reasons, codes.join()];
    this.#latest = view;
    // First: a write that goes through may end a condition of state.db, and that is told in the midst of this.
    this.#reasons = reasons;
    this.#standing = JSON.stringify([...shown, ...hidden]);
    const isTold = this.#tell(() => {
      this.#store.meta.set('conditions', this.#standing);
      if (before === reasons) return; // another detail, or what follows from them
      this.#event(codes.length > 0 ? { status: 'degraded', reasons: codes } : { status: 'recovered' });
    });
    if (isTold) return;
    // A lock of a moment is no condition that is shown: its end is no change that would be told of.
    if (this.#reasons === reasons) this.#reasons = before;
    this.#tellAgain();
  }

  #tellAgain(): void {
    if (this.#phase !== 'running') return;
    this.#again ??= this.#clock.after(TRY_AGAIN_MS, () => {
      this.#again = undefined;
      this.conditions(this.#latest);
      this.#onLate();
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

  /**
   * A report that cannot be stored must keep the agent neither from starting nor from stopping in order.
   * @returns false when it is worth while to try again
   */
  #tell(write: () => void): boolean {
    try {
      this.#store.transaction(write);
      return true;
    } catch (error) {
      // The store itself is what stands then, and the log and `status` say so.
      if (!(error instanceof EdgeError)) throw error;
      return !isStoreUnwilling(error);
    }
  }

  #event(details: Record<string, unknown>): void {
    const event_id = `status:${randomUUID()}`;
    this.#store.events.insert({ event_id, event_type: 'agent_status', details }, this.#clock.now());
  }
}
