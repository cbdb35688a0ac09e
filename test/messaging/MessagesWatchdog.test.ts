import { describe, expect, it } from 'vitest';
import { EdgeError } from '../../src/util/EdgeError.ts';
import { settle } from '../support/FakeClock.ts';
import { EXIT_0 } from './FakeMac.ts';
import { ANNA, BEN } from './senderRig.ts';
import { type WatchdogRig, watchdogRig } from './watchdogRig.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** A bubble is handed to a Messages that hangs; its osascript is ended, and its settle time passes. */
async function hang(rig: WatchdogRig, endsAt: 'SIGTERM' | 'never' = 'SIGTERM') {
  rig.app.process.hang(endsAt);
  const first = await rig.send(ANNA, 'one');
  await rig.clock.advance(30 * SECOND);
  return first;
}

describe('while every send goes well', () => {
  it('Messages is asked nothing', async () => {
    const rig = await watchdogRig();
    await rig.send(ANNA, 'one');
    await rig.clock.advance(HOUR);
    expect(rig.app.asked).toEqual(['send']);
  });
});

describe('a send that stalls', () => {
  it('leads to one question when Messages answers it', async () => {
    const rig = await watchdogRig();
    rig.mac.onRun = () => EXIT_0; // and no row
    const send = await rig.send(ANNA, 'one');
    await rig.clock.advance(62 * SECOND);
    expect(rig.app.asked).toEqual(['send', 'probe', 'send']);
    await rig.clock.advance(61 * SECOND);
    expect(rig.state(send)).toBe('unknown');
    expect(rig.app.asked).toEqual(['send', 'probe', 'send', 'probe']);
    expect(rig.hung()).toEqual([]);
  });

  it('holds up no other thread for longer than two seconds after the answer', async () => {
    const rig = await watchdogRig();
    rig.mac.onRun = () => EXIT_0;
    await rig.send(ANNA, 'one');
    await rig.clock.advance(59 * SECOND);
    const answer = Promise.withResolvers<void>();
    const ask = rig.app.run.bind(rig.app);
    rig.app.run = async (script, args, options) => {
      if (args.length === 0) await answer.promise;
      return ask(script, args, options);
    };
    await rig.clock.advance(SECOND);
    await rig.send(BEN, 'to Ben');
    expect(rig.texts()).toEqual(['one']);
    answer.resolve();
    await settle();
    await rig.clock.advance(2 * SECOND);
    expect(rig.texts()).toContain('to Ben');
  });

  it('is not sent again before its row can be there, when Messages did late what it was asked first', async () => {
    const rig = await watchdogRig();
    rig.mac.onRun = () => EXIT_0;
    const send = await rig.send(ANNA, 'one');
    await rig.clock.advance(61 * SECOND);
    expect(rig.texts()).toEqual(['one']);
    rig.mac.write({ target: ANNA, text: 'one' });
    await rig.clock.advance(MINUTE);
    expect(rig.state(send)).toBe('confirmed');
    expect(rig.texts()).toEqual(['one']);
  });

  it('is told as sent twice when both rows come as late after the outcome was told as unknown', async () => {
    const rig = await watchdogRig();
    rig.mac.onRun = () => EXIT_0;
    const send = await rig.send(ANNA, 'one');
    await rig.clock.advance(130 * SECOND);
    expect(rig.state(send)).toBe('unknown');
    rig.mac.write({ target: ANNA, text: 'one' });
    rig.messaging.chatDbChanged();
    await rig.clock.advance(63 * SECOND); // as far apart as the attempts
    expect(rig.state(send)).toBe('confirmed');
    rig.mac.write({ target: ANNA, text: 'one' });
    rig.messaging.chatDbChanged();
    await rig.clock.advance(5 * SECOND);
    expect(rig.errors()).toMatchObject([{ details: { code: 'EDGE_SEND_TWICE', send_id: send.sendId } }]);
  });

  it('does not count when Messages does not run, or may not be asked', async () => {
    for (const spoil of [
      (rig: WatchdogRig) => rig.app.process.end('SIGKILL'),
      (rig: WatchdogRig) => {
        rig.app.process.recover();
        rig.app.isPermitted = false;
      },
    ]) {
      const rig = await watchdogRig();
      rig.app.process.hang();
      await rig.send(ANNA, 'one');
      await rig.clock.advance(29 * SECOND);
      spoil(rig);
      await rig.clock.advance(10 * MINUTE);
      expect(rig.app.count('quit')).toBe(0);
      expect(rig.hung()).toEqual([]);
    }
  });

  it('says nothing about Messages when osascript cannot be started', async () => {
    const rig = await watchdogRig();
    rig.mac.onRun = () => EXIT_0;
    await rig.send(ANNA, 'one');
    await rig.clock.advance(59 * SECOND);
    rig.app.broken = new EdgeError('EDGE_SEND_SPAWN', 'no processes left');
    await rig.clock.advance(SECOND);
    rig.app.broken = undefined;
    await rig.clock.advance(10 * MINUTE);
    expect(rig.told('failure')).toContainEqual(['EDGE_SEND_SPAWN', 'looking after Messages: no processes left']);
    expect(rig.hung()).toEqual([]);
    expect(rig.texts()).toEqual(['one', 'one']);
  });
});

