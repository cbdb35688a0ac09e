import { describe, expect, it } from 'vitest';
import { MessagesApp } from '../../src/messaging/MessagesApp.ts';
import { EdgeError } from '../../src/util/EdgeError.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';
import { FakeApp } from './FakeApp.ts';
import { FakeMac, scriptError } from './FakeMac.ts';

function setUp() {
  const clock = new FakeClock();
  const fake = new FakeApp(new FakeMac(() => clock.now()), () => clock);
  const { telemetry, calls } = recordingTelemetry();
  return { clock, fake, calls, app: new MessagesApp({ runner: fake, clock, telemetry }) };
}

/** The result, with the clock moving until there is one, and how long it took. */
async function taking<T>(clock: FakeClock, work: Promise<T>): Promise<{ result: T; ms: number }> {
  const startedAt = clock.monotonic();
  let ended: { result: T } | undefined;
  void work.then((result) => {
    ended = { result };
  });
  while (!ended) await clock.advance(100);
  return { ...ended, ms: clock.monotonic() - startedAt };
}

describe('a probe', () => {
  it('is answered by a Messages that is well', async () => {
    const { app } = setUp();
    expect(await app.probe()).toBe('answers');
  });

  it('gives up after five seconds', async () => {
    const { app, fake, clock } = setUp();
    fake.process.hang();
    expect(await taking(clock, app.probe())).toEqual({ result: 'hung', ms: 5000 });
  });

  it.each([
    [-1712, 'hung'],
    [-600, 'not-running'],
    [-609, 'not-running'],
    [-1743, 'not-permitted'],
    [-1728, 'answers'],
  ] as const)('takes the error %i for: %s', async (number, answer) => {
    const { app, fake } = setUp();
    fake.probeResult = scriptError(number);
    expect(await app.probe()).toBe(answer);
  });

  it('does not start a Messages that does not run', async () => {
    const { app, fake } = setUp();
    fake.process.end('quit');
    expect(await app.probe()).toBe('not-running');
    expect(fake.process.launches).toBe(0);
  });

  it('says so when osascript cannot be started', async () => {
    const { app, fake } = setUp();
    fake.broken = new EdgeError('EDGE_SEND_SPAWN', 'no processes left');
    await expect(app.probe()).rejects.toMatchObject({ code: 'EDGE_SEND_SPAWN' });
  });
});

describe('a launch', () => {
  it('starts Messages, once a minute at most', async () => {
    const { app, fake, clock, calls } = setUp();
    fake.process.end('quit');
    expect(await app.launch()).toBe(true);
    fake.process.end('quit');
    await clock.advance(59_000);
    expect(await app.launch()).toBe(false);
    expect(fake.process.isRunning).toBe(false);
    await clock.advance(1000);
    expect(await app.launch()).toBe(true);
    expect(calls.map(({ event }) => event)).toEqual(['messagesLaunched', 'messagesLaunched']);
  });

  it('does nothing to one that runs', async () => {
    const { app, fake, calls } = setUp();
    expect(await app.launch()).toBe(false);
    expect(fake.process.launches).toBe(0);
    expect(calls).toEqual([]);
  });
});

describe('a restart', () => {
  it.each([
    ['quit', ['quit', 'running?']],
    ['SIGTERM', ['quit', 'running?', 'TERM', 'running?']],
    ['SIGKILL', ['quit', 'running?', 'TERM', 'running?', 'KILL', 'running?']],
  ] as const)('ends with %s a Messages that listens to nothing milder', async (endsAt, steps) => {
    const { app, fake, clock } = setUp();
    fake.process.hang(endsAt);
    expect((await taking(clock, app.restart())).result).toBe(true);
    expect(fake.asked.filter((name, index) => name !== fake.asked[index - 1])).toEqual([...steps, 'launch', 'probe']);
    expect(fake.process).toMatchObject({ ends: 1, launches: 1, isRunning: true });
  });

  it('waits half a minute for an answer, and then says that there is none', async () => {
    const { app, fake, clock } = setUp();
    fake.process.hang();
    fake.hangsAgain = true;
    const { result, ms } = await taking(clock, app.restart());
    expect(result).toBe(false);
    expect(ms).toBeGreaterThanOrEqual(30_000);
    expect(ms).toBeLessThanOrEqual(60_000);
  });

  it('that is stopped waits for nothing, but opens what it has ended', async () => {
    const { app, fake, clock } = setUp();
    fake.process.hang('SIGKILL');
    const restarting = taking(clock, app.restart());
    app.stop();
    expect((await restarting).ms).toBeLessThanOrEqual(5100);
    expect(fake.process).toMatchObject({ ends: 1, launches: 1 });
  });
});
