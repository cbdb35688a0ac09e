import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { partTexts } from '../../src/messaging/queueText.ts';
import { sameWhole } from '../../src/messaging/reflex.ts';
import { messageResponseSchema } from '../../src/protocol/wire.ts';
import { queueAnswer } from '../../src/relay/queueAnswer.ts';
import type { SendRow } from '../../src/state/SendRow.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { tempDir } from '../support/tempDir.ts';
import { acceptReflex, type Outcome, settle, takeIn } from './reflexCommand.ts';

const THREAD = '+15550100002';
const MAX = 50;
const PARTS = [
  'It\'s the first sentence of a "long" answer here.',
  'The caf\u00e9 is in the second of its sentences.',
  'And a third.',
];
const TEXT = PARTS.join(' ');
/** The same text with other characters: parted alone, it may be cut elsewhere. */
const VARIANTS = [
  TEXT,
  TEXT.replaceAll("'", '\u2019').replace(/"(\w+)"/, '\u201c$1\u201d'),
  `  ${TEXT.replaceAll(' ', ' \n ')}\n`,
  TEXT.normalize('NFD'),
];

class Conversation {
  readonly #path = join(tempDir(), 'state.db');
  #now = Date.UTC(2026, 0, 1);
  #store = StateStore.open(this.#path, this.#now);
  readonly seen: string[] = [];
  readonly #outcomeOf: (send: SendRow) => Outcome;

