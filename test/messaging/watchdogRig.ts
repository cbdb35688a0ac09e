import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { Messaging } from '../../src/messaging/Messaging.ts';
import type { MessagingSettings } from '../../src/messaging/MessagingSettings.ts';
import type { SendRow } from '../../src/state/SendRow.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import type { Telemetry } from '../../src/util/Telemetry.ts';
import { FakeClock, settle } from '../support/FakeClock.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';
import { tempDir } from '../support/tempDir.ts';
import { FakeApp } from './FakeApp.ts';
import { FakeMac } from './FakeMac.ts';

export const SETTINGS: MessagingSettings = {
  scriptTimeoutSeconds: 30,
  settleSeconds: 60,
  onMissingReceipt: 'retry',
  smsFallback: false,
  bubblePause: 'none',
  maxBubbleChars: 10_000,
  allowNewThreads: true,
  rate: { perMinute: 0, perHour: 0, newThreadsPerDay: 0 },
  maxSendBytes: 1_000_000,
  stagingDir: '/nowhere',
  maxLateSeconds: 3600,
  restartMessages: true,
  silenceHours: 0,
  wakeHandle: undefined,
};

/** All of messaging/ on a real state.db, with a Messages that can hang. */
export class WatchdogRig {
  readonly store: StateStore;
  readonly mac: FakeMac;
  readonly app: FakeApp;
  readonly telemetry: Telemetry;
  readonly calls;
  clock = new FakeClock();
  messaging: Messaging;
  readonly #settings: MessagingSettings;
  #keys = 0;

  constructor(settings: Partial<MessagingSettings>) {
    this.#settings = { ...SETTINGS, ...settings };
    this.store = StateStore.open(join(tempDir(), 'state.db'), this.clock.now());
    onTestFinished(() => this.store.close());
    this.mac = new FakeMac(() => this.clock.now());
    this.app = new FakeApp(this.mac, () => this.clock);
    ({ telemetry: this.telemetry, calls: this.calls } = recordingTelemetry());
    this.messaging = this.#boot();
  }

  #boot(): Messaging {
    const messaging = new Messaging({
      store: this.store,
      chatDb: () => this.mac,
      epoch: () => 1,
      runner: this.app,
      clock: this.clock,
      telemetry: this.telemetry,
      settings: this.#settings,
      onSettled: () => {},
    });
    messaging.start();
    return messaging;
  }

  /** SIGKILL and another start: timers and promises of the old one lead nowhere. */
  crash(): void {
    this.clock = new FakeClock(this.clock.now());
    this.mac.running = 0;
    this.messaging = this.#boot();
  }

  async send(threadId: string, text: string): Promise<SendRow> {
    const key = `cli:${++this.#keys}`;
    const row = this.store.sends.insert({ key, threadId, text, bubbleType: 'normal', now: this.clock.now() });
    this.messaging.sendsQueued();
    await settle();
    return row;
  }

  state({ sendId }: SendRow): string {
    return this.store.sends.byId(sendId)!.state;
  }

  /** What people got, in order. */
  texts(): string[] {
    return this.mac.calls.map(({ text }) => text);
  }

  errors() {
    return this.store.events.waiting(100).filter(({ event_type }) => event_type === 'error');
  }

  /** Details of EDGE_MESSAGES_HUNG, in the order in which they were raised; `null` where it was cleared. */
  hung(): (string | null)[] {
    return this.calls.flatMap(({ event, args: [code, detail] }) => {
      if (code !== 'EDGE_MESSAGES_HUNG') return [];
      return event === 'conditionRaised' ? [detail as string] : [null];
    });
  }

  told(event: keyof Telemetry): unknown[][] {
    return this.calls.filter((call) => call.event === event).map((call) => call.args);
  }
}

export async function watchdogRig(settings: Partial<MessagingSettings> = {}): Promise<WatchdogRig> {
  const rig = new WatchdogRig(settings);
  await settle();
  return rig;
}
