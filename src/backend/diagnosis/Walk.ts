import { STATUS_CODES } from 'node:http';
import type { SyncRequest } from '../../protocol/wire.ts';
import type { Clock } from '../../util/Clock.ts';
import type { EdgeError } from '../../util/EdgeError.ts';
import { withoutSecret } from '../../util/withoutSecret.ts';
import { KEPT_BODY_CHARACTERS } from '../BackendError.ts';
import type { Network } from '../network/Network.ts';
import { networkFailure } from '../network/networkFailure.ts';
import { type Circumstances, causesOfRefusal } from './causes.ts';
import { Patience } from './Patience.ts';
import type { Found, Received, StepName, StepResult } from './Step.ts';

export interface WalkOptions {
  agentId: string;
  secret: string | undefined;
  /** Why there is no secret. */
  secretProblem: EdgeError | undefined;
  /** backend.url */
  baseUrl: string;
  /** `ws(s)://…/edge/ws` without the query; undefined where the WebSocket is switched off. */
  websocketUrl: string | undefined;
  network: Network;
  clock: Clock;
  /** What the agent would say in a sync, without events. */
  syncBody: SyncRequest;
  /** The agent that runs on this Mac, if one does. */
  agent: { isSocketUp: boolean; since: string | null } | undefined;
  /** Why backend.ca_file could not be used by the network, as soon as it was tried. */
  caFileProblem(): string | undefined;
  /** Masks handles in what the backend wrote. */
  mask(text: string): string;
}

/** Longest header that is shown, characters. */
const MAX_HEADER = 200;

/** The steps taken so far and what they found, with everything that may not be shown taken out. */
export class Walk {
  readonly o: WalkOptions;
  readonly results: StepResult[] = [];
  readonly #patience: Patience;

  constructor(options: WalkOptions) {
    this.o = options;
    this.#patience = new Patience(options.clock);
  }

  /** Takes one step. What `work` throws is what it found. */
  async step(
    step: StepName,
    target: string,
    circumstances: Circumstances,
    work: (signal: AbortSignal) => Promise<Found>,
  ): Promise<StepResult> {
    if (this.#patience.isOver) return this.skip(step, target, 'no time was left');
    const startedAt = this.o.clock.monotonic();
    let found: Found;
    try {
      found = await this.#patience.within(WAITED_FOR[step], work);
    } catch (error) {
      found = failedBy(error, circumstances);
    }
    return this.#add(step, target, found, Math.round(this.o.clock.monotonic() - startedAt));
  }

  skip(step: StepName, target: string, why: string): StepResult {
    return this.#add(step, target, { status: 'skipped', text: why }, 0);
  }

  /** The same limit for a second look within a step; undefined when that brought nothing. */
  async aside<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    if (this.#patience.isOver) return undefined;
    return this.#patience.within('no answer', work).catch(() => undefined);
  }

  /** Of the steps so far; undefined where no answer came. */
  statusOf(step: StepName): number | undefined {
    return this.results.findLast((result) => result.step === step)?.received?.status;
  }

  /** What the backend wrote, as it may be shown. */
  clean(text: string): string {
    return this.o.mask(withoutSecret(text, this.o.secret));
  }

  #add(step: StepName, target: string, found: Found, ms: number): StepResult {
    const result: StepResult = {
      step,
      target,
      ms,
      sent: undefined,
      causes: [],
      ask: [],
      fix: undefined,
      ...found,
      text: this.clean(found.text),
      received: found.received && this.#cleaned(found.received),
    };
    this.results.push(result);
    return result;
  }

  #cleaned({ headers, body, close, error, ...rest }: Received): Received {
    return {
      ...rest,
      headers:
        headers &&
        Object.fromEntries(
          Object.entries(headers).map(([name, text]) => [name, this.clean(text).slice(0, MAX_HEADER)]),
        ),
      body: body === undefined ? undefined : this.clean(body).slice(0, KEPT_BODY_CHARACTERS),
      close: close && { code: close.code, reason: this.clean(close.reason) },
      error: error && { code: error.code, detail: this.clean(error.detail) },
    };
  }
}

/** What did not happen when the time is over. */
const WAITED_FOR: Readonly<Record<StepName, string>> = {
  dns: 'EAI_AGAIN: no answer from DNS',
  tcp: 'no connection',
  tls: 'no TLS handshake',
  health: 'no answer',
  sync: 'no answer',
  upgrade: 'no answer',
  ping: 'no pong',
  probe: 'no test command',
};

export function failedBy(error: unknown, circumstances: Circumstances): Found {
  const failure = networkFailure(error);
  if (circumstances.isToProxy && failure.code === 'EDGE_BACKEND_UNREACHABLE') failure.code = 'EDGE_PROXY_FAILED';
  return refusedWith({ error: failure }, circumstances, `${failure.code}: ${failure.detail}`);
}

/** A failure with its causes. */
export function refusedWith(received: Received, circumstances: Circumstances, text: string): Found {
  return { status: 'fail', text, received, ...causesOfRefusal(received, circumstances) };
}

export function statusText(status: number): string {
  return `${status} ${STATUS_CODES[status] ?? ''}`.trim();
}
