import { describe, it } from 'vitest';
import { variants } from '../chatdb/support/schemaVariants.ts';
import { expected, play } from './kinds/Kind.ts';
import { LATE_TEXTS } from './kinds/messages.ts';
import { Stage } from './kinds/Stage.ts';

describe('A text that comes late', () => {
  it.for(variants())(
    'is told as an edit, once, on $title',
    { timeout: 120_000 },
    async (variant, { expect, onTestFinished }) => {
      const stage = await Stage.open({ variant });
      onTestFinished(() => stage.close());
      await stage.start();
      const scenes = await play(stage, LATE_TEXTS);
      const whole = () => expected(stage, scenes);
      await stage.toldAsMuchAs(whole);
      expect(stage.told()).toEqual(whole());
    },
  );
});
