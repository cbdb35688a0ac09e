import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sameText } from '../../src/messaging/reflex.ts';
import { messageResponseSchema } from '../../src/protocol/wire.ts';
import { queueAnswer } from '../../src/relay/queueAnswer.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { tempDir } from '../support/tempDir.ts';
import { acceptReflex, type Outcome, settle, takeIn } from './reflexCommand.ts';

const THREAD = '+15550100002';

/** How the backend pushes the first bubble of an answer ahead. `other`: it says something else first (rule 5). */
type Push = 'none' | 'same' | 'same, named' | 'variant' | 'variant, named' | 'differing, named' | 'other';
const PUSHES: Push[] = ['none', 'same', 'same, named', 'variant', 'variant, named', 'differing, named', 'other'];

interface Exchange {
  push: Push;
  first: string;
  rest: number;
}

interface Plan {
  guid: string;
  reflex: string | undefined;
  named: boolean;
  bubbles: string[];
}

/** Repeated texts only where reflex and bubble read the same: a backend that names ids names them for all. */
function planOf({ push, first, rest }: Exchange, index: number): Plan {
  const unique = push === 'differing, named' || push === 'other';
  const text = unique ? `first ${index}` : first;
  const reflexes: Record<Push, string | undefined> = {
    none: undefined,
    same: text,
    'same, named': text,
    variant: ` ${text.replaceAll("'", '\u2019')}\n`,
    'variant, named': ` ${text.replaceAll("'", '\u2019')}\n`,
    'differing, named': `reflex ${index}`,
    other: `reflex ${index}`,
  };
  const bubbles = [text, ...Array.from({ length: rest }, (_, n) => `m${index} bubble ${n}`)];
  return { guid: `m${index}`, reflex: reflexes[push], named: push.endsWith('named'), bubbles };
}

/** What the person should have seen, as the sets of texts of which one is to be seen, once each. */
function wanted(plan: Plan, push: Push): string[][] {
  const rest = plan.bubbles.slice(1).map((text) => [text]);
  const first = plan.bubbles[0]!;
  if (push === 'differing, named') return [[first, plan.reflex!], ...rest];
  if (push === 'other') return [[first], [plan.reflex!], ...rest];
  return [[first], ...rest];
}

class World {
  readonly #path = join(tempDir(), 'state.db');
  #now = Date.UTC(2026, 0, 1);
  #store = StateStore.open(this.#path, this.#now);
  readonly seen: string[] = [];
  failedAnswers = 0;
  readonly #done = new Set<string>();
  readonly #plans: Plan[];
  readonly #canFail: (key: string) => boolean;

  constructor(plans: Plan[], canFail: (key: string) => boolean) {
    this.#plans = plans;
    this.#canFail = canFail;
  }

