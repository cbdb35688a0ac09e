import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cleanEvidence, type OpenEvidence, swapBubbles, told } from './cleanEvidence.ts';
import { type Evidence, judge, type Verdict } from './judge.ts';
import { settings } from './settings.ts';

const NOTHING: Verdict = { lost: [], doubled: [], outOfOrder: [], madeUp: [], untrue: [] };
const EDIT = told('message_edited', { message_guid: 'guid-0', text: 'other' });

it('the judge finds any one thing that is dropped, doubled, altered or in another place', () => {
  const thread = fc.integer({ min: 2, max: 4 });
  const message = fc.record({
    thread,
    kind: fc.constantFrom('live' as const, 'history' as const),
    answers: fc.integer({ min: 1, max: 3 }),
    copies: fc.integer({ min: 1, max: 3 }),
  });
  const command = fc.record({
    thread,
    outcome: fc.constantFrom('completed' as const, 'failed' as const),
    isOut: fc.constant(true),
  });
  const steps = fc.array(fc.oneof(message, command), { minLength: 1, maxLength: 12 });
  const property = fc.property(steps, fc.constantFrom(...SPOILINGS), fc.nat(), (steps, [, spoil], at) => {
    const evidence = cleanEvidence(steps);
    expect(judge(evidence)).toEqual(NOTHING);
    fc.pre(spoil(evidence, at));
    expect(judge(evidence)).not.toEqual(NOTHING);
  });
  fc.assert(property, { seed: settings.seed, numRuns: settings.isLong ? 20_000 : 1000 });
});

/** Spoils one thing, the nth of its kind; false: there is none. */
type Spoil = (evidence: OpenEvidence, n: number) => boolean;

/** Of `list`, the nth that can be spoilt. */
function nth<T>(list: readonly T[], n: number, spoil: (one: T) => unknown): boolean {
  if (list.length === 0) return false;
  spoil(list[n % list.length]!);
  return true;
}

/** The places of two that follow each other in a thread. */
function neighbours<T>(list: readonly T[], threadOf: (one: T) => string | undefined): [number, number][] {
  return list.flatMap((one, at) => {
    const thread = threadOf(one);
    const next = thread === undefined ? -1 : list.findIndex((other, n) => n > at && threadOf(other) === thread);
    return next < 0 ? [] : [[at, next] as [number, number]];
  });
}

const sent = ({ events }: Evidence) => events.filter(({ type }) => type === 'message_sent');
const removed = <T>(list: T[], one: T) => list.splice(list.indexOf(one), 1);

const SPOILINGS: [string, Spoil][] = [
  ['drop a message', (e, n) => nth([...e.accepted.keys()], n, (guid) => e.accepted.delete(guid))],
  ['alter a message', (e, n) => nth([...e.accepted.values()], n, (one) => (one.text += '.'))],
  ['move a message', (e, n) => nth([...e.accepted.values()], n, (one) => (one.thread += '.'))],
  ['turn history round', (e, n) => nth([...e.accepted.values()], n, (one) => (one.isHistory = !one.isHistory))],
  [
    'swap messages',
    (e, n) => {
      const list = [...e.accepted];
      const pairs = neighbours(list, ([, { thread, isHistory }]) => (isHistory ? undefined : thread));
      return nth(pairs, n, ([one, other]) => {
        [list[one], list[other]] = [list[other]!, list[one]!];
        e.accepted.clear();
        for (const entry of list) e.accepted.set(...entry);
      });
    },
  ],
  [
    'alter a repeated post',
    (e, n) => {
      const repeated = e.posts.filter(({ key }) => e.posts.filter((other) => other.key === key).length > 1);
      return nth(repeated, n, (post) => (post.body += '.'));
    },
  ],
  ['drop a bubble', (e, n) => nth(e.bubbles, n, (one) => removed(e.bubbles, one))],
  ['double a bubble', (e, n) => nth(e.bubbles, n, (one) => e.bubbles.push(one))],
  ['alter a bubble', (e, n) => nth(e.bubbles, n, (one) => (one.text += '.'))],
  ['move a bubble', (e, n) => nth(e.bubbles, n, (one) => (one.target += '.'))],
  ['give a bubble another guid', (e, n) => nth(e.bubbles, n, (one) => (one.guid += '.'))],
  [
    'swap bubbles of a kind',
    (e, n) => {
      const kindOf = ({ target, text }: { target: string; text: string }) => `${target} ${text.startsWith('answer')}`;
      return nth(neighbours(e.bubbles, kindOf), n, ([one, other]) => swapBubbles(e, one, other));
    },
  ],
  ['drop an end', (e, n) => nth([...e.acks.values()], n, (statuses) => statuses.pop())],
  [
    'alter an end',
    (e, n) => nth([...e.acks.values()], n, (list) => list.push(list.pop() === 'failed' ? 'completed' : 'failed')),
  ],
  [
    'add an end',
    (e, n) => nth([...e.acks.values()], n, (list) => list.push(list.at(-1) === 'failed' ? 'completed' : 'failed')),
  ],
  ['drop a report', (e, n) => nth(sent(e), n, (one) => removed(e.events, one))],
  ['double a report', (e, n) => nth(sent(e), n, (one) => e.events.push(one))],
  ['double an event of another kind', (e) => e.events.push(EDIT, EDIT) > 0],
  ['alter a repeated event', (e, n) => nth(e.events, n, ({ bodies }) => bodies.add('other'))],
  ['make a failure up', (e) => e.events.push(told('message_failed', {})) > 0],
];
