import { describe, expect, it } from 'vitest';
import { cleanEvidence, type OpenEvidence, type Step, swapBubbles, told } from './cleanEvidence.ts';
import { judge, type Verdict } from './judge.ts';

const LIVE: Step = { thread: 2, kind: 'live', answers: 1, copies: 2 };
const COMMAND: Step = { thread: 2, outcome: 'completed', isOut: true };
const FAILING: Step = { thread: 3, outcome: 'failed', isOut: false };
const UNKNOWN: Step = { thread: 3, outcome: 'unknown', isOut: true };
const STEPS: Step[] = [
  LIVE,
  LIVE,
  COMMAND,
  COMMAND,
  FAILING,
  UNKNOWN,
  { thread: 2, kind: 'history', answers: 0, copies: 1 },
  { thread: 2, kind: 'refused', answers: 0, copies: 1 },
];

const EDIT = told('message_edited', { message_guid: 'guid-0', text: 'other' });

const NOTHING: Verdict = { lost: [], doubled: [], outOfOrder: [], madeUp: [], untrue: [] };

/** A bubble that went out, and what was told of it. */
function bubble(evidence: OpenEvidence, text: string, target = 'iMessage;-;+15550100002'): void {
  evidence.bubbles.push({ target, text, guid: `more-${text}` });
  evidence.events.push(told('message_sent', { message_guid: `more-${text}` }));
}

/** Moves the first that arrived behind the others. */
function lastComesFirst({ accepted }: OpenEvidence): void {
  const [first] = [...accepted];
  accepted.delete(first![0]);
  accepted.set(...first!);
}

