import { expect, it } from 'vitest';
import { seeded } from '../harness/settings.ts';
import { drawPlan } from './Plan.ts';
import { shortest } from './shortest.ts';

it('leaves of a plan only the steps that it needs to fail', async () => {
  const letters = [...'abcdefghijklmnopqrstuvwxyz'];
  const fails = async (plan: readonly string[]) => plan.includes('c') && plan.includes('x');
  expect(await shortest(letters, fails)).toEqual(['c', 'x']);
});

it('draws the same plan from the same seed, and another from another', () => {
  expect(drawPlan(seeded(7), 50)).toEqual(drawPlan(seeded(7), 50));
  expect(drawPlan(seeded(7), 50)).not.toEqual(drawPlan(seeded(8), 50));
});
