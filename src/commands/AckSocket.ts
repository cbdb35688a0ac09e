import type { AgentFrame } from '../protocol/wire.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock, Timer } from '../util/Clock.ts';
import { codeOf, isStoreUnwilling, messageOf } from '../util/EdgeError.ts';
import type { Telemetry } from '../util/Telemetry.ts';

/** Acks on their way at once; more are sent when these are proven. */
const MAX_UNPROVEN = 100;
/** From an ack to the ping that asks for its proof, ms; acks in between share it. */
const PING_AFTER_MS = 1000;
/** Nothing tells when a full socket takes frames again: it is tried this often, ms. */
const TRY_AGAIN_MS = 1000;
/** While state.db takes nothing: from a proof that could not be noted to the ping for the next, ms. */
const PROVE_AGAIN_MS = 10_000;
/**
 * A pong this long after our ping is no proof, ms: the ping, and the acks before it, may have been lost on the way by
 * something that passes frames on, and the pong answer a later ping.
 */
const LATE_PONG_MS = 5000;
/**
 * After so long without a pong while acks wait for one none is to be expected, ms, though the connection lives: other
 * frames keep it up. A load balancer that pings by itself before a backend that hangs, for instance, or one that reads
 * nothing, so that the socket stays full.
 */
const NO_PONG_MS = 30_000;

/**
 * Acks over one connection. ws reports success for frames that never arrive; but frames arrive in order, so the answer
 * to a ping sent after an ack proves the ack. Which pong that is follows from how many pings had no answer when ours
 * went out: on a slow line, or after reading was paused, there are several. What a broken connection leaves unproven
 * stays due.
 *
 * No ack waits for what need not come: while any is unproven, or refused by a full socket, `onNoPong` is at most 30 s
 * away.
 */
export class AckSocket {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #sendFrame: (frame: AgentFrame) => boolean;
  readonly #sendPing: () => boolean;
  readonly #unansweredPings: () => number;
  readonly #onNoPong: (sinceMs: number) => void;
  /** Ack id to the pongs that its proof still takes; undefined before the first ping after it. In order of sending. */
  readonly #unproven = new Map<number, number | undefined>();
  #pingTimer: Timer | undefined;
  /** Runs while the socket is full. */
  #tryAgain: Timer | undefined;
  /** Of the pings sent here, those that may still be answered. */
  #ownPings = 0;
  #noPong: Timer | undefined;
  /** When the ping whose pong is awaited was sent, monotonic ms. */
  #pingedAt: number | undefined;
  /** The last pong came late. */
  #isLate = false;

  constructor(options: {
    store: StateStore;
    clock: Clock;
    telemetry: Telemetry;
    sendFrame: (frame: AgentFrame) => boolean;
    /** False when no ping could be written. */
    sendPing: () => boolean;
    /** Of this connection, whoever sent them. */
    unansweredPings: () => number;
    /** The connection proves nothing: no pong came for so long, ms, or two in a row were that late. */
    onNoPong: (sinceMs: number) => void;
  }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#telemetry = options.telemetry;
    this.#sendFrame = options.sendFrame;
    this.#sendPing = options.sendPing;
    this.#unansweredPings = options.unansweredPings;
    this.#onNoPong = options.onNoPong;
  }

  /** Sends what is due, each ack once a connection. */
  wake(): void {
    // Those on their way are due as well, and a repeated command may have made due one with a low id: look at all.
    for (const { ackId, body } of this.#store.commands.acksWaiting(0, MAX_UNPROVEN)) {
      if (this.#unproven.has(ackId)) continue;
      if (this.#unproven.size >= MAX_UNPROVEN) break;
      if (!this.#sendFrame({ type: 'command_ack', data: body })) {
        this.#tryAgainSoon();
        break;
      }
      this.#unproven.set(ackId, undefined);
    }
    if (this.#unproven.size > 0) this.#pingSoon();
    this.#expectPong();
  }

  /** Another connection, or none: what was on its way proves nothing any more. */
  reset(): void {
    this.#unproven.clear();
    this.#pingTimer?.cancel();
    this.#pingTimer = undefined;
    this.#tryAgain?.cancel();
    this.#tryAgain = undefined;
    this.#expectNoPong();
    this.#ownPings = 0;
    this.#isLate = false;
  }

  pong(): void {
    const lateMs = this.#pingedAt === undefined ? 0 : this.#clock.monotonic() - this.#pingedAt;
    if (lateMs > LATE_PONG_MS) {
      const isAgain = this.#isLate;
      this.reset();
      this.#isLate = !isAgain;
      // Behind thousands of frames every pong is late, and acks that are only ever sent once more prove nothing.
      if (isAgain) this.#onNoPong(LATE_PONG_MS);
      else this.wake(); // once more, all of them
      return;
    }
    this.#isLate = false;
    this.#expectNoPong();
    this.#ownPings = Math.max(0, this.#ownPings - 1);
    const proven: number[] = [];
    let waiting = false;
    for (const [ackId, pongs] of this.#unproven) {
      if (pongs === undefined) continue;
      if (pongs <= 1) proven.push(ackId);
      else {
        this.#unproven.set(ackId, pongs - 1);
        waiting = true;
      }
    }
    if (waiting && this.#ownPings === 0) this.#ping(); // one of those before was lost
    if (proven.length > 0) this.#proven(proven);
    this.#expectPong();
  }

  #proven(ackIds: readonly number[]): void {
    const now = this.#clock.now();
    try {
      this.#store.transaction(() => {
        for (const ackId of ackIds) this.#store.commands.markHandedOver(ackId, now);
      });
    } catch (error) {
      if (!isStoreUnwilling(error)) throw error;
      this.#telemetry.failure(codeOf(error, 'EDGE_STATE_FULL'), `noting acks: ${messageOf(error)}`);
      for (const ackId of ackIds) this.#unproven.set(ackId, undefined);
      this.#pingSoon(PROVE_AGAIN_MS);
      return;
    }
    for (const ackId of ackIds) this.#unproven.delete(ackId);
    this.#telemetry.acksHandedOver(ackIds.length, 'websocket');
    this.wake();
  }

  #pingSoon(waitMs = this.#unproven.size < MAX_UNPROVEN ? PING_AFTER_MS : 0): void {
    if (this.#pingTimer || ![...this.#unproven.values()].includes(undefined)) return;
    this.#pingTimer = this.#clock.after(waitMs, () => {
      this.#pingTimer = undefined;
      if (!this.#ping()) this.#pingSoon(PING_AFTER_MS);
    });
  }

  /** Its pong proves all that was sent before it. */
  #ping(): boolean {
    if (!this.#sendPing()) return false;
    this.#ownPings += 1;
    this.#pingedAt ??= this.#clock.monotonic();
    const needed = this.#unansweredPings();
    for (const [ackId, pongs] of this.#unproven) this.#unproven.set(ackId, pongs ?? needed);
    return true;
  }

  #tryAgainSoon(): void {
    this.#tryAgain ??= this.#clock.after(TRY_AGAIN_MS, () => {
      this.#tryAgain = undefined;
      this.wake();
    });
  }

  /** While any ack is due. */
  #expectPong(): void {
    if (this.#unproven.size === 0 && !this.#tryAgain) this.#expectNoPong();
    else this.#noPong ??= this.#clock.after(NO_PONG_MS, () => this.#onNoPong(NO_PONG_MS));
  }

  #expectNoPong(): void {
    this.#pingedAt = undefined;
    this.#noPong?.cancel();
    this.#noPong = undefined;
  }
}
