import type { Bubble, Evidence, Post } from './judge.ts';
import type { Accepted, Asked, Inserted, MessageKind, Outcome, Told } from './Ledger.ts';

/** One thing that happens in a thread: a message with so many answers, or a command. */
export type Step =
  | { thread: number; kind: MessageKind; answers: number; copies: number }
  | { thread: number; outcome: Outcome; isOut: boolean };

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Evidence that may be spoilt. */
export interface OpenEvidence extends Evidence {
  inserted: Inserted[];
  asked: Asked[];
  posts: Writable<Post>[];
  accepted: Map<string, Writable<Accepted>>;
  acks: Map<string, string[]>;
  events: Told[];
  bubbles: Writable<Bubble>[];
}

/** An event that was told once. */
export function told(type: string, details: Record<string, unknown>): Told {
  return { type, details, bodies: new Set([JSON.stringify(details)]) };
}

/** What the three ledgers hold when every step went as it must. */
export function cleanEvidence(steps: readonly Step[]): OpenEvidence {
  const found: OpenEvidence = {
    inserted: [],
    asked: [],
    posts: [],
    accepted: new Map(),
    acks: new Map(),
    events: [],
    bubbles: [],
    commandsInOrder: true,
    losesState: false,
  };
  const goesOut = (thread: string, text: string) => {
    const guid = `bubble-${found.bubbles.length}`;
    found.bubbles.push({ target: `iMessage;-;${thread}`, text, guid });
    found.events.push(told('message_sent', { message_guid: guid }));
  };
  steps.forEach((step, n) => {
    const thread = `+1555010000${step.thread}`;
    if ('outcome' in step) {
      const [id, text, { outcome }] = [`command-${n}`, `text of command ${n}`, step];
      found.asked.push({ id, thread, text, outcome });
      if (outcome === 'completed' || (outcome === 'unknown' && step.isOut)) goesOut(thread, text);
      if (outcome === 'failed') found.events.push(told('message_failed', { key: `command:${id}` }));
      found.acks.set(id, ['received', outcome === 'unknown' ? 'failed' : outcome]);
      return;
    }
    const [guid, text, { kind }] = [`guid-${n}`, `text ${n}`, step];
    const isAnswered = kind === 'live' || kind === 'late';
    const answers = Array.from({ length: isAnswered ? step.answers : 0 }, (_, at) => `answer ${at} to ${text}`);
    const body = JSON.stringify({ text });
    found.inserted.push({ guid, thread, text, kind, answers });
    for (let copy = 0; copy < step.copies; copy++) found.posts.push({ key: guid, body });
    if (kind === 'refused') return;
    const isHistory = kind === 'history';
    found.accepted.set(guid, { thread, text, isHistory, bodies: new Set([body]), copies: step.copies });
    for (const answer of answers) goesOut(thread, answer);
  });
  return found;
}

export function swapBubbles({ bubbles }: OpenEvidence, one: number, other: number): void {
  [bubbles[one], bubbles[other]] = [bubbles[other]!, bubbles[one]!];
}
