import { copyFileSync, mkdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { StateStore } from '../../src/state/StateStore.ts';
import { waitFor } from '../support/waitFor.ts';
import { ANN, BEN, type FaultRun } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { settings } from './harness/settings.ts';
import { copyStateDb, deliversAgain } from './harness/stateFiles.ts';

const STEP_BYTES = 512;

/** All of them, or each 16th and the last ten. */
function cutsOf(bytes: number): number[] {
  const all = Array.from({ length: Math.floor(bytes / STEP_BYTES) + 1 }, (_, n) => n * STEP_BYTES);
  return settings.isLong ? all : all.filter((_, n) => n % 16 === 0 || n >= all.length - 10);
}

/** What is left of state.db knows each bubble that is out as begun, or knows that it does not, and of which time. */
function knowsWhatIsOut(path: string, { rig }: FaultRun): void {
  const now = Date.now();
  const store = StateStore.open(path, now);
  try {
    const { forgotten, isBehind } = store;
    for (const { text, guid } of rig.mac.messages.effects) {
      const send = [ANN, BEN].flatMap((thread) => store.sends.recentOf(thread, 0)).find((one) => one.text === text);
      if (send && (send.attempts > 0 || send.state === 'superseded')) continue;
      const { date } = rig.mac.chatDb.get<{ date: number }>('SELECT date FROM message WHERE guid = ?', guid)!;
      const at = Date.UTC(2001, 0, 1) + date / 1e6;
      expect({ text, isBehind, isIn: at >= (forgotten?.from ?? now) && at <= (forgotten?.until ?? 0) }).toEqual({
        text,
        isBehind: true,
        isIn: true,
      });
    }
  } finally {
    store.close();
  }
}

faultTest('S4 sends nothing again that chat.db shows, wherever the log of state.db is cut', {
  startsAgent: false,
  losesState: true,
  timeoutMs: settings.isLong ? 900_000 : 90_000,
  async fault(run) {
    const { rig } = run;
    const state = rig.path('state');
    const torn = rig.path('torn');
    deliversAgain(run);
    await run.restart();
    for (let n = 0; n < 6; n++) await run.both(n % 2 === 0 ? ANN : BEN);
    await waitFor('half of the bubbles', () => rig.mac.messages.effects.length >= 6);
    await run.crash();
    copyStateDb(state, torn);
    copyFileSync(join(state, 'high-water'), join(torn, 'high-water'));
    const cuts = cutsOf(statSync(join(torn, 'state.db-wal')).size);
    const cutTo = (bytes: number, dir: string) => {
      mkdirSync(dir, { recursive: true });
      copyStateDb(torn, dir);
      truncateSync(join(dir, 'state.db-wal'), bytes);
    };
    for (const bytes of cuts) {
      const dir = rig.path('cut');
      cutTo(bytes, dir);
      copyFileSync(join(torn, 'high-water'), join(dir, 'high-water'));
      knowsWhatIsOut(join(dir, 'state.db'), run);
    }
    run.note = `${cuts.length} cuts`;

    // And the whole agent on some of them.
    const sample = settings.isLong ? 10 : 2;
    for (let n = 0; n < sample; n++) {
      cutTo(cuts[Math.floor((cuts.length * n) / sample)]!, state);
      await run.restart();
      await run.quiet(30_000);
      await run.crash();
    }
    await run.restart();
    await run.both(BEN);
    await run.quiet(20_000);
    run.runs = cuts.length + sample;
  },
});
