import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Rig } from '../scripts/rig/Rig.ts';
import type { Responder } from '../src/hub/responders/Responder.ts';
import { systemClock } from '../src/util/Clock.ts';
import { FastClock } from '../test/faults/harness/FastClock.ts';
import { processFigures } from '../test/faults/harness/processFigures.ts';
import { waitFor } from '../test/support/waitFor.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** People write from 7 to 23; the backend is restarted at 4. */
const MORNING = 7;
const EVENING = 23;
const RESTART = 4;
/** Nothing happens in the hour after this one. */
const QUIET = 5;
const PEOPLE = 20;
/** Every so many messages get a second bubble. */
const SECOND_BUBBLE = 4;
/** What people write and programs answer is about so long, characters. */
const TEXT = 'A message of the length that people write, more or less: shall we meet at six by the river, or later?';
/** For an hour's messages, and for the agent's return, real ms. */
const PATIENCE_MS = 120_000;

/** What may happen on one of the days, beside the messages. */
export interface Incidents {
  /** The Mac sleeps from midnight to 4. */
  sleeps?: boolean;
  /** Power is lost at noon. */
  powerLoss?: boolean;
  /** The agent is stopped in order and started again at noon, as by an upgrade. */
  upgrade?: boolean;
  /** The backend is away from 13 to 14, and people go on writing. */
  outage?: boolean;
}

/** What was found at the end of a day. */
export interface DayFigures {
  readonly messages: number;
  readonly bubbles: number;
  readonly logLines: number;
  /** In an hour of the morning when nothing happens. */
  readonly quietLines: readonly string[];
  readonly logBytes: number;
  /** In all the files that are kept. */
  readonly logKeptBytes: number;
  readonly stateBytes: number;
  readonly walBytes: number;
  /** Everything else in state.dir. */
  readonly otherBytes: number;
  readonly rssMegabytes: number;
  readonly files: number;
  readonly conditions: number;
}

/** Whole days in the life of the compiled agent, hub and simulated Mac beside it, by a clock that leaps over waits. */
export class SimulatedDays {
  readonly #dir = mkdtempSync(join(tmpdir(), 'edge-fortnight-'));
  readonly #clock = new FastClock(join(this.#dir, 'clock'), { isHurried: true });
  readonly #messagesADay: number;
  #rig!: Rig;
  /** When the first day began, by the agent's clock since its first start. */
  #beganMs = 0;
  #written = 0;
  #answered = 0;

  constructor(o: { messagesADay: number }) {
    this.#messagesADay = o.messagesADay;
  }

