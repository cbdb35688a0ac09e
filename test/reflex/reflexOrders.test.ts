import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REFLEX_WINDOW_MS, sameText } from '../../src/messaging/reflex.ts';
import { type MessageResponse, messageResponseSchema } from '../../src/protocol/wire.ts';
import { queueAnswer } from '../../src/relay/queueAnswer.ts';
import type { SendState } from '../../src/state/SendRow.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { tempDir } from '../support/tempDir.ts';
import { acceptReflex, type Outcome, settle, takeIn } from './reflexCommand.ts';

const THREAD = '+15550100002';
const START = Date.UTC(2026, 0, 1);

/** One conversation over a real state.db. Every step is a word of a script, so that a row of the table is a line. */
class Conversation {
  #now = START;
  readonly #path = join(tempDir(), 'state.db');
  #store = StateStore.open(this.#path, this.#now);
  readonly seen: string[] = [];

  get store(): StateStore {
    return this.#store;
  }

  message(guid: string): this {
    takeIn(this.#store, guid, THREAD, this.#now);
    return this;
  }

  reflex(commandId: string, text: string): ReturnType<typeof acceptReflex> {
    return acceptReflex(this.#store, { commandId, threadId: THREAD, text }, this.#now);
  }

  answer(guid: string, response: Partial<MessageResponse> & Record<string, unknown>): this {
    const row = this.#store.inbound.byGuid(guid)!;
    this.#store.transaction(() => {
      const parsed = messageResponseSchema.parse({ should_respond: true, ...response });
      queueAnswer(this.#store, { ...row, threadId: THREAD }, parsed, this.#now);
      this.#store.inbound.markDone(guid, this.#now);
    });
    return this;
  }

  later(ms: number): this {
    this.#now += ms;
    return this;
  }

  restart(): this {
    this.#store.close();
    this.#store = StateStore.open(this.#path, this.#now);
    return this;
  }

  /** Moves the send at the head as far as `state`. */
  headTo(state: 'sending' | 'accepted' | Outcome): this {
    const head = this.#store.sends.headOf(THREAD)!;
    expect(head.state).not.toBe('held');
    if (head.state === 'queued') this.#store.sends.markSending(head.sendId, { rowid: 0, epoch: 1 }, this.#now);
    if (state === 'sending') return this;
    this.#store.sends.markAccepted(head.sendId, this.#now);
    if (state === 'accepted') return this;
    if (state !== 'failed') this.seen.push(head.text);
    settle(this.#store, head, state, this.#now);
    return this;
  }

  /** Sends everything that is open. A held bubble at the head would stand still for ever. */
  drain(): string[] {
    while (this.#store.sends.headOf(THREAD)) this.headTo('confirmed');
    return this.seen;
  }
}

const bubbles = (...reply_bubbles: string[]) => ({ reply_bubbles });

describe('the reflex and the answer that follows it', () => {
  const states: { reflex: SendState; seen: string[] }[] = [
    { reflex: 'queued', seen: ['lol', 'b'] },
    { reflex: 'sending', seen: ['lol', 'b'] },
    { reflex: 'accepted', seen: ['lol', 'b'] },
    { reflex: 'confirmed', seen: ['lol', 'b'] },
    { reflex: 'unknown', seen: ['lol', 'b'] },
    { reflex: 'failed', seen: ['lol', 'b'] },
  ];
  for (const { reflex, seen } of states) {
    for (const named of [true, false]) {
      for (const restart of [true, false]) {
        const title = `${named ? 'named by id' : 'told by its text'}${restart ? ', over a restart' : ''}`;
        it(`shows each bubble once when the reflex is ${reflex} as the answer comes, ${title}`, () => {
          const talk = new Conversation().message('m1');
          expect(talk.reflex('r1', 'lol')).toBe('queued');
          if (reflex !== 'queued') talk.headTo(reflex as Outcome);
          if (restart) talk.restart();
          talk.answer('m1', { ...bubbles('lol', 'b'), ...(named ? { reflex_command_id: 'r1' } : {}) });
          if (restart) talk.restart();
          expect(talk.drain()).toEqual(seen);
        });
      }
    }
  }

  for (const outcome of ['confirmed', 'unknown', 'failed'] as const) {
    for (const before of ['queued', 'sending', 'accepted'] as const) {
      it(`waits for a ${before} reflex, which ends ${outcome}`, () => {
        const talk = new Conversation().message('m1');
        talk.reflex('r1', 'lol');
        if (before !== 'queued') talk.headTo(before);
        talk.answer('m1', bubbles('lol', 'b'));
        expect(talk.store.sends.byKey('reply:m1:0')?.state).toBe('held');
        talk.restart().headTo(outcome);
        expect(talk.store.sends.byKey('reply:m1:0')?.state).toBe(outcome === 'failed' ? 'queued' : 'superseded');
        expect(talk.drain()).toEqual(['lol', 'b']);
      });
    }
  }

  it('drops the first bubble of every form of answer that repeats the reflex', () => {
    const forms = [
      bubbles('lol'),
      { reply_text: 'lol' },
      { reflex_message: 'lol' },
      { reflex_message: 'lol', burst_messages: [] },
    ];
    for (const form of forms) {
      const talk = new Conversation().message('m1');
      talk.reflex('r1', 'lol');
      expect(talk.headTo('confirmed').answer('m1', form).drain()).toEqual(['lol']);
    }
  });

  it('goes by the id where the texts differ', () => {
    const talk = new Conversation().message('m1');
    talk.reflex('r1', 'Haha');
    talk.headTo('confirmed').answer('m1', { ...bubbles('lol', 'b'), reflex_command_id: 'r1' });
    expect(talk.drain()).toEqual(['Haha', 'b']);
  });

  it('drops nothing when the texts differ and no id is named', () => {
    const talk = new Conversation().message('m1');
    talk.reflex('r1', 'Haha');
    expect(talk.headTo('confirmed').answer('m1', bubbles('lol', 'b')).drain()).toEqual(['Haha', 'lol', 'b']);
  });

  it('drops no bubble for a reflex that went to another thread', () => {
    const talk = new Conversation().message('m1');
    acceptReflex(talk.store, { commandId: 'r1', threadId: '+15550100009', text: 'lol' }, START);
    expect(talk.answer('m1', { ...bubbles('lol'), reflex_command_id: 'r1' }).drain()).toEqual(['lol']);
  });

  it('sends the first bubble when the named command failed without a send of its own', () => {
    const talk = new Conversation().message('m1');
    talk.store.commands.insert({
      commandId: 'r1',
      commandType: 'send_message_now',
      payload: {},
      channel: 'websocket',
      issuedAt: undefined,
      now: START,
    });
    talk.store.commands.finish('r1', 'failed', START);
    expect(talk.answer('m1', { ...bubbles('lol'), reflex_command_id: 'r1' }).drain()).toEqual(['lol']);
  });
});

describe('a reflex that comes after the answer', () => {
  for (const named of [true, false]) {
    for (const state of ['queued', 'sending', 'accepted', 'confirmed', 'unknown'] as const) {
      it(`is not sent when the bubble is ${state}, ${named ? 'named by id' : 'told by its text'}`, () => {
        const talk = new Conversation().message('m1');
        talk.answer('m1', { ...bubbles('lol', 'b'), ...(named ? { reflex_command_id: 'r1' } : {}) });
        if (state !== 'queued') talk.headTo(state);
        talk.restart();
        expect(talk.reflex('r1', 'lol')).toBe('swallowed');
        expect(talk.drain()).toEqual(['lol', 'b']);
        expect(talk.store.commands.byId('r1')?.sendId).toBe(talk.store.sends.byKey('reply:m1:0')?.sendId);
      });
    }
  }

  it('is sent when the bubble had failed', () => {
    const talk = new Conversation().message('m1').answer('m1', bubbles('lol')).headTo('failed');
    expect(talk.reflex('r1', 'lol')).toBe('queued');
    expect(talk.drain()).toEqual(['lol']);
  });

  it('goes by the id where the texts differ', () => {
    const talk = new Conversation().message('m1').answer('m1', { ...bubbles('lol'), reflex_command_id: 'r1' });
    expect(talk.reflex('r1', 'Haha')).toBe('swallowed');
    expect(talk.drain()).toEqual(['lol']);
  });

  it('is sent when it differs and no id is named', () => {
    const talk = new Conversation().message('m1').answer('m1', bubbles('lol'));
    expect(talk.reflex('r1', 'Haha')).toBe('queued');
    expect(talk.drain()).toEqual(['lol', 'Haha']);
  });

  it('is never executed a second time', () => {
    const talk = new Conversation().message('m1');
    talk.reflex('r1', 'lol');
    talk.headTo('confirmed').answer('m1', bubbles('lol')).restart();
    expect(talk.reflex('r1', 'lol')).toBe('repeated');
    expect(talk.drain()).toEqual(['lol']);
  });
});

describe('an answer that is a burst alone', () => {
  const burst = { burst_messages: ['lol', 'b'], burst_delay_ms: 0 };
  const orders: { title: string; named: boolean; text: string; seen: string[] }[] = [
    { title: 'repeats the reflex that it names and reads like', named: true, text: 'lol', seen: ['lol', 'b'] },
    { title: 'follows a reflex that it names and that differs', named: true, text: 'Ha', seen: ['Ha', 'lol', 'b'] },
    { title: 'follows a reflex that it does not name', named: false, text: 'lol', seen: ['lol', 'lol', 'b'] },
  ];
  for (const { title, named, text, seen } of orders) {
    const response = { ...burst, ...(named ? { reflex_command_id: 'r1' } : {}) };
    it(`${title}, the reflex first`, () => {
      const talk = new Conversation().message('m1');
      talk.reflex('r1', text);
      expect(talk.headTo('confirmed').answer('m1', response).drain()).toEqual(seen);
    });
    it(`${title}, the answer first`, () => {
      const talk = new Conversation().message('m1').answer('m1', response);
      talk.reflex('r1', text);
      expect(talk.drain().toSorted()).toEqual(seen.toSorted());
    });
  }
});

describe('the same text on purpose', () => {
  it('is seen twice after two reflexes and two answers, whatever is named', () => {
    for (const [first, second] of [
      ['r1', 'r2'],
      [undefined, undefined],
      ['r1', undefined],
      [undefined, 'r2'],
    ]) {
      const talk = new Conversation().message('m1').message('m2');
      talk.reflex('r1', 'lol');
      talk.reflex('r2', 'lol');
      talk.headTo('confirmed');
      talk.answer('m2', { ...bubbles('lol', 'two'), ...(second ? { reflex_command_id: second } : {}) });
      talk.answer('m1', { ...bubbles('lol', 'one'), ...(first ? { reflex_command_id: first } : {}) });
      expect(talk.drain().filter((text) => text === 'lol')).toHaveLength(2);
      expect(talk.seen).toHaveLength(4);
    }
  });

  it('is seen twice when one answer had a reflex and the next has none', () => {
    const talk = new Conversation().message('m1');
    talk.reflex('r1', 'lol');
    talk.headTo('confirmed').answer('m1', bubbles('lol')).message('m2').answer('m2', bubbles('lol'));
    expect(talk.drain()).toEqual(['lol', 'lol']);
  });

  it('is seen twice when a late reflex is taken for the bubble of an earlier answer', () => {
    for (const id of ['r2', undefined]) {
      const talk = new Conversation().message('m1').answer('m1', bubbles('lol')).message('m2');
      expect(talk.reflex('r2', 'lol')).toBe('swallowed');
      talk.answer('m2', { ...bubbles('lol'), ...(id ? { reflex_command_id: id } : {}) });
      expect(talk.drain()).toEqual(['lol', 'lol']);
    }
  });

  it('is seen twice when an answer without an id took the reflex that the next one names', () => {
    const talk = new Conversation().message('m1').message('m2');
    talk.reflex('r2', 'lol');
    talk.headTo('confirmed').answer('m1', bubbles('lol'));
    talk.answer('m2', { ...bubbles('lol'), reflex_command_id: 'r2' });
    expect(talk.reflex('r1', 'lol')).toBe('swallowed');
    expect(talk.drain()).toEqual(['lol', 'lol']);
  });
});

describe('a reflex that failed', () => {
  it('does not stand before one that was seen', () => {
    const talk = new Conversation().message('m1').message('m2');
    talk.reflex('r1', 'lol');
    talk.headTo('failed');
    talk.reflex('r2', 'lol');
    talk.headTo('confirmed').answer('m1', { should_respond: false }).answer('m2', bubbles('lol'));
    expect(talk.drain()).toEqual(['lol']);
  });
});

describe('the ten minutes', () => {
  it('do not count while the POST is in flight', () => {
    const talk = new Conversation().message('m1');
    talk.reflex('r1', 'lol');
    talk
      .headTo('confirmed')
      .later(REFLEX_WINDOW_MS * 100)
      .answer('m1', bubbles('lol'));
    expect(talk.drain()).toEqual(['lol']);
  });

  for (const [over, seen] of [
    [0, ['lol']],
    [1, ['lol', 'lol']],
  ] as const) {
    it(`end for a reflex without a POST in flight ${over ? 'after' : 'not before'} the last millisecond`, () => {
      const talk = new Conversation();
      talk.reflex('r1', 'lol');
      talk
        .headTo('confirmed')
        .later(REFLEX_WINDOW_MS + over)
        .message('m1')
        .answer('m1', bubbles('lol'));
      expect(talk.drain()).toEqual(seen);
    });
    it(`end for a reflex that comes late ${over ? 'after' : 'not before'} the last millisecond`, () => {
      const talk = new Conversation()
        .message('m1')
        .answer('m1', bubbles('lol'))
        .later(REFLEX_WINDOW_MS + over);
      expect(talk.reflex('r1', 'lol')).toBe(over ? 'queued' : 'swallowed');
      expect(talk.drain()).toEqual(seen);
    });
  }
});

describe('a text', () => {
  const pairs: [string, string, boolean][] = [
    ['lol', 'lol', true],
    ['  lol\n', 'lol', true],
    ['a  b\tc', 'a b\u00a0c', true],
    ['caf\u00e9', 'cafe\u0301', true],
    ['it\u2019s \u201cfine\u201d', 'it\'s "fine"', true],
    ['\u00abfine\u00bb', '\u201efine\u201c', true],
    ['lol', 'LOL', false],
    ['lol', 'lol!', false],
    ['ab', 'a b', false],
  ];
  for (const [a, b, same] of pairs) {
    it(`${JSON.stringify(a)} is ${same ? 'the same as' : 'another than'} ${JSON.stringify(b)}`, () => {
      expect(sameText(a, b)).toBe(same);
    });
  }
});
