import { randomBytes } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
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
const PARTS = ['', '-wal', '-shm'] as const;
const chatDb = ({ rig }: FaultRun) => rig.mac.chatDbPath;
/** How many requests there were when the trouble ended. */
let before = 0;
/** Either may have met the trouble, the messages and the sync. */
const isThrough = ({ ledger, front }: FaultRun) =>
  ledger.inserted.every(({ guid }) => ledger.accepted.has(guid)) &&
  front.knocks.slice(before).some(({ path, status }) => path === '/edge/sync' && status === 200);
const everyRequest = (...answer: Parameters<typeof says>): Omit<Trouble, 'code'> => ({
  begin(run) {
    run.front.treat = () => says(...answer);
    run.write(); // while the socket is up nothing else may go this way for a while
  },
  end: ({ front }) => front.standAside(),
  isOver: isThrough,
});

/** Something else lies in the place of chat.db. */
const insteadOfChatDb = (content: () => string | Buffer): Omit<Trouble, 'code'> => ({
  begin({ rig: { mac } }) {
    mac.chatDb.close();
    for (const part of PARTS) renameSync(`${mac.chatDbPath}${part}`, `${mac.chatDbPath}.away${part}`);
    writeFileSync(mac.chatDbPath, content());
  },
  end({ rig: { mac } }) {
    for (const part of PARTS) rmSync(`${mac.chatDbPath}${part}`, { force: true });
    for (const part of PARTS) renameSync(`${mac.chatDbPath}.away${part}`, `${mac.chatDbPath}${part}`);
    mac.chatDb.open();
  },
  isOver: async ({ rig }) => (await rig.agent.status()).chatdb.open,
});
/** A bubble is asked for that cannot go out. */
const unsendable = (begin: (run: FaultRun) => void, end: (run: FaultRun) => void): Omit<Trouble, 'code'> => ({
  async begin(run) {
    begin(run);
    await run.ask();
  },
  end,
  isOver: ({ ledger }) => ledger.asked.every(({ id }) => ledger.acks.get(id)?.includes('completed')),
});

const TROUBLES: readonly Trouble[] = [
  {
    code: 'EDGE_CHATDB_MISSING',
    begin: (run) => renameSync(chatDb(run), `${chatDb(run)}.away`),
    end: (run) => renameSync(`${chatDb(run)}.away`, chatDb(run)),
    isOver: async ({ rig }) => (await rig.agent.status()).chatdb.open,
  },
  { code: 'EDGE_CHATDB_SCHEMA', ...insteadOfChatDb(() => '') },
  { code: 'EDGE_CHATDB_CORRUPT', ...insteadOfChatDb(() => randomBytes(8192)) },
  { code: 'EDGE_BACKEND_BUSY', ...everyRequest(503) },
  { code: 'EDGE_BACKEND_AUTH', ...everyRequest(403) },
  { code: 'EDGE_BACKEND_REDIRECT', ...everyRequest(302, '', { location: 'https://elsewhere.example/' }) },
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
    ...unsendable(
      ({ rig }) => (rig.mac.messages.automation = 'denied'),
      ({ rig }) => (rig.mac.messages.automation = 'granted'),
    ),
  },
  {
    code: 'EDGE_SEND_MESSAGES_DOWN',
    ...unsendable(
      ({ rig }) => rig.mac.messages.behave({ fail: -600, times: 'always' }),
      ({ rig }) => rig.mac.messages.behaveWell(),
    ),
  },
  {
    code: 'EDGE_SEND_NO_ACCOUNT',
    ...unsendable(
      ({ rig }) => (rig.mac.messages.accounts = []),
      ({ rig }) => (rig.mac.messages.accounts = ['iMessage']),
    ),
  },
  {
    code: 'EDGE_SEND_SPAWN',
    ...unsendable(
      ({ rig }) => renameSync(rig.mac.osascriptPath, `${rig.mac.osascriptPath}.away`),
      ({ rig }) => renameSync(`${rig.mac.osascriptPath}.away`, rig.mac.osascriptPath),
    ),
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
