import type { Socket } from 'node:net';

/** What one direction of a connection does to what it carries. */
export interface LineFaults {
  /** Each piece comes so much later, ms … */
  readonly latencyMs: number;
  /** … and up to so much later still, drawn for each; pieces never overtake each other, as in TCP. */
  readonly jitterMs: number;
  /** Undefined: as fast as loopback is. */
  readonly bytesPerSecond: number | undefined;
  /** Cut into pieces of so many bytes, one each so many ms. */
  readonly slice: { readonly bytes: number; readonly everyMs: number } | undefined;
  /** Nothing gets through, and nobody is told: neither bytes nor the end nor a reset. */
  readonly isSwallowing: boolean;
}

export const SOUND: LineFaults = {
  latencyMs: 0,
  jitterMs: 0,
  bytesPerSecond: undefined,
  slice: undefined,
  isSwallowing: false,
};

/** On a line of limited speed no piece is longer, so that what it carries trickles instead of coming in one gulp. */
const PIECE_BYTES = 1024;
/** What may be on its way before the sender is no longer read, bytes. */
const MAX_UNDER_WAY_BYTES = 1024 * 1024;

interface Piece {
  readonly bytes: Buffer | 'end';
  /** On the monotonic clock, ms. */
  readonly dueAt: number;
}

/** One direction between two sockets: carries bytes and the end of them, as slowly and as badly as it is told. */
export class FaultyLine {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #count: (passed: number, swallowed: number) => void;
  #faults: LineFaults;
  #underWay: Piece[] = [];
  #bytesUnderWay = 0;
  #lastDueAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #hasLost = false;

  constructor(o: { from: Socket; to: Socket; faults: LineFaults; count(passed: number, swallowed: number): void }) {
    this.#from = o.from;
    this.#to = o.to;
    this.#faults = o.faults;
    this.#count = o.count;
  }

  start(): void {
    this.#from.on('data', (bytes: Buffer) => this.#take(bytes));
    this.#from.on('end', () => this.#add('end', 0));
    this.#to.on('drain', () => this.#readOrNot());
  }

  get isSwallowing(): boolean {
    return this.#faults.isSwallowing;
  }

  /** Bytes or the end of them were swallowed: what comes after makes no sense any more. */
  get hasLost(): boolean {
    return this.#hasLost;
  }

  /** Holds for what comes from now on; a line made sound lets go at once of what it held. */
  set faults(faults: LineFaults) {
    this.#faults = faults;
    if (faults.isSwallowing && this.#underWay.length > 0) this.#lose(0);
    if (faults.isSwallowing) this.stop();
    if (faults === SOUND) this.#deliver(Number.POSITIVE_INFINITY);
  }

  /** Sends the end one way; the other goes on. */
  end(): void {
    this.#add('end', 0);
  }

  /** Nothing that is under way arrives, and no timer is left. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#count(0, this.#bytesUnderWay);
    this.#underWay = [];
    this.#bytesUnderWay = 0;
    this.#lastDueAt = 0;
    if (this.#from.isPaused()) this.#from.resume();
  }

  #take(bytes: Buffer): void {
    if (this.#faults.isSwallowing) this.#lose(bytes.length);
    else if (this.#faults === SOUND && this.#underWay.length === 0) this.#write(bytes);
    else this.#cut(bytes);
    this.#readOrNot();
  }

  #cut(bytes: Buffer): void {
    const { slice, bytesPerSecond } = this.#faults;
    const size = slice?.bytes ?? (bytesPerSecond === undefined ? bytes.length : PIECE_BYTES);
    for (let at = 0; at < bytes.length; at += size) {
      const piece = bytes.subarray(at, at + size);
      const sendingMs = bytesPerSecond === undefined ? 0 : (piece.length * 1000) / bytesPerSecond;
      this.#add(piece, sendingMs + (slice?.everyMs ?? 0));
    }
  }

  #add(bytes: Buffer | 'end', sendingMs: number): void {
    const { isSwallowing, latencyMs, jitterMs } = this.#faults;
    if (isSwallowing) {
      this.#lose(0);
      return;
    }
    const arrivesAt = performance.now() + latencyMs + Math.random() * jitterMs;
    this.#lastDueAt = Math.max(arrivesAt, this.#lastDueAt) + sendingMs;
    this.#underWay.push({ bytes, dueAt: this.#lastDueAt });
    if (bytes !== 'end') this.#bytesUnderWay += bytes.length;
    if (this.#faults === SOUND) this.#deliver(Number.POSITIVE_INFINITY);
    else this.#arm();
  }

  #arm(): void {
    const next = this.#underWay[0];
    if (!next || this.#timer) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#deliver(performance.now());
        this.#arm();
      },
      Math.max(0, next.dueAt - performance.now()),
    );
  }

  #deliver(until: number): void {
    while (this.#underWay.length > 0 && this.#underWay[0]!.dueAt <= until) {
      const { bytes } = this.#underWay.shift()!;
      if (bytes === 'end') this.#to.end();
      else {
        this.#bytesUnderWay -= bytes.length;
        this.#write(bytes);
      }
    }
    if (this.#underWay.length === 0) this.#lastDueAt = 0;
    this.#readOrNot();
  }

  #write(bytes: Buffer): void {
    if (!this.#to.writable) return;
    this.#count(bytes.length, 0);
    this.#to.write(bytes);
  }

  #readOrNot(): void {
    if (this.#bytesUnderWay > MAX_UNDER_WAY_BYTES || this.#to.writableNeedDrain) this.#from.pause();
    else if (this.#from.isPaused()) this.#from.resume();
  }

  #lose(bytes: number): void {
    this.#hasLost = true;
    this.#count(0, bytes);
  }
}
