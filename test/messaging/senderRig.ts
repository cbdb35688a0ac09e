import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { PaceSettings } from '../../src/messaging/Pace.ts';
import { Sender } from '../../src/messaging/Sender.ts';
import type { NewSend, SendRow } from '../../src/state/SendRow.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import type { Telemetry } from '../../src/util/Telemetry.ts';
import { FakeClock, settle } from '../support/FakeClock.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';
import { tempDir } from '../support/tempDir.ts';
import { FakeMac } from './FakeMac.ts';

export const ANNA = '+15550100001';
export const BEN = '+15550100002';
export const SETTLE_MS = 60_000;

export const UNLIMITED = { perMinute: 0, perHour: 0, newThreadsPerDay: 0 };

/** A Sender on a real state.db, with a Mac that does as the test says. */
export class SenderRig {
  readonly statePath = join(tempDir(), 'state.db');
  readonly store: StateStore;
  readonly mac: FakeMac;
  readonly telemetry: Telemetry;
  readonly calls;
  clock = new FakeClock();
  /** Holds at the next start. */
  pace: PaceSettings;
  sender: Sender;
  epoch = 1;
  db: FakeMac | undefined;
  settled = 0;
  onMissingReceipt: 'retry' | 'report';
  readonly smsFallback: boolean;
  launches = 0;
  launch = async (): Promise<unknown> => this.launches++;
  #keys = 0;

  constructor({
    smsFallback = false,
    onMissingReceipt = 'retry',
    ...pace
  }: Partial<PaceSettings> & { smsFallback?: boolean; onMissingReceipt?: 'retry' | 'report' } = {}) {
    this.smsFallback = smsFallback;
    this.onMissingReceipt = onMissingReceipt;
    this.pace = { bubblePause: 'none', allowNewThreads: true, rate: UNLIMITED, ...pace };
    this.store = StateStore.open(this.statePath, this.clock.now());
    onTestFinished(() => this.store.close());
    this.mac = new FakeMac(() => this.clock.now());
    this.db = this.mac;
    ({ telemetry: this.telemetry, calls: this.calls } = recordingTelemetry());
    this.sender = this.#boot();
  }

  #boot(): Sender {
    return new Sender({
      store: this.store,
      chatDb: () => this.db,
      epoch: () => this.epoch,
      runner: this.mac,
      clock: this.clock,
      telemetry: this.telemetry,
      scriptTimeoutSeconds: 30,
      settleSeconds: SETTLE_MS / 1000,
      pace: this.pace,
      onMissingReceipt: this.onMissingReceipt,
      smsFallback: this.smsFallback,
      launchMessages: () => this.launch(),
      onSettled: () => this.settled++,
    });
  }

  /** SIGKILL and another start: timers and promises of the old one lead nowhere, the store and the Mac are the same. */
  crash(): void {
    this.clock = new FakeClock(this.clock.now());
    this.mac.running = 0;
    this.sender = this.#boot();
    this.sender.start();
  }

  queue(threadId: string, text: string, change: Partial<NewSend> = {}): SendRow {
    const key = `cli:${++this.#keys}`;
    return this.store.sends.insert({ key, threadId, text, bubbleType: 'normal', now: this.clock.now(), ...change });
  }

  /** Queues a bubble as a command does. */
  command(commandId: string, threadId: string, text: string, change: Partial<NewSend> = {}): SendRow {
    const { commands } = this.store;
    const now = this.clock.now();
    commands.insert({
      commandId,
      commandType: 'send_message_now',
      payload: {},
      channel: 'websocket',
      issuedAt: now,
      now,
    });
    const send = this.queue(threadId, text, { key: `command:${commandId}`, commandId, ...change });
    commands.setSend(commandId, send.sendId);
    return send;
  }

  async wake(): Promise<void> {
    this.sender.wake();
    await settle();
  }

  async changed(): Promise<void> {
    this.sender.chatDbChanged();
    await settle();
  }

  row(send: SendRow): SendRow {
    return this.store.sends.byId(send.sendId)!;
  }

  state(send: SendRow): string {
    return this.row(send).state;
  }

  texts(): string[] {
    return this.mac.calls.map((call) => call.text);
  }

  events(): string[] {
    return this.store.events.waiting(100).map((event) => event.event_id);
  }

  acks() {
    return this.store.commands.acksWaiting(0, 100).map((ack) => ack.body);
  }

  told(event: keyof Telemetry): unknown[][] {
    return this.calls.filter((call) => call.event === event).map((call) => call.args);
  }
}

export function senderRig(pace?: Partial<PaceSettings>): SenderRig {
  const rig = new SenderRig(pace);
  rig.sender.start();
  return rig;
}
