import { expect, it } from 'vitest';
import type { Responder } from '../../src/hub/responders/Responder.ts';
import { startRig } from '../support/startRig.ts';
import { waitFor } from '../support/waitFor.ts';

const PEOPLE = ['+15550100002', '+15550100003', '+15550100004'];
const KILLS = Number(process.env.CHAOS_KILLS ?? 10);
const SEED = Number(process.env.CHAOS_SEED ?? 20261121);

/** Park and Miller's generator: the same seed is the same run. */
function seeded(seed: number): () => number {
  let state = seed % 2147483647;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

const answers: Responder = {
  async respond(message, reply) {
    const n = Number(message.text.split(' ')[1]);
    if (n % 2 === 0) await reply.reflex(`hm ${n}`);
    return { should_respond: true, bubbles: [`re ${n} a`, `re ${n} b`] };
  },
};

it(`loses and doubles nothing over ${KILLS} kills at random moments (seed ${SEED})`, {
  timeout: 60_000 + KILLS * 3000,
}, async () => {
  const random = seeded(SEED);
  const posted = new Map<string, number>();
  const rig = await startRig({
    hub: {
      responder: answers,
      reflexWaitMs: 200,
      observe: { messageReceived: ({ body }) => void posted.set(body.guid!, (posted.get(body.guid!) ?? 0) + 1) },
    },
    // With more in flight, an answer that is ready goes before an earlier one that is not.
    config: { sending: { settle_seconds: 2 }, backend: { max_in_flight_per_thread: 1 } },
  });
  const written: string[] = [];
  const expected = new Map<string, string[]>(PEOPLE.map((person) => [person, []]));
  const commands: string[] = [];
  let isOver = false;

  const writing = (async () => {
    for (let n = 0; !isOver; n++) {
      const person = PEOPLE[n % PEOPLE.length]!;
      written.push(rig.mac.people.receive({ from: person, text: `message ${n}` }));
      expected.get(person)!.push(...(n % 2 === 0 ? [`hm ${n}`] : []), `re ${n} a`, `re ${n} b`);
      if (n % 5 === 0) {
        commands.push(await rig.command('send_message_now', { thread_id: person, text: `command ${n}` }));
        expected.get(person)!.push(`command ${n}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 60 + random() * 80));
    }
  })();
  for (let kill = 0; kill < KILLS; kill++) {
    await new Promise((resolve) => setTimeout(resolve, 200 + random() * 700));
    await rig.agent.kill('SIGKILL');
    rig.agent.start();
  }
  isOver = true;
  await writing;
  const total = [...expected.values()].flat().length;
  await waitFor('every bubble', () => rig.mac.messages.effects.length >= total, 40_000);
  await waitFor('every ack', async () => {
    const states = await Promise.all(commands.map((id) => rig.commandState(id)));
    return states.every(({ state }) => state === 'completed');
  });

  expect([...posted.keys()].sort()).toEqual([...written].sort());
  for (const [person, texts] of expected) expect(rig.bubblesTo(person).toSorted()).toEqual(texts.toSorted());
  for (const person of PEOPLE) {
    // An answer's own bubbles keep their order and stay together, whatever else goes to the thread.
    const replies = rig.bubblesTo(person).filter((text) => text.startsWith('re '));
    for (let at = 0; at < replies.length; at += 2) expect(replies[at + 1]).toBe(replies[at]!.replace(/a$/, 'b'));
    const order = replies.filter((text) => text.endsWith('a')).map((text) => Number(text.split(' ')[1]));
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  }
});
