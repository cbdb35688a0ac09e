import type { Random } from '../util/Random.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { KEPT_BODY_CHARACTERS } from './BackendError.ts';
import { connectionPolicy, type Ending, type Explanation, endingName } from './connectionPolicy.ts';
import { LargeFrames, type LargeFramesOptions } from './LargeFrames.ts';
import { drainDelayMs, reconnectDelayMs } from './reconnectDelay.ts';
import type { SocketProblem } from './SocketStatus.ts';

export interface WaitPlan {
  state: 'waiting' | 'halted';
  ms: number;
  /** The backend asked for this wait. */
  isAsked: boolean;
  rereadsSecret: boolean;
}

/** Texts without the secret. */
export interface EndingDetails {
  text: string;
  /** What the backend said: the body of a refusal, or the reason of a close. */
  body: string;
  retryAfterMs?: number | undefined;
}

export interface OutageOptions {
  agentId: string;
  random: Random;
  telemetry: Telemetry;
  onLargeFrames: LargeFramesOptions['onChange'];
}

/** What went wrong with the connections since the last one that lasted, and how long to wait on that account. */
export class Outage {
  readonly #o: OutageOptions;
  readonly #largeFrames: LargeFrames;
  #failures = 0;
  #lastProblem: SocketProblem | undefined;
  #hasLasted = false;
  /** What the greeting of the last connection asked for, ms; used up by the next wait. */
  #spreadMs = 0;

  constructor(options: OutageOptions) {
    this.#o = options;
    this.#largeFrames = new LargeFrames({ telemetry: options.telemetry, onChange: options.onLargeFrames });
  }

  /** Attempts and connections in a row that did not last. */
  get failures(): number {
    return this.#failures;
  }

  get lastProblem(): SocketProblem | undefined {
    return this.#lastProblem;
  }

  opened(): void {
    this.#hasLasted = false;
    this.#spreadMs = 0;
  }

  greeted(spreadMs: number): void {
    this.#spreadMs = spreadMs;
  }

  /** The machine slept: what failed before says nothing of the network it woke in. */
  startOver(): void {
    this.#failures = 0;
    this.#spreadMs = 0;
  }

  lasted(): void {
    this.#hasLasted = true;
    this.#failures = 0;
    this.#lastProblem = undefined;
    this.#largeFrames.lasted();
  }

  /** An open connection ended; asked for before `waitAfter`. */
  closed(ending: Ending): void {
    this.#largeFrames.ended(connectionPolicy(ending).isOversized === true);
  }

  waitAfter(ending: Ending, { text, body, retryAfterMs }: EndingDetails): WaitPlan {
    const next = connectionPolicy(ending);
    this.#lastProblem = { code: endingName(ending), text: text.slice(0, KEPT_BODY_CHARACTERS) };
    if (next.explain) this.#explain(ending, next.explain, body.slice(0, KEPT_BODY_CHARACTERS));
    const askedMs = next.obeysRetryAfter ? retryAfterMs : undefined;
    return {
      state: next.halts ? 'halted' : 'waiting',
      ms: this.#delayMs(this.#largeFrames.isPoisoned ? 'slow' : next.delay, askedMs),
      isAsked: askedMs !== undefined,
      rereadsSecret: next.rereadsSecret === true,
    };
  }

  /** Nothing was dialled. */
  waitWithoutSecret(): WaitPlan {
    const code = 'EDGE_SECRET_MISSING';
    const text = 'the WebSocket was not opened: there is no secret';
    this.#o.telemetry.failure(code, text);
    this.#lastProblem = { code, text };
    return { state: 'halted', ms: this.#delayMs('slow'), isAsked: false, rereadsSecret: true };
  }

  /** The backend asked to leave and come back. That is a failure only if it says so to every connection. */
  waitAfterDrain(askedMs: number): WaitPlan {
    if (!this.#hasLasted) this.#failures += 1;
    const ms = drainDelayMs(askedMs, {
      failures: Math.max(1, this.#failures),
      random: this.#o.random,
      spreadMs: this.#takeSpread(),
    });
    return { state: 'waiting', ms, isAsked: askedMs > 0, rereadsSecret: false };
  }

  #delayMs(delay: 'short' | 'backoff' | 'slow', retryAfterMs?: number): number {
    this.#failures += 1;
    const { random } = this.#o;
    return reconnectDelayMs(delay, { failures: this.#failures, retryAfterMs, random, spreadMs: this.#takeSpread() });
  }

  #takeSpread(): number {
    const ms = this.#spreadMs;
    this.#spreadMs = 0;
    return ms;
  }

  #explain(ending: Ending, { likelyCause, check }: Explanation, body: string): void {
    const { agentId, telemetry } = this.#o;
    if (ending.kind === 'error') {
      telemetry.frameRefused('EDGE_FRAME_INVALID', `${likelyCause} ${check}`);
      return;
    }
    const status = ending.kind === 'code' ? ending.code : ending.status;
    const sent = `Sent: Authorization: Bearer [secret], X-Edge-Agent-Id: ${agentId}`;
    telemetry.websocketRefused({ status, body, likelyCause, check: `${check} ${sent}` });
  }
}
