import type { StateStore } from '../state/StateStore.ts';
import { ERRORS } from '../util/errors.ts';

/** No restart sooner after another, ms. */
const RESTART_EVERY_MS = 30 * 60_000;
/** The same after one that did not help, ms: what hangs is not Messages then, but most likely a dialog. */
const AFTER_VAIN_RESTART_MS = 6 * 3_600_000;

const CODE = 'EDGE_MESSAGES_RESTARTED';

interface Facts {
  /** Since when Messages is held to hang, ms since 1970; null: it answers. */
  readonly hungSinceAt: number | null;
  /** The last restart, ms since 1970, and what came of it. */
  readonly restartAt: number | null;
  readonly restart: 'under way' | 'helped' | 'in vain' | null;
}

const NOTHING: Facts = { hungSinceAt: null, restartAt: null, restart: null };

/**
 * What must be known of Messages after the agent was started anew: that it hung, so that no attempt is lost on it; that
 * it was ended and not opened again; when it was restarted last. Every write may throw EDGE_STATE_*.
 */
export class WatchdogRecord {
  readonly #store: StateStore;

  constructor(options: { store: StateStore }) {
    this.#store = options.store;
  }

  get hungSinceAt(): number | undefined {
    return this.#read().hungSinceAt ?? undefined;
  }

  get isRestartUnderWay(): boolean {
    return this.#read().restart === 'under way';
  }

  get wasRestartInVain(): boolean {
    return this.#read().restart === 'in vain';
  }

  /** Whether the last restart is long enough ago. One from the future means that the wall clock was set back. */
  mayRestart(now: number): boolean {
    const { restartAt, restart } = this.#read();
    if (restartAt === null || restartAt > now) return true;
    return now - restartAt >= (restart === 'in vain' ? AFTER_VAIN_RESTART_MS : RESTART_EVERY_MS);
  }

  hangs(now: number): void {
    const facts = this.#read();
    if (facts.hungSinceAt === null) this.#write({ ...facts, hungSinceAt: now });
  }

  answers(): void {
    const facts = this.#read();
    if (facts.hungSinceAt !== null) this.#write({ ...facts, hungSinceAt: null });
  }

  restartBegins(now: number): void {
    this.#write({ ...this.#read(), restartAt: now, restart: 'under way' });
  }

  /** The restart is over; the backend is told of it once. @returns what it is told */
  restartEnded(helped: boolean, now: number): string {
    const facts = this.#read();
    const restartAt = facts.restartAt ?? now;
    const since = new Date(facts.hungSinceAt ?? restartAt).toISOString();
    const outcome = helped ? 'it answers again' : 'it still does not answer';
    const message = `Messages had not answered since ${since}, and was quit and reopened: ${outcome}`;
    this.#store.transaction(() => {
      this.#write({
        hungSinceAt: helped ? null : facts.hungSinceAt,
        restartAt,
        restart: helped ? 'helped' : 'in vain',
      });
      const details = { code: CODE, message, fix: ERRORS[CODE].fix, answers: helped };
      this.#store.events.insert({ event_id: `messages_restarted:${restartAt}`, event_type: 'error', details }, now);
    });
    return message;
  }

  #read(): Facts {
    const json = this.#store.meta.get('watchdog');
    return json === undefined ? NOTHING : (JSON.parse(json) as Facts);
  }

  #write(facts: Facts): void {
    this.#store.transaction(() => this.#store.meta.set('watchdog', JSON.stringify(facts)));
  }
}
