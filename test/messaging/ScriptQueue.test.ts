import { expect, it } from 'vitest';
import { ScriptQueue } from '../../src/messaging/ScriptQueue.ts';
import type { ScriptResult } from '../../src/messaging/ScriptRunner.ts';
import { settle } from '../support/FakeClock.ts';
import { EXIT_0 } from './FakeMac.ts';

function setUp() {
  const begun: string[] = [];
  const ends: PromiseWithResolvers<ScriptResult>[] = [];
  const runner = {
    run(script: string) {
      begun.push(script);
      const end = Promise.withResolvers<ScriptResult>();
      ends.push(end);
      return end.promise;
    },
    idle: async () => {},
  };
  const queue = new ScriptQueue({ runner });
  const run = (script: string) => queue.run(script, [], { timeoutMs: 1000 });
  return { begun, ends, queue, run };
}

it('begins at once when none runs, and else when the one before has ended, in order', async () => {
  const { begun, ends, run, queue } = setUp();
  const first = run('first');
  expect(begun).toEqual(['first']);
  void run('second');
  void run('third');
  await settle();
  expect(begun).toEqual(['first']);
  ends[0]!.resolve(EXIT_0);
  await first;
  await settle();
  expect(begun).toEqual(['first', 'second']);
  ends[1]!.resolve(EXIT_0);
  await settle();
  ends[2]!.resolve(EXIT_0);
  await queue.idle();
  expect(begun).toEqual(['first', 'second', 'third']);
});

it('goes on after one that could not be started', async () => {
  const { begun, ends, run } = setUp();
  const first = run('first');
  const second = run('second');
  ends[0]!.reject(new Error('no such program'));
  await expect(first).rejects.toThrow('no such program');
  await settle();
  expect(begun).toEqual(['first', 'second']);
  ends[1]!.resolve(EXIT_0);
  expect(await second).toEqual(EXIT_0);
});

it('lets no more than eight wait', async () => {
  const { run } = setUp();
  for (let n = 0; n < 9; n++) void run(`script ${n}`);
  await expect(run('one more')).rejects.toMatchObject({ code: 'EDGE_INTERNAL' });
});
