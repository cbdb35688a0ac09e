import { expect } from 'vitest';
import type { Responder } from '../../src/hub/responders/Responder.ts';
import { waitFor } from '../support/waitFor.ts';
import { ANN, answerTo, type FaultRun } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';

/** Longer than anything is told late, or told again, ms. */
const LATER_MS = 30_000;

/** What is told once is told once: judged again when the agent has said its last words. */
const expectsNoMore = (run: FaultRun) => run.clock.pass(LATER_MS);

/** Under which keys a message was posted, one for each time that it came. */
function keysOf({ front }: FaultRun, guid: string): (string | undefined)[] {
  return front.messages.filter(({ body }) => body.includes(guid)).map(({ key }) => key);
}

faultTest('C1 posts a message again under its key that the backend had read, and not yet looked at, at the kill', {
  async fault(run) {
    const killed = Promise.withResolvers<void>();
    run.front.treat = () => async () => {
      await run.crash();
      run.front.standAside();
      killed.resolve();
    };
    const guid = run.write();
    await killed.promise;
    await run.restart();
    await waitFor('the message again', () => run.ledger.accepted.has(guid));
    expect(keysOf(run, guid)).toEqual([guid, guid]);
    expect(run.ledger.accepted.get(guid)!.copies).toBe(1);
  },
  expect: expectsNoMore,
});

let seen = 0;
let finishes = Promise.withResolvers<void>();
const thinks: Responder = {
  async respond({ text }) {
    seen++;
    await finishes.promise;
    return { should_respond: true, bubbles: [answerTo(text)] };
  },
};

faultTest('C1 has a message answered once that the backend was still working on at the kill', {
  rig: { hub: { responder: thinks } },
  setup: () => finishes.resolve(),
  async fault(run) {
    finishes = Promise.withResolvers();
    const known = seen;
    const guid = run.write(ANN);
    await waitFor('the backend to think', () => seen > known);
    await run.crash();
    await run.restart();
    await waitFor('the message again', () => run.ledger.accepted.get(guid)!.copies === 2);
    finishes.resolve();
    await run.quiet(15_000);
    expect(keysOf(run, guid)).toEqual([guid, guid]);
    expect(seen - known).toBe(1);
  },
  expect: expectsNoMore,
});
