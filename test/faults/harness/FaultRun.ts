import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Rig, type RigOptions } from '../../../scripts/rig/Rig.ts';
import type { Responder } from '../../../src/hub/responders/Responder.ts';
import type { Incoming } from '../../../src/simulator/Incoming.ts';
import { systemClock } from '../../../src/util/Clock.ts';
import { waitFor } from '../../support/waitFor.ts';
import { FastClock } from './FastClock.ts';
import { Front } from './Front.ts';
import type { Evidence } from './judge.ts';
import { type Inserted, Ledger, type MessageKind, type Outcome } from './Ledger.ts';
import { type Inside, type ProcessFigures, processFigures } from './processFigures.ts';
import { Quiescence } from './Quiescence.ts';
import { seeded, settings } from './settings.ts';

export const ANN = '+15550100002';
export const BEN = '+15550100003';
export const CAROL = '+15550100004';
/** 10 s without an answer, which end a connection, are half a second then. */
const HURRY_RATE = 20;
/** A connection that lives so long begins the count of failures anew; its next ping is not overdue by then. */
const LASTING_MS = 31_000;
/** Stands in every text, so that it can be looked for where no text belongs. */
export const CANARY = 'private words';

/** What the backend answers a text with. */
export interface Reply {
  /** Goes out over the socket at once, and is in the answer again. */
  readonly reflex?: string;
  readonly bubbles: readonly string[];
}

export type RigShape = Omit<RigOptions, 'dir'>;

export interface FaultRunOptions {
  /** A function where what it is made of is there only once the test runs; gets a folder of the rig's own. */
  rig?: RigShape | ((dir: string) => RigShape | Promise<RigShape>);
  /** Whether the agent is up and on its socket before the fault. @default true */
  startsAgent?: boolean;
  /** Whether there is a WebSocket at the end, and at the start. @default true */
  hasSocket?: boolean;
  /** What the backend answers each text with. @default one bubble, `re ` and the text */
  reply?(text: string): Reply;
}

/** What a message is, beside what is told of it on the Mac. */
export interface Writing extends Partial<Omit<Incoming, 'from' | 'text'>> {
  /** What the text ends with, so that a test can know it again. */
  ending?: string;
  /** @default live */
  kind?: MessageKind;
  /** As in Inserted. @default false */
  arrivesChanged?: boolean;
}

/**
 * The whole system with faults in its lines: agent ── cable (WebSocket) and httpCable ── front ── hub. Each message
 * that is written is answered. `clock` moves the agent's time.
 */
export class FaultRun {
  readonly rig: Rig;
  readonly front: Front;
  readonly ledger: Ledger;
  readonly clock: FastClock;
  readonly hasSocket: boolean;
  /** From 0 to 1; decided by the seed of the suite. */
  readonly random = seeded(settings.seed);
  /** How often the fault was brought about; a case that does so more than once counts. */
  runs = 1;
  /**
   * From the end of each fault until all was well, ms: of each restart, until it reads chat.db and has its socket. faultTest
   * adds what was not well yet when the case had done its part.
   */
  readonly recoveriesMs: number[] = [];
  /** More to say in the report: a figure that the case measured. */
  note: string | undefined;
  /** Figures that the case measured again and again. */
  readonly samples: Readonly<Record<string, number>>[] = [];
  /** When the fault was over; a case whose fault ends before its function does says so. */
  liftedAt: number | undefined;
  readonly #reply: (text: string) => Reply;
  readonly #insideFile: string;
  readonly #quiescence: Quiescence;
  /** How long the last restart took. */
  #restartMs: number | undefined;
  #n = 0;

  static async create(dir: string, o: FaultRunOptions): Promise<FaultRun> {
    const { hasSocket = true, reply = (text: string): Reply => ({ bubbles: [answerTo(text)] }) } = o;
    const options = typeof o.rig === 'function' ? await o.rig(dir) : (o.rig ?? {});
    const ledger = new Ledger();
    const clock = new FastClock(join(dir, 'clock'));
    const inside = pathToFileURL(`${import.meta.dirname}/inside.mjs`);
    const insideFile = join(dir, 'inside');
    inside.searchParams.set('file', insideFile);
    const front = await new Front().start();
    const rig = await Rig.create({
      httpCable: true,
      compiled: settings.isCompiled,
      patience: settings.patience,
      ...options,
      dir: join(dir, 'rig'),
      mac: { clock: { ...systemClock, now: () => clock.now() }, ...options.mac },
      hub: { responder: responderOf(reply), ackTimeoutMs: 2000, ...options.hub, observe: ledger.observe },
      config: {
        ...options.config,
        // With more in flight, an answer that is ready goes before an earlier one that is not.
        backend: { max_in_flight_per_thread: 1, ...options.config?.backend },
        websocket: { enabled: hasSocket, ...options.config?.websocket },
      },
      nodeArgs: ['--import', inside.href, ...clock.nodeArgs, ...(options.nodeArgs ?? [])],
    });
    front.target = rig.hub.port;
    rig.cable.target = front.port;
    rig.httpCable.target = front.port;
    return new FaultRun({ rig, front, ledger, clock, hasSocket, reply, insideFile });
  }

  private constructor(o: {
    rig: Rig;
    front: Front;
    ledger: Ledger;
    clock: FastClock;
    hasSocket: boolean;
    reply: (text: string) => Reply;
    insideFile: string;
  }) {
    this.rig = o.rig;
    this.front = o.front;
    this.ledger = o.ledger;
    this.clock = o.clock;
    this.hasSocket = o.hasSocket;
    this.#reply = o.reply;
    this.#insideFile = o.insideFile;
    this.#quiescence = new Quiescence(o);
  }

