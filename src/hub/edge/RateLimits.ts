import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

/** What one agent may do a minute. */
export interface EdgeLimits {
  /** WebSocket handshakes. @default 10 */
  connects: number;
  /** POST /edge/message. @default 100 */
  messages: number;
  /** Other HTTP requests. @default 100 */
  requests: number;
  /** Files posted. @default 100 */
  uploads: number;
  /** WebSocket frames. Pings among them: an agent sends one after its acks to prove them. @default 600 */
  frames: number;
  /** Refused handshakes of one address. @default 30 */
  refusals: number;
}

export const DEFAULT_LIMITS: EdgeLimits = {
  connects: 10,
  messages: 100,
  requests: 100,
  uploads: 100,
  frames: 600,
  refusals: 30,
};

/** Counts per agent and minute, in memory. */
export class RateLimits {
  readonly #limiters: Map<keyof EdgeLimits, RateLimiterMemory>;

  constructor(o: { limits: EdgeLimits | 'off' }) {
    const entries = o.limits === 'off' ? [] : (Object.entries(o.limits) as [keyof EdgeLimits, number][]);
    this.#limiters = new Map(entries.map(([name, points]) => [name, new RateLimiterMemory({ points, duration: 60 })]));
  }

  /** Takes one; 0 when it was there, else the seconds until one is. */
  async take(name: keyof EdgeLimits, key: string): Promise<number> {
    try {
      await this.#limiters.get(name)?.consume(key);
      return 0;
    } catch (refused) {
      return secondsOf(refused);
    }
  }

  /** The same without taking. */
  async look(name: keyof EdgeLimits, key: string): Promise<number> {
    const limiter = this.#limiters.get(name);
    const state = await limiter?.get(key);
    return limiter && state && state.consumedPoints > limiter.points ? secondsOf(state) : 0;
  }
}

function secondsOf(refused: unknown): number {
  if (!(refused instanceof RateLimiterRes)) throw refused;
  return Math.max(1, Math.ceil(refused.msBeforeNext / 1_000));
}
