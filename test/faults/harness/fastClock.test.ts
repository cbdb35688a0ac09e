import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { startRig } from '../../support/startRig.ts';
import { tempDir } from '../../support/tempDir.ts';
import { waitFor } from '../../support/waitFor.ts';
import { FastClock } from './FastClock.ts';

const DAY_MS = 24 * 3600_000;

/** Runs `program` as a module under the clock; what it logs as JSON. */
function run(clock: FastClock, program: string): unknown {
  const args = [...clock.nodeArgs, '--input-type=module', '--eval', program];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

const clockOf = () => new FastClock(join(tempDir(), 'clock'));

it('lets time run faster for both clocks and the timers alike', async () => {
  const clock = clockOf();
  await clock.run(100);
  const [wall, monotonic, ticks] = run(
    clock,
    `const [wall, mono] = [Date.now(), performance.now()];
     let ticks = 0;
     const ticking = setInterval(() => ticks++, 1000);
     setTimeout(() => {
       clearInterval(ticking);
       console.log(JSON.stringify([Date.now() - wall, performance.now() - mono, ticks]));
     }, 20_000);`,
  ) as number[];
  expect(wall).toBeGreaterThanOrEqual(19_999);
  expect(Math.abs(wall! - monotonic!)).toBeLessThan(1000);
  expect(ticks).toBeGreaterThan(5);
});

it('sets the wall clock alone', () => {
  const clock = clockOf();
  clock.jumpWall(-DAY_MS);
  const program =
    'console.log(JSON.stringify([Date.now(), new Date().getTime(), Date.parse(Date()), performance.now()]))';
  const [now, date, text, monotonic] = run(clock, program) as number[];
  for (const wall of [now, date, text]) expect(Math.abs(Date.now() - DAY_MS - wall!)).toBeLessThan(60_000);
  expect(monotonic).toBeGreaterThan(0);
});

it('sleeps: both clocks go on at once, what was due meanwhile comes once and late, and a restart knows of it', async () => {
  const clock = clockOf();
  const program = `
    const [wall, mono] = [Date.now(), performance.now()];
    let ticks = 0;
    setInterval(() => {
      ticks++;
      const [byWall, byMono] = [Date.now() - wall, performance.now() - mono];
      if (byMono < 3600_000) return;
      console.log(JSON.stringify([byWall, byMono, ticks]));
      process.exit();
    }, 200);`;
  const running = spawn(process.execPath, [...clock.nodeArgs, '--input-type=module', '--eval', program]);
  await waitFor('its first second', () => clock.elapsedMs > 1000);
  await clock.sleep(3600_000);
  const [wall, monotonic, ticks] = JSON.parse(await text(running.stdout)) as number[];
  expect(Math.abs(wall! - monotonic!)).toBeLessThan(1000);
  expect(ticks).toBeLessThan(1000);
  const after = run(clock, 'console.log(Date.now())') as number;
  expect(after - Date.now()).toBeGreaterThan(3590_000);
  expect(after - Date.now()).toBeLessThan(3660_000);
});

it('goes on where it was in a program that is started again', async () => {
  const clock = clockOf();
  await clock.run(100);
  const sleeps = 'setTimeout(() => console.log(Date.now()), 20_000);';
  const first = run(clock, sleeps) as number;
  const second = run(clock, 'console.log(Date.now())') as number;
  expect(second).toBeGreaterThan(first - 2_000); // what passed since it last told
  expect(clock.elapsedMs).toBeGreaterThan(18_000);
});

it('keeps to Node’s ways: order, refresh, unref, cancelling by number, and delays that are none', () => {
  const program = `
    import { setTimeout as sleep } from 'node:timers/promises';
    const told = [];
    setTimeout(() => told.push('b'), 20);
    setTimeout(() => told.push('a'), 10);
    setTimeout(() => told.push('too long for a timer'), 2 ** 31);
    clearTimeout(Number(setTimeout(() => told.push('cancelled'), 5)));
    const refreshed = setTimeout(() => told.push('c'), 15);
    await sleep(9);
    refreshed.refresh();
    await sleep(40);
    setTimeout(() => console.log('never'), 1000).unref();
    console.log(JSON.stringify(told));`;
  expect(run(clockOf(), program)).toEqual(['too long for a timer', 'a', 'b', 'c']);
});

it('keeps its timers apart from those that Node sets itself, on sockets', () => {
  const program = `
    import { Socket } from 'node:net';
    let fired = 0;
    for (let n = 0; n < 5000; n++) setTimeout(() => fired++, 10);
    for (let n = 0; n < 100; n++) new Socket().setTimeout(1000).destroy();
    setTimeout(() => console.log(fired), 20);`;
  expect(run(clockOf(), program)).toBe(5000);
});

it('leaps not while a program runs that it started, whose time is up all the same', async () => {
  const clock = clockOf();
  const program = `
    import { spawn } from 'node:child_process';
    const hangs = spawn('sleep', ['60']);
    const from = performance.now();
    hangs.on('exit', (_, signal) => console.log(JSON.stringify([signal, performance.now() - from])));
    setTimeout(() => hangs.kill(), 400);`;
  const running = spawn(process.execPath, [...clock.nodeArgs, '--input-type=module', '--eval', program]);
  await waitFor('its start', () => clock.timers > 0);
  await clock.pass(100);
  const [signal, livedMs] = JSON.parse(await text(running.stdout)) as [string, number];
  expect(signal).toBe('SIGTERM');
  expect(livedMs).toBeGreaterThanOrEqual(400);
});

it('lets hours pass in a hurry for an agent with its connections open, which miss no answer', async () => {
  const clock = new FastClock(join(tempDir(), 'clock'), { isHurried: true });
  const rig = await startRig({ nodeArgs: clock.nodeArgs });
  await clock.pass(3 * 3600_000);
  const { websocket } = await rig.agent.status();
  expect(websocket.up).toBe(true);
  expect(rig.agent.log).not.toMatch(/WebSocket closed|no answer|Awake after/);
});

it('lets a day pass for a whole agent in seconds, without its taking that for sleep', async () => {
  const clock = clockOf();
  const rig = await startRig({ nodeArgs: clock.nodeArgs, config: { websocket: { enabled: false } }, agent: false });
  await rig.startAgent({ withSocket: false });
  await rig.stopHub();
  await clock.pass(DAY_MS);
  await rig.agent.kill('SIGTERM'); // which it dates
  const last = rig.agent.log.trimEnd().split('\n').at(-1)!;
  expect(Date.parse(last.slice(1, 25))).toBeGreaterThan(Date.now() + DAY_MS - 3600_000);
  expect(rig.agent.log).not.toContain('Awake after');
});
