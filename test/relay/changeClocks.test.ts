import { describe, expect, it } from 'vitest';
import { ChangeRig } from './changeRig.ts';

const HOUR = 3_600_000;

describe('an edit after the wall clock stepped', () => {
  for (const [name, step] of [
    ['forward', HOUR],
    ['back', -HOUR],
    ['a year forward', 8_760 * HOUR],
  ] as const) {
    it(`${name} is told`, async () => {
      const rig = await new ChangeRig().start();
      rig.message(1);
      await rig.changed(90_000);
      rig.message(2);
      await rig.changed(90_000);
      rig.clock.jumpWall(step);
      await rig.changed(90_000);
      rig.message(3);
      await rig.changed(90_000);
      for (const guid of ['guid-1', 'guid-2', 'guid-3']) {
        rig.edit(guid, 'other words');
        await rig.changed(5_000);
      }
      expect(rig.events.map(({ details }) => details.message_guid)).toEqual(['guid-1', 'guid-2', 'guid-3']);
    });

    it(`${name} while the agent was down is told`, async () => {
      const rig = await new ChangeRig().start();
      rig.message(1);
      await rig.changed(90_000);
      await rig.crash(30_000);
      rig.clock.jumpWall(step);
      rig.edit('guid-1', 'other words');
      await rig.start();
      await rig.changed(5_000);
      expect(rig.events.map(({ details }) => details.message_guid)).toEqual(['guid-1']);
    });

    it(`${name} and back again is told`, async () => {
      const rig = await new ChangeRig().start();
      rig.clock.jumpWall(step);
      rig.message(1);
      await rig.changed(90_000);
      rig.clock.jumpWall(-step);
      rig.edit('guid-1', 'other words');
      await rig.changed(5_000);
      expect(rig.events.map(({ details }) => details.message_guid)).toEqual(['guid-1']);
    });
  }
});
