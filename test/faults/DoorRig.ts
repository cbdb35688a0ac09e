import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { Rig, type RigOptions } from '../../scripts/rig/Rig.ts';
import type { Responder } from '../../src/hub/responders/Responder.ts';
import type { Queues } from '../../src/ops/status.ts';
import type { Incoming } from '../../src/simulator/Incoming.ts';
import { systemClock } from '../../src/util/Clock.ts';
import { tempDir } from '../support/tempDir.ts';
import { waitFor } from '../support/waitFor.ts';
import { HttpDoor } from './HttpDoor.ts';
import { FastClock } from './harness/FastClock.ts';

export const ANN = '+15550100002';
export const BOB = '+15550100003';
export const CAROL = '+15550100004';
const MAX_RSS_KB = 150 * 1024;
/** Beside what was written before the fault: sockets being opened and closed, a script, a file being rotated. */
const SPARE_FDS = 12;

interface Written {
  readonly guid: string;
  readonly thread: string;
  readonly text: string;
}

const answering: Responder = {
  async respond(message) {
    return { should_respond: true, bubbles: [`re ${message.text}`] };
  },
};

/**
 * A whole system whose HTTP goes through a cable and a door, with its own clock for the agent, and three ledgers: what
 * was written on the Mac, what came to the door and into the hub, and what Messages was told to send.
 */
export class DoorRig {
  readonly rig: Rig;
  readonly door: HttpDoor;
  readonly clock: FastClock;
  readonly written: Written[] = [];
  /** guid → how often the hub took it, first or repeated, in the order of the first. */
  readonly taken: Map<string, number>;
  #fdsBefore = 0;

  /** Starts the agent unless told otherwise; HTTP goes through `rig.httpCable`, the socket through `rig.cable`. */
  static async start(
    options: Omit<RigOptions, 'dir' | 'httpCable'> & { agent?: false; socket?: false } = {},
  ): Promise<DoorRig> {
    const { agent, socket, ...rest } = options;
    const dir = tempDir();
    const clock = new FastClock(join(dir, 'clock'));
    const door = await new HttpDoor().start();
    const taken = new Map<string, number>();
    const rig = await Rig.create({
      ...rest,
      dir,
      httpCable: true,
      nodeArgs: [...clock.nodeArgs, ...(rest.nodeArgs ?? [])],
      mac: { clock: { ...systemClock, now: () => clock.now() }, ...rest.mac },
      hub: {
        responder: answering,
        observe: { messageReceived: ({ body }) => void taken.set(body.guid!, (taken.get(body.guid!) ?? 0) + 1) },
        ...rest.hub,
      },
      config: {
        ...rest.config,
        // With more in flight, an answer that is ready goes before an earlier one that is not.
        backend: { max_in_flight_per_thread: 1, ...rest.config?.backend },
        websocket: { enabled: socket !== false, ...rest.config?.websocket },
      },
    });
    onTestFinished(async () => {
      await rig.close();
      door.stop();
    });
    rig.httpCable.target = door.port;
    door.before(rig.hub.url);
    const started = new DoorRig({ rig, door, clock, taken });
    if (agent !== false) await started.startAgent();
    return started;
  }

  private constructor(o: { rig: Rig; door: HttpDoor; clock: FastClock; taken: Map<string, number> }) {
    this.rig = o.rig;
    this.door = o.door;
    this.clock = o.clock;
    this.taken = o.taken;
  }

  /** @param o.withSocket whether to wait for the socket. @default where there is one */
  async startAgent(o: { withSocket?: boolean } = {}): Promise<void> {
    const withSocket = o.withSocket ?? this.rig.options.config?.websocket?.enabled !== false;
    await this.rig.startAgent({ withSocket });
    this.#fdsBefore = openFiles(this.agent.pid);
  }

  get agent(): Rig['agent'] {
    return this.rig.agent;
  }

