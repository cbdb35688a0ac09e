import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { ANN, answerTo, BEN, CANARY, type FaultRun } from './FaultRun.ts';
import type { ProcessFigures } from './processFigures.ts';

const MAX_RSS_MEGABYTES = 150;
/** Connections kept alive to a backend that answers may be more than before, within this. */
const SPARE_FILES = 4;

/** Each key accepted once, under one body, and nothing that was not written. In order by thread. */
export function messagesArrivedOnce({ ledger }: FaultRun): void {
  const { inserted, accepted } = ledger;
  expect([...accepted.keys()].toSorted()).toEqual(inserted.map(({ guid }) => guid).toSorted());
  expect([...accepted.values()].filter(({ bodies }) => bodies.size > 1)).toEqual([]);
  for (const thread of [ANN, BEN]) {
    const arrived = [...accepted.values()].filter((one) => one.thread === thread).map(({ text }) => text);
    expect(arrived).toEqual(inserted.filter((one) => one.thread === thread).map(({ text }) => text));
  }
}

/** Each answer and each command is one bubble in its thread, and nothing else is. Answers are in order. */
export function bubblesWentOutOnce({ ledger, rig }: FaultRun): void {
  const { inserted, asked } = ledger;
  for (const thread of [ANN, BEN]) {
    const out = rig.bubblesTo(thread);
    const answers = inserted.filter((one) => one.thread === thread).map(({ text }) => answerTo(text));
    const commands = asked.filter((one) => one.thread === thread).map(({ text }) => text);
    expect(out.filter((text) => text.startsWith('re '))).toEqual(answers);
    expect(out.filter((text) => !text.startsWith('re ')).toSorted()).toEqual(commands.toSorted());
  }
  expect(rig.mac.messages.effects).toHaveLength(inserted.length + asked.length);
}

/** Not so where an answer with commands got lost on its way: the hub gives those again, after later ones. */
export function commandsWentOutInOrder({ ledger, rig }: FaultRun, thread: string): void {
  const out = rig.bubblesTo(thread).filter((text) => !text.startsWith('re '));
  expect(out).toEqual(ledger.asked.filter((one) => one.thread === thread).map(({ text }) => text));
}

/** One end for each command, the one that the phone shows, and one report of each bubble. */
export async function outcomesAreTrue({ ledger, rig }: FaultRun): Promise<void> {
  for (const { id, text } of ledger.asked) {
    const { state, error } = await rig.commandState(id);
    expect([text, state, error]).toEqual([text, 'completed', null]);
    expect([text, ...new Set(ledger.acks.get(id))]).toEqual([text, 'completed']);
  }
  const told = ledger.told('message_sent').map(({ details }) => details.message_guid);
  expect(told.toSorted()).toEqual(rig.mac.messages.effects.map(({ guid }) => guid).toSorted());
  expect(ledger.told('message_failed')).toEqual([]);
}

/** Without a person's help: the socket is back, and nothing is held to be wrong. */
export async function isHealthy(run: FaultRun, withinMs: number): Promise<void> {
  await run.rig.agent.ready(
    ({ websocket, conditions }) => websocket.up === run.hasSocket && conditions.length === 0,
    withinMs,
  );
  const health = (await (await fetch(`${run.rig.hub.url}/health`)).json()) as { connections: number };
  expect(health.connections).toBe(run.hasSocket ? 1 : 0);
}

export async function takesNoMoreThanBefore(run: FaultRun, before: ProcessFigures | undefined): Promise<void> {
  if (!before) return;
  await waitFor('the files to be closed', () => run.figures!.files <= before.files + SPARE_FILES);
  expect(run.figures!.rssMegabytes).toBeLessThan(MAX_RSS_MEGABYTES);
}

/** Ends the agent, which is still the process that the case left behind, and hears of nothing that nobody caught. */
export async function stopsInOrder({ rig }: FaultRun, pid: number | undefined): Promise<void> {
  expect(rig.agent.isRunning).toBe(true);
  expect(rig.agent.pid).toBe(pid);
  expect(await rig.agent.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(rig.agent.stderr).toBe('');
  expect(rig.agent.log).not.toMatch(/unhandledRejection|uncaughtException|EDGE_INTERNAL/);
}

export function keepsSecrets({ rig }: FaultRun, ...more: string[]): void {
  for (const text of [rig.agent.log, rig.agent.stderr, ...more]) {
    for (const canary of [rig.secret, ANN, BEN, CANARY]) expect(text).not.toContain(canary);
  }
}