describe('the judge', () => {
  it('finds nothing in ledgers that agree', () => {
    expect(judge(cleanEvidence(STEPS))).toEqual(NOTHING);
  });

  it.each<[what: string, where: keyof Verdict, spoil: (evidence: OpenEvidence) => unknown, said: RegExp]>([
    ['a message that never arrived', 'lost', (e) => e.accepted.delete('guid-0'), /^message guid-0/],
    ['a bubble that never went out', 'lost', (e) => e.bubbles.shift(), /^bubble "answer 0 to text 0"/],
    ['a command without an end', 'lost', (e) => e.acks.set('command-2', ['received']), /^the end of command/],
    ['a bubble that was not reported', 'lost', (e) => e.events.shift(), /^the report of bubble/],
    ['a bubble that went out twice', 'doubled', (e) => bubble(e, 'answer 0 to text 0'), /^bubble/],
    ['a bubble that was reported twice', 'doubled', (e) => e.events.push(e.events[0]!), /^the report of/],
    ['an edit told under two ids', 'doubled', (e) => e.events.push(EDIT, EDIT), /^under 2 ids: message_edited/],
    [
      'an event that came again with another body',
      'madeUp',
      (e) => e.events[0]!.bodies.add('other'),
      /^message_sent with 2/,
    ],
    ['a command with two ends', 'doubled', (e) => e.acks.get('command-2')!.push('failed'), /completed, failed$/],
    ['messages that changed places', 'outOfOrder', lastComesFirst, /^messages of \+15550100002: at 0/],
    ['answers that changed places', 'outOfOrder', (e) => swapBubbles(e, 0, 1), /^bubbles to \+15550100002: at 0/],
    ['commands that changed places', 'outOfOrder', (e) => swapBubbles(e, 2, 3), /^bubbles to \+15550100002: at 0/],
    ['a bubble that nobody asked for', 'madeUp', (e) => bubble(e, 'unasked'), /^bubble "unasked"/],
    ['a bubble to a stranger', 'madeUp', (e) => bubble(e, 'to whom?', 'iMessage;-;+15550100009'), /00009$/],
    ['a message with another text', 'madeUp', (e) => (e.accepted.get('guid-0')!.text = 'other'), /as "other"$/],
    ['a message of another thread', 'madeUp', (e) => (e.accepted.get('guid-0')!.thread = 'other'), /^message guid-0/],
    ['two bodies at the hub', 'madeUp', (e) => e.accepted.get('guid-0')!.bodies.add('other'), /with 2 bodies$/],
    ['two bodies at the door', 'madeUp', (e) => (e.posts[0]!.body = 'other'), /^posts under guid-0 with 2/],
    ['a post under a strange key', 'madeUp', (e) => e.posts.push({ key: 'x', body: '' }), /^a post under x/],
    ['a post without a key', 'madeUp', (e) => e.posts.push({ key: undefined, body: '' }), /^a post under no key/],
    ['history handed over as news', 'untrue', (e) => (e.accepted.get('guid-6')!.isHistory = false), /is not history/],
    ['news handed over as history', 'untrue', (e) => (e.accepted.get('guid-0')!.isHistory = true), /is not live/],
    [
      'a failure that was told as success',
      'untrue',
      (e) => e.acks.set('command-4', ['completed']),
      /instead of failed/,
    ],
    [
      'a success that was told as failure',
      'untrue',
      (e) => e.acks.set('command-2', ['failed']),
      /instead of completed/,
    ],
    ['a failed command that went out all the same', 'madeUp', (e) => bubble(e, 'text of command 4'), /^bubble/],
    [
      'a report of what never went out',
      'untrue',
      (e) => e.events.push(told('message_sent', { message_guid: 'x' })),
      /^reported as sent, and was not: x/,
    ],
    [
      'more failures than there were',
      'untrue',
      (e) => e.events.push(...[1, 2].map((n) => told('message_failed', { n }))),
      /^3 failures reported, and 2 expected/,
    ],
    [
      'a refused message that was accepted',
      'untrue',
      (e) => e.accepted.set('guid-7', { ...e.accepted.get('guid-0')!, text: 'text 7' }),
      /^message guid-7/,
    ],
  ])('finds %s', (_, where, spoil, said) => {
    const evidence = cleanEvidence(STEPS);
    spoil(evidence);
    expect(judge(evidence)[where]).toContainEqual(expect.stringMatching(said));
  });

  it('counts the bubbles that say the same: each that is due goes out, and none besides', () => {
    for (const out of [1, 2, 3]) {
      const evidence = cleanEvidence([COMMAND, COMMAND]);
      const same = evidence.bubbles[0]!.text;
      evidence.asked = evidence.asked.map((one) => ({ ...one, text: same }));
      evidence.bubbles = Array.from({ length: out }, (_, n) => ({ ...evidence.bubbles[0]!, guid: `bubble-${n}` }));
      const { lost, doubled } = judge(evidence);
      const unseen = lost.filter((what) => what.startsWith('bubble'));
      expect([unseen.length, doubled.length]).toEqual([out < 2 ? 1 : 0, out > 2 ? 1 : 0]);
    }
  });

  it('tells messages that say the same from each other', () => {
    const evidence = cleanEvidence([LIVE, LIVE]);
    evidence.inserted = evidence.inserted.map((one) => ({ ...one, text: 'the same' }));
    for (const got of evidence.accepted.values()) got.text = 'the same';
    expect(judge(evidence).outOfOrder).toEqual([]);
    lastComesFirst(evidence);
    expect(judge(evidence).outOfOrder).toHaveLength(1);
  });

  it('takes a message as it was edited to, and an answer that may come or not', () => {
    const evidence = cleanEvidence([LIVE]);
    const [one] = evidence.inserted;
    evidence.inserted = [{ ...one!, editedTo: ['edited'], answers: [], mayAnswer: one!.answers }];
    expect(judge(evidence)).toEqual(NOTHING);
    evidence.accepted.get('guid-0')!.text = 'edited';
    evidence.bubbles.length = 0;
    evidence.events.length = 0;
    expect(judge(evidence)).toEqual(NOTHING);
    evidence.accepted.get('guid-0')!.text = 'other';
    expect(judge(evidence).madeUp).toHaveLength(1);
  });

  it('knows of a bubble whose outcome nobody can know that it goes out once at most', () => {
    const evidence = cleanEvidence([{ ...UNKNOWN, isOut: false }]);
    expect(judge(evidence)).toEqual(NOTHING);
    for (const times of [1, 2]) {
      evidence.bubbles.push({ target: '+15550100003', text: 'text of command 0', guid: `bubble-${times}` });
      expect(judge(evidence).doubled).toHaveLength(times - 1);
    }
  });

  it('lets an event be told with other numbers after state.db was lost, and with no other words', () => {
    const evidence = cleanEvidence([COMMAND]);
    const { bodies } = evidence.events[0]!;
    bodies.clear();
    for (const send_id of [1, 2]) bodies.add(JSON.stringify({ eventId: 'sent', details: { send_id, status: 'sent' } }));
    expect(judge(evidence).madeUp).toHaveLength(1);
    expect(judge({ ...evidence, losesState: true })).toEqual(NOTHING);
    bodies.add(JSON.stringify({ eventId: 'sent', details: { send_id: 3, status: 'confirmed' } }));
    expect(judge({ ...evidence, losesState: true }).madeUp).toHaveLength(1);
  });

  it('lets commands pass each other only where their order is not promised', () => {
    const evidence = cleanEvidence([COMMAND, COMMAND]);
    swapBubbles(evidence, 0, 1);
    expect(judge(evidence).outOfOrder).toHaveLength(1);
    expect(judge({ ...evidence, commandsInOrder: false })).toEqual(NOTHING);
  });

  it('lets a message that was set aside come after later ones, and no other', () => {
    const late = cleanEvidence([{ ...LIVE, kind: 'late' }, LIVE]);
    const live = cleanEvidence([LIVE, LIVE]);
    for (const evidence of [late, live]) {
      lastComesFirst(evidence);
      swapBubbles(evidence, 0, 1);
    }
    expect(judge(late)).toEqual(NOTHING);
    expect(judge(live).outOfOrder).toHaveLength(2);
  });
});
