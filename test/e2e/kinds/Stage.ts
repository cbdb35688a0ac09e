import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Rig, type RigOptions } from '../../../scripts/rig/Rig.ts';
import type { Responder } from '../../../src/hub/responders/Responder.ts';
import type { SimulatedMac } from '../../../src/simulator/SimulatedMac.ts';
import { type SchemaVariant, schemaOf } from '../../chatdb/support/schemaVariants.ts';
import { waitFor } from '../../support/waitFor.ts';
import { Ledger, type Told } from './Ledger.ts';

function answering(answer: (text: string) => string | undefined): Responder {
  return {
    async respond({ text }) {
      const bubble = answer(text);
      return bubble === undefined
        ? { should_respond: false, bubbles: [] }
        : { should_respond: true, bubbles: [bubble] };
    },
  };
}

export interface StageOptions {
  readonly variant?: SchemaVariant;
  /** The bubble that answers a text. @default silence */
  readonly answer?: (text: string) => string | undefined;
  readonly config?: RigOptions['config'];
}

/** A rig whose hub writes down what it is told, and whose chat.db is that of a variant. */
export class Stage {
  readonly rig: Rig;
  readonly ledger: Ledger;
  readonly #threads = new Map<string, string>();
  #people = 1; // +15550100000 is the Mac's own number
  #beats = 0;

  /** The caller closes it. The agent is not started yet. */
  static async open({ variant, answer = () => undefined, config = {} }: StageOptions): Promise<Stage> {
    const ledger = new Ledger();
    const rig = await Rig.create({
      dir: mkdtempSync(join(tmpdir(), 'edge-')),
      ...(variant && { mac: { macos: variant.macos, schema: schemaOf(variant) } }),
      hub: { responder: answering(answer), observe: ledger.observer },
      config: {
        ...config,
        imessage: { attachment_wait_seconds: 3, ...config.imessage },
        // Events go with the next poll, a second later; over a socket they may wait five.
        websocket: { enabled: false },
        // Two POSTs at once may be read by the hub in either order.
        backend: { max_in_flight_per_thread: 1, ...config.backend },
      },
    });
    return new Stage(rig, ledger);
  }

  private constructor(rig: Rig, ledger: Ledger) {
    this.rig = rig;
    this.ledger = ledger;
  }

  async start(): Promise<void> {
    await this.rig.startAgent({ withSocket: false });
  }

  /** Ends the agent and starts it again. */
  async restart(signal: NodeJS.Signals): Promise<void> {
    await this.rig.agent.kill(signal);
    await this.start();
    await this.beat();
  }

  async close(): Promise<void> {
    await this.rig.close();
    rmSync(this.rig.options.dir, { recursive: true, force: true });
  }

  get mac(): SimulatedMac {
    return this.rig.mac;
  }

  /** Whether this chat.db has all of these columns (`message.text`). */
  has(...columns: string[]): boolean {
    return columns.every((name) => {
      const [table, column] = name.split('.') as [string, string];
      return this.mac.chatDb.columns(table).has(column);
    });
  }

  /** A number that nobody else has; its thread is known by the title from here on. */
  person(title: string): string {
    const number = `+155501000${String(this.#people++).padStart(2, '0')}`;
    return this.thread(number, title);
  }

  thread(id: string, title: string): string {
    this.#threads.set(id, title);
    return id;
  }

  titleOf(thread: string): string {
    return this.#threads.get(thread) ?? thread;
  }

  /** What the backend was told until now, by the titles of threads. */
  told(): Told {
    return this.ledger.told((thread) => this.titleOf(thread));
  }

  /** Resolves when the backend was told as much as this, or when that takes too long: the comparison then shows what is missing. */
  async toldAsMuchAs(expected: () => Told): Promise<void> {
    await waitFor('everything', () => count(this.told()) >= count(expected()), 30_000).catch(() => {});
  }

  /** Resolves when the backend has this message. */
  async posted(guid: string): Promise<void> {
    await waitFor(`${guid} to be handed over`, () => this.ledger.isPosted(guid), 30_000);
  }

  /** Resolves when the agent has read everything that is in chat.db now. */
  async beat(): Promise<void> {
    await this.mac.settled();
    const from = this.thread('heartbeat@example.com', 'heartbeat');
    const guid = this.mac.people.receive({ from, text: `beat ${++this.#beats}` });
    await this.posted(guid);
  }
}

function count(told: Told): number {
  return Object.values(told).reduce((sum, { posts, events }) => sum + posts.length + events.length, 0);
}