describe('a Messages that hangs', () => {
  it('is asked twice, half a minute apart, and restarted when nothing is in flight; then all goes out once, in order', async () => {
    const rig = await watchdogRig();
    const first = await hang(rig);
    await rig.send(ANNA, 'two');
    await rig.send(BEN, 'to Ben');
    expect(rig.app.asked).toEqual(['send', 'probe']);
    await rig.clock.advance(34 * SECOND);
    expect(rig.app.count('probe')).toBe(1);
    await rig.clock.advance(6 * SECOND);
    expect(rig.app.count('probe')).toBe(2);
    expect(rig.state(first)).toBe('sending');
    expect(rig.hung()).toEqual(['Messages does not answer; it is not restarted while a bubble is under way']);
    await rig.clock.advance(20 * SECOND);
    expect(rig.state(first)).toBe('queued');
    expect(rig.app.count('quit')).toBe(0);
    await rig.clock.advance(MINUTE);
    expect(rig.app.process).toMatchObject({ ends: 1, launches: 1 });
    expect(rig.texts()).toEqual(['to Ben', 'one', 'two']);
    expect(rig.store.sends.byId(first.sendId)).toMatchObject({ state: 'confirmed', attempts: 2 });
    expect(rig.hung().slice(1)).toEqual(['Messages does not answer; it is quit and reopened', null]);
    expect(rig.told('messagesRestarted')).toHaveLength(1);
    expect(rig.errors()).toMatchObject([
      { event_id: expect.stringMatching(/^messages_restarted:\d+$/), details: { code: 'EDGE_MESSAGES_RESTARTED' } },
    ]);
  });

  it('gets no bubble, however long it hangs', async () => {
    const rig = await watchdogRig({ restartMessages: false });
    const first = await hang(rig);
    const second = await rig.send(BEN, 'to Ben');
    await rig.clock.advance(5 * HOUR);
    expect(rig.app.count('send')).toBe(1);
    expect([rig.state(first), rig.state(second)]).toEqual(['queued', 'queued']);
    expect(rig.app.count('quit')).toBe(0);
    expect(rig.hung()[0]).toBe('Messages does not answer; watchdog.restart_messages is false');
    rig.app.process.recover();
    await rig.clock.advance(MINUTE);
    expect(rig.hung().at(-1)).toBe(null);
    expect(rig.texts()).toEqual(['to Ben', 'one']);
  });

  it('that goes on by itself is not restarted, and what it did late is not done again', async () => {
    const rig = await watchdogRig();
    const first = await hang(rig);
    await rig.clock.advance(62 * SECOND);
    expect(rig.state(first)).toBe('queued');
    rig.app.process.recover();
    await rig.clock.advance(8 * SECOND); // the third question is answered
    await rig.clock.advance(SECOND);
    rig.mac.write({ target: ANNA, text: 'one' }); // the row of what was handed over before the hang
    await rig.clock.advance(MINUTE);
    expect(rig.state(first)).toBe('confirmed');
    expect(rig.app.count('send')).toBe(1);
    expect(rig.app.process.ends).toBe(0);
  });

  it('is restarted once in half an hour', async () => {
    const rig = await watchdogRig();
    await hang(rig);
    await rig.clock.advance(2 * MINUTE);
    expect(rig.app.process.ends).toBe(1);
    await hang(rig);
    await rig.clock.advance(26 * MINUTE);
    expect(rig.app.process.ends).toBe(1);
    expect(rig.hung().at(-1)).toBe('Messages does not answer; it was restarted not long ago');
    await rig.clock.advance(5 * MINUTE);
    expect(rig.app.process.ends).toBe(2);
    expect(rig.texts()).toEqual(['one', 'one']);
    expect(new Set(rig.errors().map(({ event_id }) => event_id)).size).toBe(2);
  });

  it('is left alone for six hours when a restart does not help, with a word about dialogs', async () => {
    const rig = await watchdogRig();
    rig.app.hangsAgain = true;
    await hang(rig);
    await rig.clock.advance(5 * HOUR);
    expect(rig.app.process.ends).toBe(1);
    expect(rig.hung().at(-1)).toBe(
      'Messages does not answer; a restart did not help: look for a dialog on the Mac’s screen',
    );
    expect(rig.errors()).toMatchObject([{ details: { answers: false } }]);
    await rig.clock.advance(1.1 * HOUR);
    expect(rig.app.process.ends).toBe(2);
  });

  it('is asked afresh after a sleep of the Mac', async () => {
    const rig = await watchdogRig({ restartMessages: false });
    await hang(rig);
    await rig.clock.advance(10 * SECOND);
    rig.messaging.woke();
    await rig.clock.advance(35 * SECOND);
    expect(rig.app.count('probe')).toBe(2);
    expect(rig.hung()).toEqual([]);
    await rig.clock.advance(35 * SECOND);
    expect(rig.hung()).toHaveLength(1);
  });
});