  /** A person writes to the Mac; returns the guid. */
  write(from: string = ANN, { ending, kind = 'live', arrivesChanged = false, ...incoming }: Writing = {}): string {
    const text = this.#text('message', ending);
    const guid = this.rig.mac.people.receive({ from, text, ...incoming });
    this.wrote({ guid, thread: incoming.group?.id ?? from, text, kind, arrivesChanged });
    return guid;
  }

  /** Notes a message that came to the Mac in another way than by `write`, and what it is to be answered with. */
  wrote(message: Omit<Inserted, 'answers'>): void {
    this.ledger.inserted.push({
      ...message,
      answers: message.kind === 'live' || message.kind === 'late' ? spoken(this.#reply(message.text)) : [],
    });
  }

  /** The backend asks for a bubble; returns the id of the command. */
  async ask(
    thread = ANN,
    o: { commandId?: string; outcome?: Outcome; text?: string; bubbles?: readonly string[] } = {},
  ): Promise<string> {
    const { outcome = 'completed', text = this.#text('command'), bubbles = [text], ...ids } = o;
    const id = await this.rig.command('send_message_now', { thread_id: thread, text }, ids);
    this.ledger.asked.push({ id, thread, text, bubbles, outcome });
    return id;
  }

  /** One of each. */
  async both(thread = ANN): Promise<void> {
    this.write(thread);
    await this.ask(thread);
  }

  /** SIGKILL, and nothing after it: returns once the process is gone. */
  async crash(): Promise<void> {
    await this.rig.agent.kill('SIGKILL');
  }

  /** Starts the agent as launchd does; resolves when it reads chat.db and, if it is to have one, has its socket. */
  async restart(): Promise<void> {
    const startedAt = performance.now();
    await this.rig.startAgent({ withSocket: this.hasSocket });
    this.#restartMs = performance.now() - startedAt;
    this.recoveriesMs.push(this.#restartMs);
  }

  /** All is well, so many ms after the end of the case's own part. Where that was a restart, both are one recovery. */
  healed(ms: number): void {
    const last = this.recoveriesMs.at(-1);
    if (last !== undefined && last === this.#restartMs && this.liftedAt === undefined) {
      this.recoveriesMs[this.recoveriesMs.length - 1] = last + ms;
    } else this.recoveriesMs.push(ms);
  }

  /** Waits until all that was written is in the agent's hands, before its clock moves and would make it old news. */
  async read(): Promise<void> {
    const { last } = this.rig.mac.chatDb.get<{ last: number }>('SELECT coalesce(max(ROWID), 0) AS last FROM message')!;
    await this.rig.agent.ready(({ cursor }) => (cursor as { rowid: number }).rowid >= last);
  }

  /** Moves the agent's clock on by so much until `probe` holds, for `mostMs` of it at most. */
  async passUntil(what: string, probe: () => boolean, o: { stepMs: number; mostMs: number }): Promise<void> {
    for (let passed = 0; !probe(); passed += o.stepMs) {
      if (passed >= o.mostMs) throw new Error(`${o.mostMs} ms of the agent passed in vain for: ${what}`);
      await this.clock.pass(o.stepMs);
    }
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
    return processFigures(this.rig.agent.nodePid!);
  }

  /** The most memory that a process of the agent took; undefined where none lived for a second. */
  get peakRssMegabytes(): number | undefined {
    const { inside, figures } = this;
    const known = [...(inside ? [inside.peakRssBytes / 2 ** 20] : []), ...(figures ? [figures.peakRssMegabytes] : [])];
    return known.length > 0 ? Math.max(...known) : undefined;
  }

  /** What was last measured inside the agent; undefined of one that lived for less than a second. */
  get inside(): Inside | undefined {
    try {
      return JSON.parse(readFileSync(this.#insideFile, 'utf8')) as Inside;
    } catch {
      return undefined;
    }
  }

  get evidence(): Omit<Evidence, 'commandsInOrder' | 'losesState'> {
    const { inserted, asked, accepted, acks, events } = this.ledger;
    const bubbles = this.rig.mac.messages.effects;
    return { inserted, asked, posts: this.front.messages, accepted, acks, events: [...events.values()], bubbles };
  }

  /** Everything is accepted, answered, sent, acknowledged and told, as far as the Mac and the backend can see. */
  quiet(timeoutMs: number): Promise<void> {
    return this.#quiescence.quiet(timeoutMs);
  }

  /** Everything but the reports of what was sent, which wait up to 5 s for each other. */
  done(timeoutMs: number): Promise<void> {
    return this.#quiescence.done(timeoutMs);
  }

  /** As far as the Mac and the backend can see. */
  get isQuiet(): boolean {
    return this.#quiescence.isThere;
  }

  async close(): Promise<void> {
    await this.rig.close();
    await this.front.stop();
  }

  #text(what: string, ending?: string): string {
    return `${CANARY} of ${what} ${this.#n++}${ending === undefined ? '' : `, ${ending}`}`;
  }
}

export function answerTo(text: string): string {
  return `re ${text}`;
}

/** The bubbles of a reply, in order. */
function spoken({ reflex, bubbles }: Reply): string[] {
  return [...(reflex === undefined ? [] : [reflex]), ...bubbles];
}

function responderOf(replyTo: (text: string) => Reply): Responder {
  return {
    async respond({ text }, reply) {
      const { reflex, bubbles } = replyTo(text);
      if (reflex !== undefined) await reply.reflex(reflex);
      return { should_respond: true, bubbles: [...bubbles] };
    },
  };
}
