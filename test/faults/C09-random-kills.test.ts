import { setTimeout as pause } from 'node:timers/promises';
import { ANN, BEN, type FaultRun } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { settings } from './harness/settings.ts';
import { UNGUARDED } from './harness/unguarded.ts';

const KILLS = settings.kills ?? 25;
const PEOPLE = [ANN, BEN, '+15550100004'];
const MESSAGE_EVERY_MS = 200;
/** A command after so many messages, a reflex to so many. */
const COMMAND_EVERY = 5;
const REFLEX_EVERY = 2;
/** One of so many is without its chat for longer. */
const SLOW_EVERY = 10;
/** From a start to the kill at most, in starts as long as they take on this machine: from its first steps to well into the work. */
const LIFE = 2;

/** A bubble that a kill kept from going out holds its thread until one life is longer than the settle time. */
const RESPITE_EVERY = 40;
const RESPITE_MS = 5000;

faultTest(`C9 loses, doubles and disorders nothing over ${KILLS} kills at random moments under load`, {
  // A bubble that was under way at a kill is looked for so long; it is not what is tried here.
  rig: { hub: { reflexWaitMs: 200 }, config: { sending: { settle_seconds: 2 }, relay: UNGUARDED } },
  reply: (text) => ({ bubbles: [`re ${text}`], ...(text.endsWith('at once') && { reflex: `hm ${text}` }) }),
  timeoutMs: 120_000 + KILLS * 3000,
  recoveryMs: 15_000 + KILLS * 1000,
  async fault(run) {
    run.runs = KILLS;
    await run.crash();
    const startedAt = performance.now();
    await run.restart();
    const startMs = performance.now() - startedAt;
    let isOver = false;
    const load = underLoad(run, () => isOver);
    for (let kill = 0; kill < KILLS; kill++) {
      const watch = recovery(run);
      if (kill % RESPITE_EVERY === RESPITE_EVERY - 1) {
        await watch;
        await pause(RESPITE_MS);
      } else await pause(run.random() * LIFE * startMs);
      await run.crash();
      const tookMs = await watch;
      if (kill > 0 && tookMs !== undefined) run.recoveriesMs.push(tookMs);
      run.rig.agent.start();
    }
    isOver = true;
    run.note = await load;
  },
});

/** 5 messages a second, every second to be answered with a reflex, and 1 command a second; what it came to. */
async function underLoad(run: FaultRun, isOver: () => boolean): Promise<string> {
  let messages = 0;
  let commands = 0;
  for (; !isOver(); messages++) {
    const person = PEOPLE[messages % PEOPLE.length]!;
    const joinMs = messages % SLOW_EVERY === 0 ? 30 : 3;
    run.write(person, { joinMs, ...(messages % REFLEX_EVERY === 0 && { ending: 'at once' }) });
    if (messages % COMMAND_EVERY === 0) {
      await run.ask(person);
      commands++;
    }
    await pause(MESSAGE_EVERY_MS);
  }
  return `${messages} messages and ${commands} commands`;
}

/** From now until the agent reads chat.db and has its socket, ms; undefined of one that is killed before. */
async function recovery({ rig }: FaultRun): Promise<number | undefined> {
  const startedAt = performance.now();
  try {
    await rig.agent.ready(({ chatdb, websocket }) => chatdb.open && websocket.up, 60_000);
    return performance.now() - startedAt;
  } catch {
    return undefined; // killed meanwhile
  }
}