describe('an agent started anew', () => {
  it('asks first when Messages hung, and gives it nothing before it has answered', async () => {
    const rig = await watchdogRig({ restartMessages: false });
    const first = await hang(rig);
    await rig.clock.advance(2 * MINUTE);
    rig.crash();
    await rig.send(BEN, 'to Ben');
    await rig.clock.advance(10 * MINUTE);
    expect(rig.app.count('send')).toBe(1);
    expect(rig.state(first)).toBe('queued');
    rig.app.process.recover();
    await rig.clock.advance(MINUTE);
    expect(rig.texts()).toEqual(['one', 'to Ben']);
  });

  it('opens a Messages that it had ended, and tells of the restart once', async () => {
    const rig = await watchdogRig();
    const { run } = rig.app;
    rig.app.run = (script, args, options) =>
      /open -gja/.test(script) ? new Promise(() => {}) : run.call(rig.app, script, args, options);
    await hang(rig);
    await rig.clock.advance(2 * MINUTE);
    expect(rig.app.process.isRunning).toBe(false);
    rig.app.run = run;
    rig.crash();
    await rig.clock.advance(MINUTE);
    expect(rig.app.process).toMatchObject({ ends: 1, launches: 1 });
    expect(rig.texts()).toEqual(['one']);
    expect(rig.errors()).toHaveLength(1);
    rig.crash();
    await rig.clock.advance(MINUTE);
    expect(rig.errors()).toHaveLength(1);
  });

  it('knows when it restarted Messages last', async () => {
    const rig = await watchdogRig();
    await hang(rig);
    await rig.clock.advance(2 * MINUTE);
    rig.crash();
    await hang(rig);
    await rig.clock.advance(20 * MINUTE);
    expect(rig.app.process.ends).toBe(1);
  });
});

it('stops within seconds in the middle of a restart, and leaves Messages open', async () => {
  const rig = await watchdogRig();
  await hang(rig);
  while (rig.app.count('quit') === 0) await rig.clock.advance(100);
  let stopped = false;
  void rig.messaging.stop().then(() => {
    stopped = true;
  });
  await rig.clock.advance(6 * SECOND);
  expect(stopped).toBe(true);
  expect(rig.app.process).toMatchObject({ ends: 1, launches: 1 });
  expect(rig.texts()).toEqual([]);
});

describe('a schedule that falls due while Messages hangs', () => {
  it('stays where it can be cancelled, and goes out when Messages answers', async () => {
    const rig = await watchdogRig({ restartMessages: false });
    await hang(rig);
    const sendAt = rig.clock.now() + SECOND;
    rig.store.schedules.insert({ scheduleId: 's1', threadId: BEN, text: 'due', sendAt, now: rig.clock.now() });
    rig.messaging.schedulesChanged();
    await rig.clock.advance(2 * MINUTE);
    expect(rig.store.schedules.byId('s1')?.state).toBe('pending');
    rig.app.process.recover();
    await rig.clock.advance(3 * MINUTE);
    expect(rig.store.schedules.byId('s1')?.state).toBe('fired');
    expect(rig.texts()).toContain('due');
  });
});
