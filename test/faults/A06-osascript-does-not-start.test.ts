import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, renameSync } from 'node:fs';
import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { ANN, BEN, type FaultRun } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';

/** Until what was asked for is out and told, ms. */
const QUIET_MS = 20_000;
/** The longest wait between two attempts. */
const MINUTE_MS = 60_000;

/** Bubbles are asked for that cannot be begun; the condition says why, and each costs no attempt. */
async function cannotStart(run: FaultRun, because: RegExp): Promise<void> {
  const mark = run.mark;
  for (const thread of [ANN, ANN, BEN]) await run.ask(thread);
  run.write();
  const { conditions } = await run.rig.agent.ready((status) => status.conditions.length > 0);
  expect(conditions).toMatchObject([{ code: 'EDGE_SEND_SPAWN', name: 'osascript-unusable' }]);
  expect(run.logSince(mark)).toMatch(because);
}

/** The waits to try again, of which the longest is a minute, are leapt over. */
async function isTriedAgain(run: FaultRun): Promise<void> {
  run.liftedAt = performance.now();
  const { requests } = run.rig.mac.messages;
  const known = requests.length;
  await run.read();
  await run.passUntil('the next attempt', () => requests.length > known, {
    stepMs: 10_000,
    mostMs: MINUTE_MS + 10_000,
  });
}

faultTest('A6 waits for an osascript that is not there, and then sends all in order', {
  commandsInOrder: true,
  async fault(run) {
    const path = run.rig.mac.osascriptPath;
    renameSync(path, `${path}.away`);
    await cannotStart(run, /ENOENT/);
    renameSync(`${path}.away`, path);
    await isTriedAgain(run);
  },
});

faultTest('A6 waits for an osascript that may not be executed, and then sends all in order', {
  commandsInOrder: true,
  async fault(run) {
    const path = run.rig.mac.osascriptPath;
    chmodSync(path, 0o644);
    await cannotStart(run, /EACCES/);
    chmodSync(path, 0o755);
    await isTriedAgain(run);
  },
});

faultTest('A6 waits until there are files to be had again, and then sends all in order', {
  needs: ['linux'],
  commandsInOrder: true,
  async fault(run) {
    const pid = run.rig.agent.nodePid!;
    const [, most] = /^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))!;
    const limit = (files: number | string) => spawnSync('prlimit', ['--pid', String(pid), `--nofile=${files}:${most}`]);
    for (const thread of [ANN, ANN, BEN]) await run.ask(thread);
    await run.quiet(QUIET_MS); // a child that runs has files too, which the next could have
    // Two more than are open, so that nothing else is short of them: a child takes six.
    expect(limit(run.figures!.files + 2).status).toBe(0);
    await cannotStart(run, /EMFILE/);
    expect(limit(most!).status).toBe(0);
    await isTriedAgain(run);
  },
});

faultTest('A6 waits until there may be another process, and then sends all in order', {
  needs: ['linux', 'strace'],
  commandsInOrder: true,
  async fault(run) {
    const calls = 'fork,vfork,clone,clone3';
    const args = ['-f', '-qq', '-e', `trace=${calls}`, '-e', `inject=${calls}:error=EAGAIN`, '-o', '/dev/null'];
    const strace = spawn('strace', [...args, '-p', String(run.rig.agent.nodePid)], { stdio: 'ignore' });
    const tracer = () => readFileSync(`/proc/${run.rig.agent.nodePid}/status`, 'utf8');
    await waitFor('strace to be attached', () => /TracerPid:\t[1-9]/.test(tracer()));
    await cannotStart(run, /EAGAIN/);
    strace.kill('SIGTERM');
    await once(strace, 'exit');
    await isTriedAgain(run);
  },
});
