import type { ErrorCode } from '../util/errors.ts';
import type { Telemetry } from '../util/Telemetry.ts';

/** Causes on the way to the backend that a person has to mend; a backend that is merely away is no condition here. */
const TOLD: ReadonlySet<ErrorCode> = new Set([
  'EDGE_BACKEND_DNS',
  'EDGE_TLS_EXPIRED',
  'EDGE_TLS_UNTRUSTED',
  'EDGE_TLS_HOST',
  'EDGE_TLS_PIN',
  'EDGE_TLS_FAILED',
  'EDGE_PROXY_AUTH',
  'EDGE_PROXY_FAILED',
]);

/** What keeps the dials from reaching the backend, as the one condition that stands for them. */
export class DialCondition {
  readonly #telemetry: Telemetry;
  #standing: ErrorCode | undefined;

  constructor(options: { telemetry: Telemetry }) {
    this.#telemetry = options.telemetry;
  }

  failed(code: ErrorCode, detail: string): void {
    const told = TOLD.has(code) ? code : undefined;
    if (this.#standing !== told) this.reached();
    this.#standing = told;
    if (told) this.#telemetry.conditionRaised(told, detail);
  }

  /** The backend answered, if only with a refusal. */
  reached(): void {
    if (this.#standing) this.#telemetry.conditionCleared(this.#standing);
    this.#standing = undefined;
  }
}
