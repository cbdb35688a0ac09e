import { expect, it, onTestFailed } from 'vitest';
import { StateStore } from '../../src/state/StateStore.ts';
import type { FaultRun } from './harness/FaultRun.ts';
import { type FaultCase, failureOf, faultTest } from './harness/faultTest.ts';
import { seeded, settings } from './harness/settings.ts';
import { settleAccounts, toldOfChanges } from './whole/changes.ts';
import { drawPlan, type Plan } from './whole/Plan.ts';
import { CONFIG, reply, Stage } from './whole/Stage.ts';
import { shortest } from './whole/shortest.ts';

const RUNS = settings.runs ?? 2;
const STEPS = 50;
const DAY_MS = 86_400_000;
/** The first numbers of two seeds beside each other are beside each other as well. */
const SPREAD = 7919;
/** A plan that fails is tried again some forty times. */
const SHRINKING_MS = 3 * 3600_000;

for (let seed = settings.seed; seed < settings.seed + RUNS; seed++) {
  const plan = drawPlan(seeded(seed * SPREAD), STEPS);
  if (settings.shrinks) {
    it(`whole needs only a few steps to fail, if it does (--seed ${seed})`, { timeout: SHRINKING_MS }, async () => {
      const fails = async (shorter: Plan) => (await failureOf(caseOf(shorter))) !== undefined;
      const needed = (await fails(plan)) ? await shortest(plan, fails) : [];
      expect(needed, linesOf(needed)).toEqual([]);
    });
  } else {
    const { setup, ...rest } = caseOf(plan);
    faultTest(`whole loses, doubles, reorders and makes up nothing, whatever comes together (--seed ${seed})`, {
      ...rest,
      seed,
      setup(run) {
        onTestFailed(() => console.error(linesOf(plan)));
        return setup?.(run);
      },
    });
  }
}

function linesOf(plan: Plan): string {
  return plan.map((step) => JSON.stringify(step)).join('\n');
}

function caseOf(plan: Plan): FaultCase {
  let stage: Stage;
  return {
    rig: { config: CONFIG, mac: { macos: 15 }, hub: { reflexWaitMs: 200 } },
    reply,
    setup: aged,
    async fault(run) {
      stage = new Stage(run);
      await stage.play(plan);
      await settleAccounts(run, stage);
    },
    expect: (run) => toldOfChanges(run, stage),
  };
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