  constructor(outcomeOf: (send: SendRow) => Outcome = () => 'confirmed') {
    this.#outcomeOf = outcomeOf;
    takeIn(this.#store, 'm1', THREAD, this.#now);
  }

  get store(): StateStore {
    return this.#store;
  }

  reflex(text: string) {
    return acceptReflex(this.#store, { commandId: 'r1', threadId: THREAD, text }, ++this.#now, MAX);
  }

  answer(response: Record<string, unknown>): this {
    const row = { ...this.#store.inbound.byGuid('m1')!, threadId: THREAD };
    const parsed = messageResponseSchema.parse({ should_respond: true, ...response });
    this.#store.transaction(() => queueAnswer(this.#store, row, parsed, ++this.#now, { maxBubbleChars: MAX }));
    return this;
  }

  restart(): this {
    this.#store.close();
    this.#store = StateStore.open(this.#path, this.#now);
    return this;
  }

  /** The head moves on by so many states: queued, sending, accepted, outcome. */
  steps(count: number): this {
    for (let left = count; left > 0; left--) {
      const head = this.#store.sends.headOf(THREAD);
      if (!head) return this;
      if (head.state === 'held') throw new Error(`${head.key} is held at the head of its thread by ${head.waitsFor}`);
      if (head.state === 'queued') this.#store.sends.markSending(head.sendId, { rowid: 0, epoch: 1 }, this.#now);
      else if (head.state === 'sending') this.#store.sends.markAccepted(head.sendId, this.#now);
      else this.#end(head);
    }
    return this;
  }

  drain(): string[] {
    while (this.#store.sends.headOf(THREAD)) this.steps(1);
    return this.seen;
  }

  acks() {
    return this.#store.commands.acksWaiting(0, 10).map(({ body }) => body);
  }

  #end(head: SendRow): void {
    const outcome = this.#outcomeOf(head);
    if (outcome !== 'failed') this.seen.push(head.text);
    settle(this.#store, head, outcome, this.#now);
  }
}

const fails =
  (...keys: string[]) =>
  (send: SendRow): Outcome =>
    keys.includes(send.key) ? 'failed' : 'confirmed';
const ANSWER = { reply_bubbles: [TEXT, 'b'] };

describe('a reflex of several bubbles and the answer that follows it', () => {
  it('are seen once, whatever has become of the reflex when the answer comes', () => {
    for (const variant of VARIANTS) {
      for (const named of [{}, { reflex_command_id: 'r1' }]) {
        for (let done = 0; done <= 9; done++) {
          const talk = new Conversation();
          talk.reflex(variant);
          talk
            .steps(done)
            .restart()
            .answer({ ...ANSWER, ...named })
            .restart();
          expect(folded(talk.drain())).toBe(folded([TEXT, 'b']));
          expect(talk.acks()).toMatchObject([{ command_id: 'r1', status: 'completed' }]);
        }
      }
    }
  });

  for (const [n, failing] of ['command:r1', 'command:r1#1', 'command:r1#2'].entries()) {
    it(`are seen once when part ${n + 1} of the reflex fails: the answer says the rest`, () => {
      for (const variant of VARIANTS) {
        for (let done = 0; done <= 9; done++) {
          const talk = new Conversation(fails(failing));
          talk.reflex(variant);
          talk.steps(done).answer(ANSWER);
          expect(folded(talk.drain())).toBe(folded([TEXT, 'b']));
          expect(talk.acks()).toMatchObject([
            { status: 'failed', error: expect.stringContaining(`part ${n + 1} of `) },
          ]);
        }
      }
    });
  }

  it('are one by the id where the texts differ, however many bubbles each is', () => {
    for (const [reflex, first] of [
      ['Haha', TEXT],
      [TEXT, 'Haha'],
    ] as const) {
      for (const done of [0, 1, 2, 3]) {
        const talk = new Conversation();
        talk.reflex(reflex);
        talk.steps(done).answer({ reply_bubbles: [first, 'b'], reflex_command_id: 'r1' });
        expect(folded(talk.drain())).toBe(folded([reflex, 'b']));
        const failed = new Conversation(fails('command:r1'));
        failed.reflex(reflex);
        failed.steps(done).answer({ reply_bubbles: [first, 'b'], reflex_command_id: 'r1' });
        expect(folded(failed.drain())).toBe(folded([first, 'b']));
      }
    }
  });

  it('are both sent when they read otherwise and no id is named', () => {
    const talk = new Conversation();
    talk.reflex(`${TEXT} More.`);
    expect(folded(talk.answer(ANSWER).drain())).toBe(folded([TEXT, 'More.', TEXT, 'b']));
  });
});

it('a part is neither a reflex nor an answer: what reads like one is sent', () => {
  const reflex = new Conversation();
  reflex.reflex(TEXT);
  expect(reflex.answer({ reply_bubbles: [PARTS[2]] }).drain()).toEqual([...PARTS, PARTS[2]]);
  const answer = new Conversation().answer({ reply_bubbles: [TEXT] });
  expect(answer.reflex(PARTS[2]!)).toBe('queued');
  expect(answer.drain()).toEqual([...PARTS, PARTS[2]]);
});

describe('an answer of several bubbles and a reflex that comes late', () => {
  it('are seen once, whatever has become of the answer, and the command tells of all its bubbles', () => {
    for (const variant of VARIANTS) {
      for (const named of [{}, { reflex_command_id: 'r1' }]) {
        for (let done = 0; done <= 12; done++) {
          const talk = new Conversation().answer({ ...ANSWER, ...named });
          expect(talk.steps(done).restart().reflex(variant)).toBe('swallowed');
          expect(folded(talk.drain())).toBe(folded([TEXT, 'b']));
          const [ack] = talk.acks();
          expect(ack).toMatchObject({ status: 'completed', result: { message_guids: { length: PARTS.length } } });
        }
      }
    }
  });

  for (const n of [1, 2]) {
    it(`says what is left when part ${n + 1} of the answer had failed`, () => {
      const talk = new Conversation(fails(`reply:m1:0#${n}`)).answer(ANSWER);
      talk.drain();
      expect(talk.reflex(TEXT)).toBe('queued');
      expect(talk.drain()).toEqual([...PARTS.slice(0, n), 'b', ...PARTS.slice(n)]);
      expect(talk.acks()).toMatchObject([{ status: 'completed' }]);
    });
  }

  it('is sent whole when nobody saw any of the answer', () => {
    const talk = new Conversation(fails('reply:m1:0')).answer(ANSWER);
    talk.drain();
    expect(talk.reflex(TEXT)).toBe('queued');
    expect(talk.drain()).toEqual(['b', ...PARTS]);
  });
});

const outcome = fc.constantFrom<Outcome>('confirmed', 'failed', 'unknown');

it('no part is seen twice, and none is lost but those of which an ack says so', () => {
  const script = fc.record({
    first: fc.constantFrom('reflex', 'answer'),
    variant: fc.constantFrom(...VARIANTS),
    named: fc.boolean(),
    done: fc.nat(14),
    outcomes: fc.array(outcome, { minLength: 8, maxLength: 8 }),
  });
  fc.assert(
    fc.property(script, ({ first, variant, named, done, outcomes }) => {
      let next = 0;
      const talk = new Conversation(() => outcomes[next++ % outcomes.length]!);
      const answer = { ...ANSWER, ...(named ? { reflex_command_id: 'r1' } : {}) };
      if (first === 'reflex') talk.reflex(variant);
      else talk.answer(answer);
      talk.steps(done).restart();
      if (first === 'reflex') talk.answer(answer);
      else talk.reflex(variant);
      const said = folded(talk.drain().filter((text) => text !== 'b'));
      if (said === folded([TEXT])) return;
      expect(said.length).toBeLessThan(folded([TEXT]).length);
      for (const part of talk.seen.filter((text) => text !== 'b')) expect(said.split(folded([part]))).toHaveLength(2);
      expect(talk.acks()).toMatchObject([{ status: 'failed' }]);
    }),
    { numRuns: 150 },
  );
});

describe('texts in parts', () => {
  const pairs: [string[], string[], boolean][] = [
    [['a b', 'c'], ['a b c'], true],
    [['a b', 'c'], ['a bc'], true],
    [['a b', 'c'], ['a', 'b c'], true],
    [['a b', 'c'], ['ab c'], false],
    [['a', 'b'], ['a', 'b', 'c'], false],
    [['a', 'b'], ['a'], false],
    [['\u2019a', 'b'], ["'a  b "], true],
    [[], [''], true],
    [[], ['a'], false],
  ];
  for (const [a, b, same] of pairs) {
    it(`${JSON.stringify(a)} read ${same ? 'like' : 'otherwise than'} ${JSON.stringify(b)}`, () => {
      expect(sameWhole(a, b)).toBe(same);
      expect(sameWhole(b, a)).toBe(same);
    });
  }

  it('are cut as these tests expect', () => {
    expect(partTexts(TEXT, MAX)).toEqual(PARTS);
  });
});

/** What a person reads, without the white space between and within bubbles. */
function folded(texts: readonly string[]): string {
  return texts
    .join('')
    .normalize('NFC')
    .replace(/\s/g, '')
    .replaceAll('\u2019', "'")
    .replace(/[\u201c\u201d]/g, '"');
}