  /** Somebody writes a text that ends so; returns the guid. */
  write(end: string, from: string = ANN, more: Partial<Incoming> = {}): string {
    const text = `said: ${end}`; // no word that a log line could have by chance
    const guid = this.rig.mac.people.receive({ from, text, ...more });
    this.written.push({ guid, thread: from, text });
    return guid;
  }

  /** Waits until all that was written is in the agent's hands, before its clock moves and would make it old news. */
  async read(): Promise<void> {
    await this.agent.ready(({ cursor }) => (cursor as { rowid: number }).rowid >= this.written.length);
  }

  /** Moves the agent's clock on by so much until `probe` holds, for `mostMs` of it at most. */
  async passUntil(what: string, probe: () => boolean, o: { stepMs: number; mostMs: number }): Promise<void> {
    for (let passed = 0; !probe(); passed += o.stepMs) {
      if (passed >= o.mostMs)
        throw new Error(`${o.mostMs} ms of the agent passed in vain for: ${what}\n${this.agent.log}`);
      await this.clock.pass(o.stepMs);
    }
  }

  /** Every message was taken and answered to the person who wrote it. */
  get isSettled(): boolean {
    const { effects } = this.rig.mac.messages;
    return (
      this.written.every(({ guid }) => this.taken.has(guid)) &&
      effects.filter(({ text }) => text.startsWith('re ')).length >= this.written.length
    );
  }

  /** Waits until everything that was written is answered, and holds the ledgers against each other. */
  async settled(timeoutMs = 15_000, maxRssKb = MAX_RSS_KB): Promise<void> {
    await waitFor('everything answered', () => this.isSettled, timeoutMs).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.agent.log.slice(-8000)}`);
    });
    await this.agent.ready(({ queues }) => {
      const { inbound_pending, inbound_parked, sends_queued, sends_in_flight } = queues as Queues;
      return inbound_pending + inbound_parked + sends_queued + sends_in_flight === 0;
    });
    this.check(maxRssKb);
  }

  /** The invariants of every fault that is over, but for what only a case of its own can know. */
  check(maxRssKb = MAX_RSS_KB): void {
    const { written, door, taken, agent } = this;
    const guids = written.map(({ guid }) => guid);
    expect([...taken.keys()].sort(), 'nothing lost, nothing made up').toEqual([...guids].sort());
    for (const { thread } of written) {
      const inThread = written.filter((one) => one.thread === thread).map(({ guid }) => guid);
      expect(
        [...taken.keys()].filter((guid) => inThread.includes(guid)),
        'in order',
      ).toEqual(inThread);
      const texts = written.filter((one) => one.thread === thread).map(({ text }) => `re ${text}`);
      expect(this.rig.bubblesTo(thread), 'each answered once, in order').toEqual(texts);
    }
    for (const guid of guids) {
      const bodies = new Set(door.messages.filter(({ key }) => key === guid).map(({ body }) => body));
      expect(bodies.size, 'the same bytes under the same key').toBe(1);
    }
    expect(agent.isRunning).toBe(true);
    expect(agent.stderr).not.toMatch(/unhandled|uncaught|Error:/i);
    const log = agent.log;
    for (const secret of [this.rig.secret, ANN, BOB, CAROL, ...written.map(({ text }) => text)]) {
      expect(log, 'no secret, number or text in the log').not.toContain(secret);
    }
    expect(residentKb(agent.pid), 'memory, kB').toBeLessThan(maxRssKb);
    expect(openFiles(agent.pid), 'open files').toBeLessThanOrEqual(this.#fdsBefore + SPARE_FDS);
  }
}

/** As /proc has it; 0 where there is none. */
function residentKb(pid: number | undefined): number {
  const file = `/proc/${pid}/status`;
  return existsSync(file) ? Number(/VmRSS:\s+(\d+)/.exec(readFileSync(file, 'utf8'))?.[1]) : 0;
}

function openFiles(pid: number | undefined): number {
  const dir = `/proc/${pid}/fd`;
  return existsSync(dir) ? readdirSync(dir).length : 0;
}
