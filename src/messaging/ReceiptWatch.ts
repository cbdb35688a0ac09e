import type { ChatRow } from '../chatdb/types.ts';
import type { SendRow } from '../state/SendRow.ts';
import type { Clock, Timer } from '../util/Clock.ts';
import { codeOf, messageOf } from '../util/EdgeError.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { Ghosts } from './Ghosts.ts';
import type { ReceiptSource } from './ReceiptSource.ts';
import { type Candidates, candidates, findReceipt } from './receipts.ts';
import { undecidedMs } from './undecided.ts';

/** Looks after osascript ended, ms: the row is often written before the exit, and the event on the file may be missed. */
const LOOKS_MS = [10, 50, 200, 1000] as const;
/**
 * The settle time passes in this many steps. One timer over all of it would be over at once after a sleep of the Mac,
 * during which Messages had no time to write either; and time in which chat.db cannot be read does not count.
 */
const STEPS = 6;
/** A look that comes so much later than it was due was kept by a sleep of the Mac, or a chat.db that cannot be read, ms. */
const LATE_MS = 1000;

interface Flight {
  readonly send: SendRow;
  stepsLeft: number;
  /** The step under way; among `timers` too. One at most: two would let the settle time pass twice as fast. */
  step: Timer | undefined;
  /** Since when its row is watched without an outcome, monotonic ms. */
  undecidedSince: number | undefined;
  /** A row may be its ghost; the look at which that is known. The settle time does not end before. */
  suspicion: Timer | undefined;
  readonly timers: Set<Timer>;
}

/** Waits for the receipts of sends that are with Messages. */
export class ReceiptWatch {
  readonly #chatDb: () => ReceiptSource | undefined;
  readonly #epoch: () => number;
  readonly #claimed: (guid: string, sendId: number) => boolean;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #settleMs: number;
  readonly #onReceipt: (send: SendRow, row: ChatRow) => boolean;
  readonly #onNone: (send: SendRow, isSure: boolean) => void;
  readonly #onGhost: (send: SendRow, row: ChatRow) => boolean;
  readonly #ghosts: Ghosts;
  /** Runs what a timer started; it may end sends. */
  readonly #turn: (work: () => void) => void;
  readonly #flights = new Map<number, Flight>();
  #stopped = false;

  constructor(options: {
    chatDb: () => ReceiptSource | undefined;
    epoch: () => number;
    /** The row proves another send than this one, or none. */
    claimed: (guid: string, sendId: number) => boolean;
    /** The row is known to prove nothing. */
    isSpent: (guid: string) => boolean;
    isByChat: (send: SendRow) => boolean;
    clock: Clock;
    telemetry: Telemetry;
    settleMs: number;
    /** False when the send is still under way: the row was marked failed, and another may come. */
    onReceipt: (send: SendRow, row: ChatRow) => boolean;
    /** The settle time is over. Not `isSure`: there are more rows than are looked at. */
    onNone: (send: SendRow, isSure: boolean) => void;
    /** The row shows that nothing went out. False when what follows cannot be decided now. */
    onGhost: (send: SendRow, row: ChatRow) => boolean;
    turn: (work: () => void) => void;
  }) {
    this.#chatDb = options.chatDb;
    this.#epoch = options.epoch;
    this.#claimed = options.claimed;
    this.#clock = options.clock;
    this.#telemetry = options.telemetry;
    this.#settleMs = options.settleMs;
    this.#onReceipt = options.onReceipt;
    this.#onNone = options.onNone;
    this.#onGhost = options.onGhost;
    this.#ghosts = new Ghosts(options);
    this.#turn = options.turn;
  }

  has(sendId: number): boolean {
    return this.#flights.has(sendId);
  }

