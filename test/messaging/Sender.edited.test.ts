import { expect, it } from 'vitest';
import type { ChatRow } from '../../src/chatdb/types.ts';
import { EXIT_0 } from './FakeMac.ts';
import { ANNA, BEN, SETTLE_MS, senderRig } from './senderRig.ts';

it('knows its row although it was edited from another device meanwhile', async () => {
  const rig = senderRig();
  rig.mac.onRun = () => EXIT_0;
  const send = rig.queue(ANNA, 'at seven');
  await rig.wake();
  const versions = ['at seven', 'at eight'].map((text) => ({ text, writtenAt: rig.clock.now() }));
  const edits = new Map([[0, versions]]);
  const summary = { edits, unsentParts: [], originalRanges: new Map(), associatedText: undefined };
  rig.mac.write({ target: ANNA, text: 'at eight' }, { summary, editedAt: rig.clock.now() });
  await rig.changed();
  expect(rig.state(send)).toBe('confirmed');
  expect(rig.texts()).toEqual(['at seven']);
});

const nothing = { edits: new Map(), originalRanges: new Map(), associatedText: undefined };

it.each<[string, Partial<ChatRow>]>([
  ['is marked empty', { isEmpty: true, editedAt: Date.UTC(2026, 0, 1) }],
  ['names the parts that were unsent', { summary: { ...nothing, unsentParts: [0] } }],
])('does not send a bubble again that a person has unsent, whose row %s', async (_how, change) => {
  const rig = senderRig();
  rig.mac.onRun = () => EXIT_0;
  const send = rig.queue(ANNA, 'at seven');
  await rig.wake();
  rig.mac.write({ target: BEN, text: '' }, change);
  rig.mac.write({ target: ANNA, text: '' }, change);
  await rig.changed();
  expect(rig.state(send)).toBe('accepted');
  await rig.clock.advance(2 * SETTLE_MS);
  expect(rig.row(send)).toMatchObject({ state: 'confirmed', receiptGuid: 'GUID-102' });
  expect(rig.texts()).toEqual(['at seven']);
});
