import type { ErrorCode } from '../../util/errors.ts';
import { isNetworkCode } from '../../util/networkCodes.ts';
import type { Telemetry } from '../../util/Telemetry.ts';

/** What a connection is for: two URLs, which may be of two hosts. */
export type Channel = 'http' | 'socket';

/** Raises what is wrong on the way to the backend, and clears it when a connection of the same channel works. */
export class NetworkConditions {
  readonly #telemetry: Telemetry;
  readonly #standing = new Map<Channel, ErrorCode>();

  constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry;
  }

  /** EDGE_BACKEND_UNREACHABLE is passed over: an outage is told by those whose work waits. */
  failed(channel: Channel, code: ErrorCode, detail: string): void {
    if (code === 'EDGE_BACKEND_UNREACHABLE' || !isNetworkCode(code)) return;
    if (this.#standing.get(channel) !== code) this.worked(channel);
    this.#standing.set(channel, code);
    // Each time: the work of the other channel may have ended what both met.
    this.#telemetry.conditionRaised(code, detail);
  }

  worked(channel: Channel): void {
    const code = this.#standing.get(channel);
    this.#standing.delete(channel);
    if (code !== undefined && !this.#has(code)) this.#telemetry.conditionCleared(code);
  }

  #has(code: ErrorCode): boolean {
    return [...this.#standing.values()].includes(code);
  }
}
