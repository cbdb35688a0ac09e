import { onTestFailed } from 'vitest';
import { StateStore } from '../../src/state/StateStore.ts';
import type { FaultRun } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { seeded, settings } from './harness/settings.ts';
import { settleAccounts, toldOfChanges } from './whole/changes.ts';
import { drawPlan } from './whole/Plan.ts';
import { CONFIG, reply, Stage } from './whole/Stage.ts';

const RUNS = settings.runs ?? 2;
const STEPS = 50;
const DAY_MS = 86_400_000;
/** The first numbers of two seeds beside each other are beside each other as well. */
const SPREAD = 7919;

for (let seed = settings.seed; seed < settings.seed + RUNS; seed++) {
  const plan = drawPlan(seeded(seed * SPREAD), STEPS);
  let stage: Stage;
  faultTest(`whole: loses, doubles, reorders and makes up nothing, whatever comes together (--seed ${seed})`, {
    rig: { config: CONFIG, mac: { macos: 15 }, hub: { reflexWaitMs: 200 } },
    reply,
    async setup(run) {
      onTestFailed(() => console.error(plan.map((step) => JSON.stringify(step)).join('\n')));
      await aged(run);
    },
    async fault(run) {
      stage = new Stage(run);
      await stage.play(plan);
      await settleAccounts(run, stage, settings.patience);
    },
    expect: (run) => toldOfChanges(run, stage, settings.patience),
  });
}

/** An agent that has been at work for a day, and whose last message came just now: what is older may be a block. */
async function aged(run: FaultRun): Promise<void> {
  const { rig } = run;
  await run.restart();
  await run.crash();
  const now = Date.now();
  const store = StateStore.open(rig.path('state/state.db'), now);
  store.transaction(() => {
    store.meta.set('begun_at', String(now - DAY_MS));
    const { epoch, cursorRowid: rowid, cursorGuid: guid } = store.epochs.latest()!;
    store.epochs.moveCursor({ epoch, rowid, guid, newestMessageAt: now });
  });
  store.close();
}
