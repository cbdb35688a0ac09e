import { expect, it } from 'vitest';
import { startRig } from '../support/startRig.ts';
import { waitFor } from '../support/waitFor.ts';

const THREADS = ['+15550100002', '+15550100003', '+15550100004'];
const KILLS = 12;
const MESSAGE_EVERY_MS = 40;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

it('is killed at any moment while messages come: each is handed over under one key and body, in order', async () => {
  const bodies = new Map<string, Set<string>>();
  const rig = await startRig({
    hub: {
      observe: {
        messageReceived: ({ body }) => {
          const seen = bodies.get(body.guid!) ?? new Set();
          bodies.set(body.guid!, seen.add(JSON.stringify(body.raw)));
        },
      },
    },
  });
  const sent = new Map<string, string>();
  let isOver = false;
  const writing = (async () => {
    for (let n = 0; !isOver; n++) {
      const from = THREADS[n % THREADS.length]!;
      const joinMs = n % 10 === 0 ? 30 : 3;
      sent.set(rig.mac.people.receive({ from, text: `message ${n}`, joinMs }), from);
      await pause(MESSAGE_EVERY_MS);
    }
  })();
  for (let kill = 0; kill < KILLS; kill++) {
    // From the first steps of a start (some 250 ms) to well into the work.
    await pause(100 + ((kill * 137) % 600));
    await rig.agent.kill('SIGKILL');
    rig.agent.start();
  }
  isOver = true;
  await writing;
  await waitFor('every message', () => bodies.size >= sent.size);
  expect([...bodies.values()].filter((seen) => seen.size > 1)).toEqual([]);
  const arrived = [...bodies.keys()];
  for (const thread of THREADS) {
    const ofThread = (guid: string) => sent.get(guid) === thread;
    expect(arrived.filter(ofThread)).toEqual([...sent.keys()].filter(ofThread));
  }
  expect(arrived).toHaveLength(sent.size);
});