  async start(log: { maxBytes: number; maxFiles: number }): Promise<void> {
    this.#rig = await Rig.create({
      dir: join(this.#dir, 'rig'),
      compiled: true,
      mac: { clock: { ...systemClock, now: () => this.#clock.now() } },
      hub: { responder },
      config: {
        backend: { sync_interval_seconds: 30 },
        sending: { settle_seconds: 60 },
        logging: { file: this.#logFile, max_bytes: log.maxBytes, max_files: log.maxFiles },
      },
      nodeArgs: this.#clock.nodeArgs,
    });
    await this.#rig.startAgent();
    this.#beganMs = this.#clock.elapsedMs;
  }

  async close(): Promise<void> {
    await this.#rig?.close();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** One day, from midnight to midnight. `day`: from 0. */
  async live(day: number, incidents: Incidents): Promise<DayFigures> {
    const { agent } = this.#rig;
    const [written, answered] = [this.#written, this.#answered];
    const dayBeganAt = this.#clock.now();
    const at = (hour: number) => this.#passUntil(day * DAY_MS + hour * HOUR_MS);
    if (incidents.sleeps) await this.#clock.sleep(RESTART * HOUR_MS);
    await at(RESTART);
    await this.#rig.stopHub();
    await this.#clock.pass(MINUTE_MS);
    await this.#rig.startHub();
    await at(QUIET);
    const quietAt = this.#clock.now();
    await at(QUIET + 1);
    const quietEnd = this.#clock.now();
    const perHour = this.#messagesADay / (EVENING - MORNING);
    for (let hour = MORNING; hour < EVENING; hour++) {
      await at(hour);
      if (hour === 12 && incidents.powerLoss) {
        await agent.kill('SIGKILL');
        await this.#rig.startAgent();
      }
      if (hour === 12 && incidents.upgrade) {
        await agent.kill('SIGTERM');
        await this.#rig.startAgent();
      }
      const isAway = hour === 13 && incidents.outage;
      if (isAway) await this.#rig.stopHub();
      while (this.#written - written < Math.round(perHour * (hour - MORNING + 1))) this.#write();
      await this.#read();
      if (isAway) {
        await at(hour + 1);
        await this.#rig.startHub();
      }
      await this.#allAnswered(hour);
    }
    await at(24);
    const lines = this.#linesOf(dayBeganAt);
    return {
      messages: this.#written - written,
      bubbles: this.#answered - answered,
      logLines: lines.length,
      quietLines: lines.filter((line) => timeOf(line) > quietAt && timeOf(line) <= quietEnd),
      logBytes: lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0),
      ...(await this.#figures()),
    };
  }

  get #logFile(): string {
    return join(this.#dir, 'logs', 'edge-agent.log');
  }

  #write(): void {
    const n = this.#written++;
    const from = `+15550100${String(n % PEOPLE).padStart(3, '0')}`;
    this.#rig.mac.people.receive({ from, text: `${n} ${TEXT}` });
    this.#answered += bubblesFor(n);
  }

  /** Until then the clock must not move, or what was written would be old news. */
  async #read(): Promise<void> {
    const { last } = this.#rig.mac.chatDb.get<{ last: number }>('SELECT coalesce(max(ROWID), 0) AS last FROM message')!;
    await this.#rig.agent.ready(({ cursor }) => (cursor as { rowid: number }).rowid >= last, PATIENCE_MS);
  }

  /** After an outage the next attempt is up to five minutes of the agent away. */
  async #allAnswered(hour: number): Promise<void> {
    const isDone = () => this.#rig.mac.messages.effects.length >= this.#answered;
    for (let minutes = 0; minutes < 15 && !isDone(); minutes++) {
      if (await waitFor('', isDone, hour === 14 ? 1000 : PATIENCE_MS / 15).catch(() => false)) break;
      await this.#clock.pass(MINUTE_MS);
    }
    if (this.#rig.mac.messages.effects.length !== this.#answered) {
      throw new Error(`${this.#rig.mac.messages.effects.length} bubbles instead of ${this.#answered}`);
    }
    await this.#rig.mac.settled();
  }

  async #passUntil(ms: number): Promise<void> {
    const left = this.#beganMs + ms - this.#clock.elapsedMs;
    if (left > 0) await this.#clock.pass(left, PATIENCE_MS);
  }

  get #logs(): string[] {
    const folder = dirname(this.#logFile);
    return readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
  }

  /** A day's lines are in what is kept. */
  #linesOf(since: number): string[] {
    return this.#logs.flatMap((text) => text.split('\n')).filter((line) => timeOf(line) >= since);
  }

  async #figures() {
    const { agent } = this.#rig;
    const { conditions } = await agent.status();
    const state = this.#rig.path('state');
    const size = (name: string) => statSync(join(state, name), { throwIfNoEntry: false })?.size ?? 0;
    const all = readdirSync(state).reduce((sum, name) => sum + size(name), 0);
    const [stateBytes, walBytes] = [size('state.db'), size('state.db-wal')];
    const { rssMegabytes = Number.NaN, files = Number.NaN } = processFigures(agent.pid!) ?? {};
    return {
      logKeptBytes: this.#logs.reduce((sum, text) => sum + Buffer.byteLength(text), 0),
      stateBytes,
      walBytes,
      otherBytes: all - stateBytes - walBytes,
      rssMegabytes,
      files,
      conditions: conditions.length,
    };
  }
}

const bubblesFor = (n: number) => (n % SECOND_BUBBLE === 0 ? 2 : 1);

const responder: Responder = {
  async respond({ text }) {
    const bubbles = [`Re: ${text}`, `And to ${text}`].slice(0, bubblesFor(Number.parseInt(text, 10)));
    return { should_respond: true, bubbles };
  },
};

/** When a line of the log was written, ms since 1970; NaN of what is none. */
function timeOf(line: string): number {
  return Date.parse(line.slice(1, 25));
}
