import { describe, it } from 'vitest';
import { variants } from '../chatdb/support/schemaVariants.ts';
import { BALLOONS } from './kinds/balloons.ts';
import { CHANGES } from './kinds/changes.ts';
import { GROUPS } from './kinds/groups.ts';
import { expected, play } from './kinds/Kind.ts';
import { MESSAGES } from './kinds/messages.ts';
import { ANSWER, ASKED, OWN } from './kinds/own.ts';
import { REACTIONS } from './kinds/reactions.ts';
import { Stage } from './kinds/Stage.ts';

const KINDS = [...MESSAGES, ...BALLOONS, ...REACTIONS, ...GROUPS, ...CHANGES, ...OWN];

describe.concurrent('Every kind of row', () => {
  it.for(variants())(
    'is told as what it is, once, on $title',
    { timeout: 240_000 },
    async (variant, { expect, onTestFinished }) => {
      const stage = await Stage.open({ variant, answer: (text) => (text === ASKED ? ANSWER : undefined) });
      onTestFinished(async ({ task }) => {
        if (task.result?.state === 'fail') console.error(stage.rig.agent.log);
        await stage.close();
      });
      await stage.start();
      const scenes = await play(stage, KINDS);
      const whole = () => expected(stage, scenes);
      await stage.toldAsMuchAs(whole);
      // Nothing comes later either, and a restart tells nothing again.
      await stage.restart('SIGTERM');
      expect(stage.told()).toEqual(whole());
    },
  );
});
