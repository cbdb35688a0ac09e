import { it, onTestFinished } from 'vitest';
import type { Rig } from '../../scripts/rig/Rig.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { startRig } from '../support/startRig.ts';
import { waitFor } from '../support/waitFor.ts';
import { FaultyBackend } from './FaultyBackend.ts';
import { check, Ledgers } from './Ledgers.ts';
import { fates, Mischief } from './Mischief.ts';

const SEED = Number(process.env.LEDGER_SEED ?? 20261122);
const STEPS = Number(process.env.LEDGER_STEPS ?? 60);
const KILL_EVERY = 14;
const DAY_MS = 86_400_000;

/** Park and Miller's generator: the same seed is the same run, as far as the moments of a process can be the same. */
function seeded(seed: number): () => number {
  let state = seed % 2147483647;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

it(`loses, doubles, reorders and answers nothing it should not (LEDGER_SEED=${SEED})`, async () => {
  const random = seeded(SEED);
  const ledgers = new Ledgers();
  const front = await new FaultyBackend(fates(seeded(SEED + 1), ledgers)).start();
  onTestFinished(() => front.stop());
  const rig = await startRig({
    agent: false,
    mac: { macos: 15 },
    hub: {
      responder: { respond: async ({ text }) => ({ should_respond: true, bubbles: [`re ${text}`] }) },
      observe: ledgers.observe,
    },
    config: {
      backend: { max_in_flight_per_thread: 1, url: front.url, sync_interval_seconds: 1 },
      relay: { loop_guard_answers: 10_000 },
      sending: { settle_seconds: 2 },
    },
  });
  front.before(rig.hub.url);
  await rig.startAgent();
  await rig.agent.kill('SIGKILL');
  aged(rig);
  await rig.startAgent();
  const mischief = new Mischief(rig, ledgers, random);
  for (let n = 1; n <= STEPS; n++) {
    await mischief.step();
    await new Promise((resolve) => setTimeout(resolve, random() * 120));
    if (n % KILL_EVERY === 0) {
      await rig.agent.kill('SIGKILL');
      ledgers.did.push('kill');
      if (random() < 0.5) await mischief.step();
      rig.agent.start();
    }
  }
  await rig.mac.settled();
  const isRefused = (guid: string) => ledgers.fates.get(guid) === 'refuse';
  const due = () =>
    ledgers.written.filter(({ guid, isUnsent }) => !ledgers.posted.has(guid) && !isRefused(guid) && !isUnsent);
  try {
    await waitFor('every message at the backend', () => due().length === 0, 25_000);
    await waitFor('a quiet agent', async () => isQuiet(await rig.agent.status().catch(() => ({ queues: {} }))), 20_000);
    check(rig, ledgers);
  } catch (error) {
    process.stderr.write(`${ledgers.did.join('\n')}\nnot at the backend: ${JSON.stringify(due())}\n`);
    throw error;
  }
});

/** An agent that has been at work for a day, and whose last message came just now: what is older may be a block. */
function aged(rig: Rig): void {
  const now = Date.now();
  const store = StateStore.open(rig.path('state/state.db'), now);
  store.transaction(() => {
    store.meta.set('begun_at', String(now - DAY_MS));
    const { epoch, cursorRowid: rowid, cursorGuid: guid } = store.epochs.latest()!;
    store.epochs.moveCursor({ epoch, rowid, guid, newestMessageAt: now });
  });
  store.close();
}

function isQuiet(status: Record<string, unknown>): boolean {
  const queues = status.queues as Record<string, number>;
  return ['inbound_parked', 'inbound_pending', 'sends_queued', 'sends_in_flight', 'events'].every(
    (name) => queues[name] === 0,
  );
}
