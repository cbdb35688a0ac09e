import { expect, it } from 'vitest';
import { EXIT_0 } from './FakeMac.ts';
import { ANNA, senderRig } from './senderRig.ts';

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
