import { renameSync } from 'node:fs';
import { expect } from 'vitest';
import { freePort } from '../../scripts/rig/freePort.ts';
import type { ErrorCode } from '../../src/util/errors.ts';
import { waitFor } from '../support/waitFor.ts';
import type { FaultRun } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { says } from './harness/treatments.ts';

/** Within how long the agent is to say so, ms; what the machine adds is bounded by the patience of the suite. */
const SHOWN_MS = 5_000;
/** Until the agent meets the end of it, which it may only ask for after a wait; its clock is moved on. */
const MOST_MS = 20_000;

interface Trouble {
  readonly code: ErrorCode;
  begin(run: FaultRun): unknown;
  end(run: FaultRun): unknown;
  /** The agent has met the end of it. */
  isOver(run: FaultRun): boolean | Promise<boolean>;
}

const port = await freePort();
const chatDb = ({ rig }: FaultRun) => rig.mac.chatDbPath;
/** How many requests there were when the trouble ended. */
let before = 0;
/** Either may have met the trouble, the messages and the sync. */
const isThrough = ({ ledger, front }: FaultRun) =>
  ledger.inserted.every(({ guid }) => ledger.accepted.has(guid)) &&
  front.knocks.slice(before).some(({ path, status }) => path === '/edge/sync' && status === 200);
const everyRequest = (status: number): Omit<Trouble, 'code'> => ({
  begin(run) {
    run.front.treat = () => says(status);
    run.write(); // while the socket is up nothing else may go this way for a while
  },
  end: ({ front }) => front.standAside(),
  isOver: isThrough,
});

const TROUBLES: readonly Trouble[] = [
  {
    code: 'EDGE_CHATDB_MISSING',
    begin: (run) => renameSync(chatDb(run), `${chatDb(run)}.away`),
    end: (run) => renameSync(`${chatDb(run)}.away`, chatDb(run)),
    isOver: async ({ rig }) => (await rig.agent.status()).chatdb.open,
  },
  { code: 'EDGE_BACKEND_BUSY', ...everyRequest(503) },
  { code: 'EDGE_BACKEND_AUTH', ...everyRequest(403) },
  {
    code: 'EDGE_BACKEND_UNREACHABLE',
    begin(run) {
      run.rig.httpCable.cut();
      run.write();
    },
    end: ({ rig }) => rig.httpCable.mend(),
    isOver: isThrough,
  },
  {
    code: 'EDGE_SEND_NOT_PERMITTED',
    async begin(run) {
      run.rig.mac.messages.automation = 'denied';
      await run.ask();
    },
    end({ rig }) {
      rig.mac.messages.automation = 'granted';
    },
    isOver: ({ ledger }) => ledger.asked.every(({ id }) => ledger.acks.get(id)?.includes('completed')),
  },
];

faultTest('O7 shows each condition in /health and /metrics within moments, and not for longer than it stands', {
  timeoutMs: 120_000,
  rig: {
    config: { monitoring: { port } },
  },
  async fault(run) {
    const told: string[] = [];
    for (const { code, begin, end, isOver } of TROUBLES) {
      const began = performance.now();
      await begin(run);
      await waitFor(`${code} to be shown`, () => isShown(code, true), SHOWN_MS);
      const shownMs = performance.now() - began;
      before = run.front.knocks.length;
      await end(run);
      await waitFor(`the end of ${code}`, () => goesOn(run, isOver), MOST_MS);
      const ended = performance.now();
      await waitFor(`${code} to be over`, () => isShown(code, false), SHOWN_MS);
      told.push(`${code} ${Math.round(shownMs)}/${Math.round(performance.now() - ended)} ms`);
    }
    run.runs = TROUBLES.length;
    run.note = told.join(', ');
    await run.both();
  },
});

/** What is tried again once a minute is tried by the agent's clock. */
async function goesOn(run: FaultRun, isOver: Trouble['isOver']): Promise<boolean> {
  if (await isOver(run)) return true;
  await run.clock.pass(5_000);
  return false;
}

/** Both pages say the same. */
async function isShown(code: string, stands: boolean): Promise<boolean> {
  const [health, metrics] = await Promise.all(
    ['health', 'metrics'].map((page) => fetch(`http://127.0.0.1:${port}/${page}`)),
  );
  const { conditions } = (await health!.json()) as { conditions: { code: string }[] };
  const isCounted = (await metrics!.text()).includes(`edge_agent_condition{code="${code}",severity="critical"} 1`);
  const isListed = conditions.some((condition) => condition.code === code);
  if (isListed) expect(health!.status).toBe(503);
  return isListed === stands && isCounted === stands;
}
