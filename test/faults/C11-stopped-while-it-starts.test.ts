import { existsSync, rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { faultTest } from './harness/faultTest.ts';

const STOPS = 20;
/** Files of the program, as they are loaded: at the first ones nothing but the code it leaves with says that it has begun. */
const STEPS = ['cli/program', 'cli/run', 'Agent'];
/** Sends the program a SIGTERM when it comes to the file that STOP_AT names. */
const STOPS_AT = `
  import { registerHooks } from 'node:module';
  const file = new RegExp('/(src|dist)/' + process.env.STOP_AT + '[.][jt]s$');
  if (process.env.STOP_AT) registerHooks({ load(url, context, next) {
    if (file.test(url)) process.kill(process.pid, 'SIGTERM');
    return next(url, context);
  } });`;

faultTest('C11 leaves with 0 on SIGTERM at any step of its start, with whole files and the lock free', {
  rig: { nodeArgs: ['--import', `data:text/javascript,${encodeURIComponent(STOPS_AT)}`] },
  startsAgent: false,
  async fault(run) {
    const { rig } = run;
    run.runs = STOPS + STEPS.length;
    const startedAt = performance.now();
    await run.restart();
    const startMs = performance.now() - startedAt;
    await rig.agent.kill('SIGTERM');
    let early = 0;
    for (let n = 0; n < STOPS; n++) {
      // The first start makes files, the others find them.
      const isFirst = n % 2 === 0;
      if (isFirst) rmSync(rig.path('state'), { recursive: true });
      const mark = run.mark;
      rig.agent.start();
      await pause(run.random() * startMs * 1.2);
      const end = await rig.agent.kill('SIGTERM');
      const hasBegun = run.logSince(mark) !== '' || (isFirst && existsSync(rig.path('state')));
      // Until Node has loaded the program, there is nobody to answer a signal, and nothing to be stopped.
      if (end.signal === 'SIGTERM' && !hasBegun) early++;
      else expect(end).toEqual({ code: 0, signal: null });
      const path = rig.path('state/state.db');
      if (existsSync(path)) expect(quickCheck(path)).toBe('ok');
      expect(existsSync(rig.path('state/control.sock'))).toBe(false);
    }
    for (const step of STEPS) {
      rig.agent.wrapper = ['env', `STOP_AT=${step}`];
      rig.agent.start();
      await waitFor('the end', () => !rig.agent.isRunning);
      // Null of one that a signal has ended.
      expect([step, rig.agent.exitCode]).toEqual([step, 0]);
    }
    rig.agent.wrapper = undefined;
    run.note = `${early} of ${STOPS} before the first line of the program`;
    await run.restart();
    await run.both();
  },
});

/** Sends the program a SIGHUP as soon as it has begun to listen to signals, and long before it reads its configuration. */
const EARLY_HUP = `process.on('newListener', function hup(name) { if (name !== 'SIGTERM') return; process.off('newListener', hup); queueMicrotask(() => process.kill(process.pid, 'SIGHUP')); })`;

faultTest('C11 goes on with its start when SIGHUP comes before there is anything to read again', {
  rig: { nodeArgs: ['--import', `data:text/javascript,${encodeURIComponent(EARLY_HUP)}`] },
  startsAgent: false,
  async fault(run) {
    await run.restart();
    await run.both();
    await run.quiet(15_000);
  },
});

function quickCheck(path: string): unknown {
  const db = new Database(path);
  try {
    return db.pragma('quick_check', { simple: true });
  } finally {
    db.close();
  }
}
