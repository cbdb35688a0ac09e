import { join } from 'node:path';
import { Rig, type RigOptions } from '../../scripts/rig/Rig.ts';
import { systemClock } from '../../src/util/Clock.ts';
import { waitFor } from '../support/waitFor.ts';
import { FastClock } from './FastClock.ts';
import { Front } from './Front.ts';
import { Ledger } from './Ledger.ts';
import { type ProcessFigures, processFigures } from './processFigures.ts';

export const ANN = '+15550100002';
export const BEN = '+15550100003';
/** 10 s without an answer, which end a connection, are half a second then. */
const HURRY_RATE = 20;
/** A connection that lives so long begins the count of failures anew; its next ping is not overdue by then. */
const LASTING_MS = 31_000;
/** Stands in every text, so that it can be looked for where no text belongs. */
export const CANARY = 'private words';

export interface FaultRunOptions {
  rig?: Omit<RigOptions, 'dir'>;
  /** Whether the agent is up and on its socket before the fault. @default true */
  startsAgent?: boolean;
  /** Whether there is a WebSocket at the end, and at the start. @default true */
  hasSocket?: boolean;
}

/**
 * The whole system with faults in its lines: agent ── cable (WebSocket) and httpCable ── front ── hub. Each message
 * that is written is answered with one bubble. `clock` moves the agent's time.
 */
export class FaultRun {
  readonly rig: Rig;
  readonly front: Front;
  readonly ledger: Ledger;
  readonly clock: FastClock;
  readonly hasSocket: boolean;
  #n = 0;

  static async create(dir: string, { rig: options = {}, hasSocket = true }: FaultRunOptions): Promise<FaultRun> {
    const ledger = new Ledger();
    const clock = new FastClock(join(dir, 'clock'));
    const front = new Front();
    await front.start();
    const rig = await Rig.create({
      httpCable: true,
      ...options,
      dir: join(dir, 'rig'),
      mac: { clock: { ...systemClock, now: () => clock.now() }, ...options.mac },
      hub: {
        responder: { respond: async ({ text }) => ({ should_respond: true, bubbles: [answerTo(text)] }) },
        ackTimeoutMs: 2000,
        ...options.hub,
        observe: ledger.observe,
      },
      config: {
        ...options.config,
        // With more in flight, an answer that is ready goes before an earlier one that is not.
        backend: { max_in_flight_per_thread: 1, ...options.config?.backend },
        websocket: { enabled: hasSocket, ...options.config?.websocket },
      },
      nodeArgs: [...clock.nodeArgs, ...(options.nodeArgs ?? [])],
    });
    front.target = rig.hub.port;
    rig.cable.target = front.port;
    rig.httpCable.target = front.port;
    return new FaultRun({ rig, front, ledger, clock, hasSocket });
  }

  private constructor(o: { rig: Rig; front: Front; ledger: Ledger; clock: FastClock; hasSocket: boolean }) {
    this.rig = o.rig;
    this.front = o.front;
    this.ledger = o.ledger;
    this.clock = o.clock;
    this.hasSocket = o.hasSocket;
  }

  /** A person writes to the Mac. */
  write(from = ANN): void {
    const text = this.#text('message');
    this.ledger.inserted.push({ guid: this.rig.mac.people.receive({ from, text }), thread: from, text });
  }

  /** The backend asks for a bubble. */
  async ask(thread = ANN, commandId?: string): Promise<string> {
    const text = this.#text('command');
    const o = commandId === undefined ? {} : { commandId };
    const id = await this.rig.command('send_message_now', { thread_id: thread, text }, o);
    this.ledger.asked.push({ id, thread, text });
    return id;
  }

  /** One of each. */
  async both(thread = ANN): Promise<void> {
    this.write(thread);
    await this.ask(thread);
  }

  /** Lets the agent's time run as fast as its connections bear it; resolves when `probe` holds, or `ms` are over. */
  async hurry(ms: number, probe: () => boolean | Promise<boolean> = () => false): Promise<void> {
    const end = this.clock.elapsedMs + ms;
    await this.clock.run(HURRY_RATE);
    await waitFor(`${ms} ms of the agent's clock`, async () => (await probe()) || this.clock.elapsedMs >= end, 50_000);
    await this.clock.run(1);
  }

  /** Leaps over each wait to dial again until `probe` holds; everything else takes the time it takes. */
  async redial(probe: () => boolean | Promise<boolean> = () => this.isUp()): Promise<void> {
    await waitFor(
      'the end of the waits to dial again',
      async () => {
        if (await probe()) return true;
        const { next_dial_at } = (await this.rig.agent.status()).websocket;
        if (await probe()) return true; // it came about in between, and the wait is the one after it
        const waitMs = next_dial_at ? Date.parse(next_dial_at) - this.clock.now() : 0;
        if (waitMs > 0) await this.clock.pass(waitMs);
        return false;
      },
      30_000,
    );
  }

  /** The connection of now counts as one that lasted. */
  async lasts(): Promise<void> {
    await this.clock.pass(LASTING_MS);
  }

  /** What the log says after `mark`; see `mark`. */
  logSince(mark: number): string {
    return this.rig.agent.log.slice(mark);
  }

  /** Where the log is now. */
  get mark(): number {
    return this.rig.agent.log.length;
  }

  async logged(text: string | RegExp, since = 0, timeoutMs?: number): Promise<void> {
    const isIn = (log: string) => (typeof text === 'string' ? log.includes(text) : text.test(log));
    await waitFor(`${text} in the log`, () => isIn(this.logSince(since)), timeoutMs);
  }

  async isUp(): Promise<boolean> {
    return (await this.rig.agent.status()).websocket.up;
  }

  async up(timeoutMs?: number): Promise<void> {
    await waitFor('the socket', () => this.isUp(), timeoutMs);
  }

  async down(timeoutMs?: number): Promise<void> {
    await waitFor('the loss of the socket', async () => !(await this.isUp()), timeoutMs);
  }

  get figures(): ProcessFigures | undefined {
    return processFigures(this.rig.agent.pid!);
  }

  /** Everything is accepted, answered, sent, acknowledged and told, as far as the Mac and the backend can see. */
  async quiet(timeoutMs: number): Promise<void> {
    const { ledger, rig } = this;
    const missing = () => ({
      accepted: ledger.inserted.length - ledger.accepted.size,
      bubbles: ledger.inserted.length + ledger.asked.length - rig.mac.messages.effects.length,
      reports: rig.mac.messages.effects.length - ledger.told('message_sent').length,
      acks: ledger.asked.filter(({ id }) => !/completed|failed/.test(String(ledger.acks.get(id)))).length,
    });
    const isQuiet = () => Object.values(missing()).every((left) => left <= 0);
    await waitFor('quiescence', isQuiet, timeoutMs).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(missing())}\n${rig.agent.log}`);
    });
  }

  async close(): Promise<void> {
    await this.rig.close();
    await this.front.stop();
  }

  #text(what: string): string {
    return `${CANARY} of ${what} ${this.#n++}`;
  }
}

export function answerTo(text: string): string {
  return `re ${text}`;
}