  /** What may happen next. The steps of one message keep their causes before their effects, nothing else is ordered. */
  enabled(): { name: string; run: () => void }[] {
    const steps: { name: string; run: () => void }[] = [];
    for (const plan of this.#plans) {
      const arrived = `${plan.guid} arrives`;
      if (!this.#done.has(arrived)) {
        steps.push({ name: arrived, run: () => takeIn(this.#store, plan.guid, THREAD, this.#now) });
        break;
      }
      if (plan.reflex !== undefined) steps.push({ name: `${plan.guid} reflex`, run: () => this.#reflex(plan) });
      const answered = `${plan.guid} answer`;
      if (!this.#done.has(answered)) steps.push({ name: answered, run: () => this.#answer(plan) });
    }
    const head = this.#store.sends.headOf(THREAD);
    if (head) steps.push({ name: 'send', run: () => {} });
    steps.push({ name: 'restart', run: () => this.#restart() });
    return steps;
  }

  take(choice: number, outcome: Outcome): void {
    this.#now += choice % 5_000;
    const steps = this.enabled();
    const step = steps[choice % steps.length]!;
    this.#done.add(step.name);
    if (step.name === 'send') this.#send(choice, outcome);
    else step.run();
  }

  /** Everything that has not happened yet happens, then all is sent. */
  finish(): void {
    const open = () => this.enabled().filter(({ name }) => name !== 'restart' && !this.#done.has(name));
    this.#done.delete('send');
    for (let steps = open(); steps.length > 0; steps = open()) {
      for (const { name, run } of steps) {
        if (name === 'send') continue;
        this.#done.add(name);
        run();
      }
      while (this.#store.sends.headOf(THREAD)) this.#send(1, 'confirmed');
    }
    this.#store.close();
  }

  #reflex(plan: Plan): void {
    acceptReflex(this.#store, { commandId: `r-${plan.guid}`, threadId: THREAD, text: plan.reflex! }, this.#now);
  }

  #answer(plan: Plan): void {
    const response = messageResponseSchema.parse({
      should_respond: true,
      reply_bubbles: plan.bubbles,
      ...(plan.named ? { reflex_command_id: `r-${plan.guid}` } : {}),
    });
    this.#store.transaction(() => {
      queueAnswer(this.#store, { ...this.#store.inbound.byGuid(plan.guid)!, threadId: THREAD }, response, this.#now);
      this.#store.inbound.markDone(plan.guid, this.#now);
    });
  }

  #restart(): void {
    this.#store.close();
    this.#store = StateStore.open(this.#path, this.#now);
  }

  /** The head moves one state on: queued, sending, accepted, outcome. An unknown one has been seen or not: here it has. */
  #send(choice: number, outcome: Outcome): void {
    const head = this.#store.sends.headOf(THREAD)!;
    if (head.state === 'held') throw new Error(`${head.key} is held at the head of its thread by ${head.waitsFor}`);
    if (head.state === 'queued') this.#store.sends.markSending(head.sendId, { rowid: 0, epoch: 1 }, this.#now);
    else if (head.state === 'sending' && choice % 2 === 0) this.#store.sends.markAccepted(head.sendId, this.#now);
    else {
      const fails = outcome === 'failed' && this.#canFail(head.key);
      if (!fails) this.seen.push(head.text);
      else if (head.key.startsWith('reply:')) this.failedAnswers++;
      settle(this.#store, head, fails || outcome !== 'failed' ? outcome : 'confirmed', this.#now);
    }
  }
}

const exchanges = fc.array(
  fc.record({
    push: fc.constantFrom(...PUSHES),
    first: fc.constantFrom('lol', "it's ok"),
    rest: fc.integer({ min: 0, max: 2 }),
  }),
  { minLength: 1, maxLength: 4 },
);
const outcome = fc.constantFrom<Outcome[]>('confirmed', 'failed', 'unknown');
const script = fc.array(fc.tuple(fc.nat(1_000), outcome), { minLength: 10, maxLength: 40 });

/** A reflex that no answer repeats is lost when it fails, and reported. */
function run(talk: Exchange[], script: [number, Outcome][], failing: 'reflexes' | 'all') {
  const plans = talk.map(planOf);
  const alone = new Set(
    plans.filter((_, index) => talk[index]!.push === 'other').map(({ guid }) => `command:r-${guid}`),
  );
  const world = new World(plans, (key) => failing === 'all' || (key.startsWith('command:') && !alone.has(key)));
  for (const [choice, outcome] of script) world.take(choice, outcome);
  world.finish();
  return { world, sets: plans.flatMap((plan, index) => wanted(plan, talk[index]!.push)) };
}

/** How often each wanted set of texts is to be seen and was. */
function compare(sets: string[][], seen: string[]) {
  const keys = [...new Set(sets.map((set) => set.join('|')))];
  return keys.map((key) => {
    const texts = key.split('|');
    return {
      key,
      wanted: sets.filter((set) => set.join('|') === key).length,
      seen: seen.filter((text) => texts.some((one) => sameText(one, text))).length,
    };
  });
}

describe('sockets, answers, outcomes and restarts in any order', () => {
  it('lose no bubble and double none, even when reflexes fail', () => {
    fc.assert(
      fc.property(exchanges, script, (talk, script) => {
        const { world, sets } = run(talk, script, 'reflexes');
        for (const { key, wanted, seen } of compare(sets, world.seen))
          expect({ key, seen }).toEqual({ key, seen: wanted });
        expect(world.seen).toHaveLength(sets.length);
      }),
      { numRuns: 150 },
    );
  });

  it('double no bubble when sends fail, and lose none but those reported as failed', () => {
    fc.assert(
      fc.property(exchanges, script, (talk, script) => {
        const { world, sets } = run(talk, script, 'all');
        const counts = compare(sets, world.seen);
        for (const { key, wanted, seen } of counts)
          expect({ key, over: seen - wanted > 0 }).toEqual({ key, over: false });
        // A reflex that no answer repeats is reported by itself when it fails.
        const lost = counts.reduce((sum, { wanted, seen }) => sum + wanted - seen, 0);
        const others = talk.filter(({ push }) => push === 'other').length;
        expect(lost).toBeLessThanOrEqual(world.failedAnswers + others);
      }),
      { numRuns: 150 },
    );
  });
});