  /** From now on every look is for this send too; osascript may still be running. */
  add(send: SendRow): void {
    this.#flights.set(send.sendId, {
      send,
      stepsLeft: STEPS,
      step: undefined,
      undecidedSince: undefined,
      suspicion: undefined,
      timers: new Set(),
    });
  }

  /** osascript has ended (or died with us): look soon and often, and let the settle time begin. */
  settle(sendId: number): void {
    const flight = this.#flights.get(sendId);
    if (!flight || this.#stopped) return;
    for (const ms of LOOKS_MS) this.#after(flight, ms, () => this.look());
    this.#armStep(flight);
  }

  forget(sendId: number): void {
    for (const timer of this.#flights.get(sendId)?.timers ?? []) timer.cancel();
    this.#flights.delete(sendId);
  }

  /** Looks for all receipts. False when chat.db cannot be read now. */
  look(): boolean {
    if (this.#flights.size === 0) return true;
    const flights = [...this.#flights.values()];
    const found = this.#candidates(flights.map((flight) => flight.send));
    if (!found) return false;
    for (const flight of flights) {
      const { send } = flight;
      const row = this.#find(send, found, false);
      if (!row) flight.undecidedSince = undefined;
      if (!row || !this.#isDecided(flight, row)) continue;
      if (this.#onReceipt(send, row)) this.forget(send.sendId);
      else flight.undecidedSince = undefined;
    }
    this.#lookForGhosts(found.rows);
    return true;
  }

  #lookForGhosts(rows: readonly ChatRow[]): void {
    const flights = [...this.#flights.values()].filter(({ undecidedSince }) => undecidedSince === undefined);
    const sends = flights.map(({ send }) => send);
    const hasEnded = ({ sendId }: SendRow) => this.#flights.get(sendId)?.step !== undefined;
    for (const { send, row, leftMs } of this.#ghosts.among(rows, sends, this.#epoch(), hasEnded)) {
      const flight = this.#flights.get(send.sendId);
      if (!flight) continue; // another row was its ghost
      if (leftMs > 0) {
        if (!this.#stopped) flight.suspicion ??= this.#after(flight, leftMs, () => this.#lookAgain(flight));
        continue;
      }
      if (this.#onGhost(send, row)) this.forget(send.sendId);
    }
  }

  #lookAgain(flight: Flight): void {
    flight.suspicion = undefined;
    this.look();
  }

  /** Whether the row tells how the bubble ended, or has kept silent for long enough. */
  #isDecided(flight: Flight, row: ChatRow): boolean {
    if (row.error !== 0 || row.isSent || row.isDelivered) return true;
    const now = this.#clock.monotonic();
    const limitMs = undecidedMs(flight.send);
    if (now - (flight.undecidedSince ?? Number.NEGATIVE_INFINITY) > limitMs + LATE_MS) {
      flight.undecidedSince = now;
      if (!this.#stopped) this.#after(flight, limitMs, () => this.look());
    }
    return now - flight.undecidedSince! >= limitMs;
  }

  /**
   * The receipt of an earlier attempt, before another is made.
   * @returns undefined when there is none, `unsure` when there is none among as many rows as are looked at, false when
   * chat.db cannot be read
   */
  lateReceipt(send: SendRow): ChatRow | undefined | 'unsure' | false {
    const found = this.#candidates([send]);
    if (!found) return false;
    return this.#find(send, found, true) ?? (found.isWhole ? undefined : 'unsure');
  }

  stop(): void {
    this.#stopped = true;
    for (const flight of this.#flights.values()) {
      for (const timer of flight.timers) timer.cancel();
      flight.timers.clear();
    }
  }

  #armStep(flight: Flight): void {
    flight.step?.cancel();
    if (flight.step) flight.timers.delete(flight.step);
    if (this.#stopped) return;
    flight.step = this.#after(flight, this.#settleMs / STEPS, () => {
      this.#armStep(flight); // before the work, so that a step that fails is made good by the next
      if (!this.look() || !this.has(flight.send.sendId)) return;
      if (flight.stepsLeft > 1) flight.stepsLeft--;
      else if (!flight.suspicion && flight.undecidedSince === undefined) this.#lastLook(flight.send);
    });
  }

  #lastLook(send: SendRow): void {
    const found = this.#candidates([send]);
    if (!found) return;
    const row = this.#find(send, found, true);
    if (!row || !this.#onReceipt(send, row)) this.#onNone(send, found.isWhole);
    this.forget(send.sendId);
  }

  #find(send: SendRow, { rows, previews }: Candidates, lastLook: boolean): ChatRow | undefined {
    const claimed = (guid: string) => this.#claimed(guid, send.sendId);
    return findReceipt(send, rows, { epoch: this.#epoch(), now: this.#clock.now(), claimed, previews, lastLook });
  }

  #candidates(sends: readonly SendRow[]): Candidates | undefined {
    const db = this.#chatDb();
    if (!db) return undefined;
    try {
      return candidates(db, this.#epoch(), sends, this.#clock.now());
    } catch (error) {
      this.#telemetry.failure(codeOf(error, 'EDGE_CHATDB_READ'), `looking for receipts: ${messageOf(error)}`);
      return undefined;
    }
  }

  #after(flight: Flight, ms: number, work: () => void): Timer {
    const timer = this.#clock.after(ms, () => {
      flight.timers.delete(timer);
      this.#turn(work);
    });
    flight.timers.add(timer);
    return timer;
  }
}
