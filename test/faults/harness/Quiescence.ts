import type { Rig } from '../../../scripts/rig/Rig.ts';
import type { Queues } from '../../../src/ops/status.ts';
import { waitFor } from '../../support/waitFor.ts';
import type { FastClock } from './FastClock.ts';
import type { Ledger } from './Ledger.ts';

/** The 5 s in which reports are gathered are half a second then. */
const REPORT_RATE = 10;

/** Whether anything of what was written and asked for is still to come, by the ledgers of the Mac and of the backend. */
export class Quiescence {
  readonly #rig: Rig;
  readonly #ledger: Ledger;
  readonly #clock: FastClock;

  constructor({ rig, ledger, clock }: { rig: Rig; ledger: Ledger; clock: FastClock }) {
    this.#rig = rig;
    this.#ledger = ledger;
    this.#clock = clock;
  }

  get isThere(): boolean {
    return Object.values(this.#missing).every((left) => left <= 0);
  }

  /** Everything is accepted, answered, sent, acknowledged and told, and the agent has nothing in hand. */
  async quiet(timeoutMs: number): Promise<void> {
    await this.done(timeoutMs);
    if (!this.isThere) {
      const { rate } = this.#clock;
      await this.#clock.run(Math.max(rate, REPORT_RATE));
      await this.#until('the reports', () => this.isThere, timeoutMs);
      await this.#clock.run(rate);
    }
    await this.#rig.agent.ready(({ queues }) => {
      const { inbound_pending, inbound_parked, sends_queued, sends_in_flight } = queues as Queues;
      return inbound_pending + inbound_parked + sends_queued + sends_in_flight === 0;
    });
  }

  /** Everything but the reports of what was sent, which wait up to 5 s for each other. */
  async done(timeoutMs: number): Promise<void> {
    const isDone = () => Object.entries(this.#missing).every(([what, left]) => left <= 0 || what === 'reports');
    await this.#until('quiescence', isDone, timeoutMs);
  }

  async #until(what: string, probe: () => boolean, timeoutMs: number): Promise<void> {
    await waitFor(what, probe, timeoutMs).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(this.#missing)}`);
    });
  }

  get #missing(): Record<'accepted' | 'bubbles' | 'reports' | 'acks', number> {
    const { inserted, asked, accepted, acks, bubblesDue } = this.#ledger;
    const { effects } = this.#rig.mac.messages;
    return {
      accepted: inserted.filter(({ guid, kind }) => kind !== 'refused' && !accepted.has(guid)).length,
      bubbles: bubblesDue - this.#bubblesOut,
      reports: effects.length - this.#ledger.told('message_sent').length,
      acks: asked.filter(({ id }) => !/completed|failed/.test(String(acks.get(id)))).length,
    };
  }

  /** But for those that were not due. */
  get #bubblesOut(): number {
    const possible = new Set(this.#ledger.inserted.flatMap(({ mayAnswer = [] }) => mayAnswer));
    return this.#rig.mac.messages.effects.filter(({ text }) => !possible.has(text)).length;
  }
}
