import { randomUUID } from 'node:crypto';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock } from '../util/Clock.ts';
import { EdgeError, isStoreUnwilling } from '../util/EdgeError.ts';
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
  readonly #onLate: () => void;
  /** The codes that the backend was told last. */
  #reasons = '';
  /** JSON of the conditions that this process has met, shown or not. */
  #standing = '[]';
  #phase: Phase = 'starting';
  #latest: HealthView = { shown: [], hidden: [] };
  /** What state.db did not take, by what it is about: the latest of each. */
  readonly #untold = new Map<string, () => void>();

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
    const at = this.#clock.now();
    this.#tell('started', () => {
      this.#store.meta.set('started_at', String(at));
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
    this.#tellUntold();
    this.#tell('stopping', () => {
      this.#store.meta.set('stopped_at', String(this.#clock.now()));
      this.#event({ status: 'stopping' });
    });
  }

  /** The conditions have changed. The backend hears of those that are shown. */
  conditions(view: HealthView): void {
    const { shown, hidden } = view;
    this.#latest = view;
    const codes = shown.map(({ code }) => code);
    const [before, reasons] = [this.#reasons, codes.join()];
    // First: a write that goes through may end a condition of state.db, and that is told in the midst of this.
    this.#reasons = reasons;
    this.#standing = JSON.stringify([...shown, ...hidden]);
    const isTold = this.#tell('conditions', () => {
      this.#store.meta.set('conditions', this.#standing);
      if (before === reasons) return; // another detail, or what follows from them
      this.#event(codes.length > 0 ? { status: 'degraded', reasons: codes } : { status: 'recovered' });
    });
    // A lock of a moment is no condition that is shown: its end is no change that would be told of.
    if (!isTold && this.#reasons === reasons) this.#reasons = before;
  }

  /** Something the backend should know of, by its code. */
  error(code: ErrorCode, message: string): void {
    const details = { code, message, fix: ERRORS[code].fix };
    const now = this.#clock.now();
    this.#tell(code, () =>
      this.#store.events.insert({ event_id: `error:${code}:${now}`, event_type: 'error', details }, now),
    );
  }

  /**
   * A report that cannot be stored must keep the agent neither from starting nor from stopping in order.
   * @returns false when it is tried again as soon as state.db takes it
   */
  #tell(what: string, write: () => void): boolean {
    try {
      this.#store.transaction(write);
      return true;
    } catch (error) {
      // The store itself is what stands then, and the log and `status` say so.
      if (!(error instanceof EdgeError)) throw error;
      if (!isStoreUnwilling(error)) return true;
      this.#untold.set(
        what,
        what === 'conditions' ? () => this.conditions(this.#latest) : () => this.#tell(what, write),
      );
      if (this.#phase !== 'stopping') this.#store.whenWritable(this.#tellUntold);
      return false;
    }
  }

  readonly #tellUntold = (): void => {
    const untold = [...this.#untold.values()];
    this.#untold.clear();
    for (const tell of untold) tell();
    if (untold.length > 0) this.#onLate();
  };

  #event(details: Record<string, unknown>): void {
    const event_id = `status:${randomUUID()}`;
    this.#store.events.insert({ event_id, event_type: 'agent_status', details }, this.#clock.now());
  }
}
