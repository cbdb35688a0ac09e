import { expect } from 'vitest';
import { waitFor } from '../../support/waitFor.ts';
import type { FaultRun } from '../harness/FaultRun.ts';
import { GROUP } from './Plan.ts';
import type { Stage } from './Stage.ts';

/** How long what is left may take once nothing is wrong any more, ms; see I5. */
const RECOVERY_MS = 15_000;

/**
 * Takes out of the ledger what no longer must come about: a message that was unsent before it was handed over, and the
 * answer to one that the backend said it knew, which may come by another way or not at all.
 */
export async function settleAccounts({ ledger }: FaultRun, stage: Stage): Promise<void> {
  const unsent = [...stage.written.values()].filter(({ isUnsent, isRefused }) => isUnsent && !isRefused);
  const word = (guid: string) => ledger.told('message_unsent').find(({ details }) => details.message_guid === guid);
  const isDone = () => unsent.every(({ guid }) => word(guid));
  await waitFor('a word of each message that was unsent', isDone, RECOVERY_MS);
  const isGone = ({ guid }: { guid: string }) => word(guid)?.details.handed_over === false;
  const known = new Set([...stage.written.values()].filter(({ isKnown }) => isKnown).map(({ guid }) => guid));
  const due = ledger.inserted
    .filter((one) => !isGone(one) || ledger.accepted.has(one.guid))
    .map((one) => (known.has(one.guid) ? { ...one, answers: [], mayAnswer: one.answers } : one));
  ledger.inserted.splice(0, ledger.inserted.length, ...due);
}

/** Each edit, unsending and reaction was told, and after its message; each group once. */
export async function toldOfChanges({ ledger }: FaultRun, { written, reactions }: Stage): Promise<void> {
  const messages = [...written.values()].filter(({ isRefused }) => !isRefused);
  const of = (type: string, guid: string) => ledger.told(type).filter(({ details }) => details.message_guid === guid);
  const latest = (guid: string) => of('message_edited', guid).at(-1)?.details.text ?? ledger.accepted.get(guid)?.text;
  const isTold = () =>
    messages.every(({ guid, isUnsent, now }) => isUnsent || !ledger.accepted.has(guid) || latest(guid) === now) &&
    [...reactions.values()].every(({ guid, target }) => added(guid, target).length > 0);
  const added = (guid: string, target: string) =>
    of('reaction_added', target).filter(({ details }) => details.reaction_guid === guid);
  // Who waits in vain finds out below what for.
  await waitFor('the last change', isTold, RECOVERY_MS).catch(() => {});

  for (const { guid, text, now, isUnsent } of messages) {
    const isHandedOver = ledger.accepted.has(guid);
    const unsent = of('message_unsent', guid).map(({ details }) => details.handed_over);
    expect([text, unsent]).toEqual([text, isUnsent ? [isHandedOver] : []]);
    if (isHandedOver && !isUnsent) expect(latest(guid)).toBe(now);
  }
  for (const { guid, target, kind } of reactions.values()) {
    expect(added(guid, target).map(({ details }) => details.reaction)).toEqual([kind]);
  }
  const changes = [...ledger.events].filter(([, { type }]) => /^(message_(edited|unsent)|reaction_)/.test(type));
  const known = new Set([...written.values()].map(({ guid }) => guid));
  for (const [id, { details }] of changes) {
    const guid = String(details.message_guid);
    expect(known).toContain(guid);
    expect(ledger.arrivals.get(id)).toBeGreaterThan(ledger.arrivals.get(guid) ?? -1);
  }
  const created = ledger.told('group_changed').filter(({ details }) => details.change === 'created');
  const isGroup = [...ledger.accepted.values()].some(({ thread }) => thread === GROUP.id);
  // A group is told of for its first row, whatever becomes of the message that it is.
  const isWritten = [...written.values()].some(({ thread }) => thread === GROUP.id);
  expect(created.length).toBeLessThanOrEqual(isWritten ? 1 : 0);
  if (isGroup) expect(created).toHaveLength(1);
}
