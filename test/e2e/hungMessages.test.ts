import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ChatDb } from '../../src/chatdb/ChatDb.ts';
import { Messaging } from '../../src/messaging/Messaging.ts';
import { OsascriptRunner } from '../../src/messaging/OsascriptRunner.ts';
import type { ScriptRunner } from '../../src/messaging/ScriptRunner.ts';
import type { EndsAt } from '../../src/simulator/MessagesProcess.ts';
import type { SimulatedMac } from '../../src/simulator/SimulatedMac.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { SETTINGS } from '../messaging/watchdogRig.ts';
import { simulatedMac } from '../simulator/simulatedMac.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';
import { tempDir } from '../support/tempDir.ts';
import { waitFor } from '../support/waitFor.ts';

const ANN = '+15550100002';
const BEN = '+15550100003';

/**
 * All that sends, on a real chat.db and with real processes; only the agent's clock is the test's, since what is waited
 * for takes minutes. It stands still while an osascript is about to be answered.
 */
async function setUp() {
  const mac = await simulatedMac();
  const clock = new FakeClock(Date.now());
  const dir = tempDir();
  const store = StateStore.open(join(dir, 'state.db'), clock.now());
  onTestFinished(() => store.close());
  const chatDb = new ChatDb({ path: mac.chatDbPath });
  chatDb.open();
  onTestFinished(() => chatDb.close());
  const runner = watched(new OsascriptRunner({ path: mac.osascriptPath, clock }), mac);
  const { telemetry, calls } = recordingTelemetry();
  const boot = () => {
    const messaging = new Messaging({
      store,
      chatDb: () => chatDb,
      epoch: () => 1,
      runner,
      clock,
      telemetry,
      settings: SETTINGS,
      onSettled: () => {},
    });
    messaging.start();
    return messaging;
  };
  const messaging = boot();
  let sent = 0;
  const send = (threadId: string, text: string) => {
    store.sends.insert({ key: `cli:${++sent}`, threadId, text, bubbleType: 'normal', now: clock.now() });
    messaging.sendsQueued();
  };
  /** Lets time pass until it is so. */
  const until = (what: string, test: () => boolean) =>
    waitFor(
      what,
      async () => {
        if (!runner.isBusy()) {
          await mac.settled();
          await clock.advance(250);
        }
        return test();
      },
      30_000,
    );
  const bubblesTo = (handle: string) =>
    mac.messages.effects.filter(({ target }) => target === handle).map(({ text }) => text);
  onTestFinished(async () => {
    mac.messages.process.recover();
    let stopped = false;
    void messaging.stop().then(() => {
      stopped = true;
    });
    await until('the stop', () => stopped);
  });
  const isOver = () => store.sends.openThreads().length === 0;
  return { mac, store, calls, send, until, bubblesTo, isOver };
}

/** An osascript is busy when it runs, and has not run into a Messages that hangs. */
function watched(runner: OsascriptRunner, mac: SimulatedMac): ScriptRunner & { isBusy(): boolean } {
  let unansweredBefore: number | undefined;
  return {
    async run(script, args, options) {
      unansweredBefore = mac.messages.process.unanswered;
      try {
        return await runner.run(script, args, options);
      } finally {
        unansweredBefore = undefined;
      }
    },
    idle: () => runner.idle(),
    isBusy: () => unansweredBefore !== undefined && mac.messages.process.unanswered === unansweredBefore,
  };
}

it.each(['SIGTERM', 'SIGKILL'] as const satisfies EndsAt[])(
  'a Messages that hangs up to %s is restarted once, and every bubble goes out once, in order',
  async (endsAt) => {
    const { mac, store, send, until, bubblesTo, isOver, calls } = await setUp();
    send(ANN, 'before');
    await until('the first bubble', isOver);
    mac.messages.process.hang(endsAt);
    send(ANN, 'one');
    await until('the stall', () => mac.messages.process.unanswered > 1);
    for (const text of ['two', 'three']) send(ANN, text);
    send(BEN, 'to Ben');
    await until('every bubble', isOver);
    expect(bubblesTo(ANN)).toEqual(['before', 'one', 'two', 'three']);
    expect(bubblesTo(BEN)).toEqual(['to Ben']);
    expect(mac.messages.process).toMatchObject({ ends: 1, launches: 1 });
    expect(store.sends.counts()).toMatchObject({ unknown: 0, failed: 0 });
    expect(calls.filter(({ event }) => event === 'messagesRestarted')).toHaveLength(1);
  },
);

it('a Messages that goes on by itself does what it was handed, and the bubble is not sent again', async () => {
  const { mac, store, send, until, bubblesTo, isOver } = await setUp();
  mac.messages.process.hang();
  send(ANN, 'one');
  await until('the second question', () => mac.messages.process.unanswered > 2);
  send(ANN, 'two');
  mac.messages.process.recover();
  await until('every bubble', isOver);
  expect(bubblesTo(ANN)).toEqual(['one', 'two']);
  expect(mac.messages.process.ends).toBe(0);
  expect(store.sends.counts()).toMatchObject({ confirmed: 2, unknown: 0 });
});

it('a dialog that nobody answers looks like a hang: one restart, which does not help, and nothing is lost', async () => {
  const { mac, send, until, bubblesTo, isOver, calls } = await setUp();
  mac.messages.automation = 'unanswered';
  send(ANN, 'one');
  await until('the end of the restart', () => calls.some(({ event }) => event === 'messagesRestarted'));
  expect(mac.messages.process).toMatchObject({ ends: 1, launches: 1 });
  expect(calls.filter(({ event }) => event === 'conditionRaised').at(-1)!.args[1]).toContain('look for a dialog');
  mac.messages.automation = 'granted';
  await until('every bubble', isOver);
  expect(bubblesTo(ANN)).toEqual(['one']);
});
