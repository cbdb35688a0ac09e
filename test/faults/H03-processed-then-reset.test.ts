import { expect, it } from 'vitest';
import { ANN, BOB, CAROL, DoorRig } from './DoorRig.ts';
import { passes, takenThenReset } from './HttpDoor.ts';

it('H3 posts what may have been taken again under the same key, and it is taken once and answered once', async () => {
  const system = await DoorRig.start();
  const { door } = system;
  const tried = new Set<string | undefined>();
  door.treat = ({ path, key }) => {
    if (path !== '/edge/message' || tried.has(key)) return passes;
    tried.add(key);
    return takenThenReset;
  };
  for (const from of [ANN, BOB, CAROL]) for (const n of [1, 2]) system.write(`${n} from a person`, from);
  await system.settled();
  for (const { guid } of system.written) {
    expect(door.messages.filter(({ key }) => key === guid)).toHaveLength(2);
    expect(system.taken.get(guid)).toBe(2);
  }
});
