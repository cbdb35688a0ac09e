import { type Accepted, type Asked, bubblesOf, type Inserted, type Told } from './Ledger.ts';

/** A bubble that a person's phone shows. */
export interface Bubble {
  readonly target: string;
  readonly text: string;
  readonly guid: string;
}

/** An attempt at a message, as it came to the backend's door. */
export interface Post {
  readonly key: string | undefined;
  readonly body: string;
}

/** The three ledgers: what was written to the Mac and asked for, what the backend got, what osascript did. */
export interface Evidence {
  readonly inserted: readonly Inserted[];
  readonly asked: readonly Asked[];
  /** Every attempt, those included that the backend never heard of. */
  readonly posts: readonly Post[];
  readonly accepted: ReadonlyMap<string, Accepted>;
  readonly acks: ReadonlyMap<string, readonly string[]>;
  readonly events: readonly Told[];
  readonly bubbles: readonly Bubble[];
  /** Whether the commands of a thread must go out in the order in which they were asked for. */
  readonly commandsInOrder: boolean;
  /** Whether state.db was lost: an event that is told again is made anew then, with numbers and times of its own. */
  readonly losesState: boolean;
}

/** What is wrong, each thing by its name; empty lists: nothing. */
export interface Verdict {
  /** Messages that were not accepted, bubbles that did not go out. */
  readonly lost: readonly string[];
  /** Bubbles that went out again, bubbles or what else happened reported again, commands with two ends. */
  readonly doubled: readonly string[];
  /** Where a thread goes out of order. */
  readonly outOfOrder: readonly string[];
  /** What arrived though nobody wrote it, went out though nobody asked, or came again with another body. */
  readonly madeUp: readonly string[];
  /** Ends that are not the true ones: of commands, of history, of bubbles. */
  readonly untrue: readonly string[];
}

const ENDS = ['completed', 'failed'];
/** The details of an event that state.db alone knew. */
const OF_THE_STATE = ['send_id', 'part_of', 'accepted_at', 'confirmed_at'];
/** Events that may say the same again: that it is well, that something is wrong. */
const ABOUT_THE_AGENT = ['agent_status', 'error'];

/** Compares the ledgers once all is quiet (faults.md, I1 to I4). Knows nothing of the agent. */
export function judge(evidence: Evidence): Verdict {
  const verdict = { lost: [], doubled: [], outOfOrder: [], madeUp: [], untrue: [] } as Record<keyof Verdict, string[]>;
  messages(evidence, verdict);
  bubbles(evidence, verdict);
  commands(evidence, verdict);
  reports(evidence, verdict);
  events(evidence, verdict);
  return verdict;
}

type Findings = Record<keyof Verdict, string[]>;

function messages({ inserted, posts, accepted }: Evidence, found: Findings): void {
  const written = new Map(inserted.map((message) => [message.guid, message]));
  for (const [key, bodies] of bodiesByKey(posts)) {
    if (!written.has(key)) found.madeUp.push(`a post under ${key}`);
    if (bodies.size > 1) found.madeUp.push(`posts under ${key} with ${bodies.size} bodies`);
  }
  for (const { guid, thread, text, editedTo = [], kind, arrivesChanged = false } of inserted) {
    const got = accepted.get(guid);
    if (kind === 'refused' ? got : !got) (got ? found.untrue : found.lost).push(`message ${guid} "${text}"`);
    const isSame = got?.thread === thread && [text, ...editedTo].includes(got.text);
    if (got && !isSame && !arrivesChanged) found.madeUp.push(`message ${guid} as "${got.text}"`);
    if (got && got.isHistory !== (kind === 'history')) found.untrue.push(`message ${guid} is not ${kind}`);
  }
  for (const [guid, { bodies, text }] of accepted) {
    if (!written.has(guid)) found.madeUp.push(`message ${guid} "${text}"`);
    if (bodies.size > 1) found.madeUp.push(`message ${guid} with ${bodies.size} bodies`);
  }
  for (const thread of new Set(inserted.map(({ thread }) => thread))) {
    const isIn = (one: Inserted | undefined) => one?.thread === thread && one.kind === 'live' && accepted.has(one.guid);
    const arrived = [...accepted.keys()].filter((guid) => isIn(written.get(guid)));
    compareOrder(
      `messages of ${thread}`,
      inserted.filter(isIn).map(named),
      arrived.map((guid) => named(written.get(guid)!)),
      found,
    );
  }
}

/** Two messages of the same text are two. */
function named({ guid, text }: Inserted): { text: string } {
  return { text: `${text}, ${guid}` };
}

function bodiesByKey(posts: readonly Post[]): Map<string, Set<string>> {
  const bodies = new Map<string, Set<string>>();
  for (const { key = 'no key', body } of posts) bodies.set(key, (bodies.get(key) ?? new Set()).add(body));
  return bodies;
}

function compareOrder(
  what: string,
  due: readonly { text: string }[],
  got: readonly { text: string }[],
  found: Findings,
): void {
  const at = due.findIndex((one, n) => one.text !== got[n]?.text);
  if (at >= 0) found.outOfOrder.push(`${what}: at ${at} "${got[at]?.text}" instead of "${due[at]!.text}"`);
}

function bubbles({ inserted, asked, bubbles: effects, commandsInOrder }: Evidence, found: Findings): void {
  for (const thread of new Set([...inserted, ...asked].map(({ thread }) => thread))) {
    const mine = inserted.filter((one) => one.thread === thread);
    const answers = mine.flatMap(({ answers }) => answers);
    const inTurn = mine.flatMap(({ kind, answers }) => (kind === 'late' ? [] : answers));
    const orders = asked.filter((one) => one.thread === thread);
    const shown = effects.filter(({ target }) => target.endsWith(thread)).map(({ text }) => text);
    const certain = orders.filter(({ outcome }) => outcome === 'completed').flatMap(bubblesOf);
    const out = timesOf(shown);
    for (const [text, times] of timesOf([...answers, ...certain])) {
      for (let n = out.get(text) ?? 0; n < times; n++) found.lost.push(`bubble "${text}"`);
    }
    const possible = mine.flatMap(({ mayAnswer = [] }) => mayAnswer);
    const due = timesOf([
      ...answers,
      ...possible,
      ...orders.filter(({ outcome }) => outcome !== 'failed').flatMap(bubblesOf),
    ]);
    for (const [text, times] of out) {
      const most = due.get(text) ?? 0;
      for (let n = most; n < times; n++) (most === 0 ? found.madeUp : found.doubled).push(`bubble "${text}"`);
    }
    const once = [...out.keys()].filter((text) => due.has(text));
    for (const sequence of commandsInOrder ? [inTurn, orders.flatMap(bubblesOf)] : [inTurn]) {
      const ofIt = new Set(sequence);
      const inOrder = [...ofIt].filter((text) => out.has(text)).map((text) => ({ text }));
      const went = once.filter((text) => ofIt.has(text)).map((text) => ({ text }));
      compareOrder(`bubbles to ${thread}`, inOrder, went, found);
    }
  }
  const threads = [...inserted, ...asked].map(({ thread }) => thread);
  const astray = effects.filter(({ target }) => !threads.some((thread) => target.endsWith(thread)));
  for (const { target, text } of astray) found.madeUp.push(`bubble "${text}" to ${target}`);
}

/** How often each text is among them. */
function timesOf(texts: readonly string[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const text of texts) times.set(text, (times.get(text) ?? 0) + 1);
  return times;
}

function commands({ asked, acks }: Evidence, found: Findings): void {
  for (const { id, text, outcome } of asked) {
    const ends = [...new Set(acks.get(id)?.filter((status) => ENDS.includes(status)))];
    if (ends.length === 0) found.lost.push(`the end of command "${text}"`);
    if (ends.length > 1) found.doubled.push(`the end of command "${text}": ${ends.join(', ')}`);
    const isTrue = outcome === 'unknown' || ends.length === 0 || ends.includes(outcome);
    if (!isTrue) found.untrue.push(`command "${text}" ended as ${ends.join(', ')} instead of ${outcome}`);
  }
}

/** Each bubble that is out is reported once, under its guid, and nothing is reported that is not out. */
function reports({ bubbles: out, events, asked }: Evidence, found: Findings): void {
  const guids = new Set(out.map(({ guid }) => guid));
  const times = new Map<string, number>();
  for (const { type, details } of events) {
    if (type !== 'message_sent') continue;
    const guid = String(details.message_guid);
    times.set(guid, (times.get(guid) ?? 0) + 1);
  }
  const unknown = new Set(asked.flatMap(({ outcome, text }) => (outcome === 'unknown' ? [text] : [])));
  for (const { guid, text } of out) {
    if (!times.has(guid) && !unknown.has(text)) found.lost.push(`the report of bubble "${text}"`);
    if ((times.get(guid) ?? 0) > 1) found.doubled.push(`the report of bubble "${text}"`);
  }
  for (const guid of times.keys()) if (!guids.has(guid)) found.untrue.push(`reported as sent, and was not: ${guid}`);
  const failures = events.filter(({ type }) => type === 'message_failed').length;
  const failed = asked.filter(({ outcome }) => outcome !== 'completed').length;
  if (failures > failed) found.untrue.push(`${failures} failures reported, and ${failed} expected`);
}

/** What happened is told under one id, with the same words however often. */
function events({ events, losesState }: Evidence, found: Findings): void {
  for (const { type, bodies } of events) {
    const different = new Set([...bodies].map((body) => (losesState ? withoutOwn(body) : body)));
    if (different.size > 1) found.madeUp.push(`${type} with ${different.size} bodies: ${[...different].join(' ')}`);
  }
  const happened = events.filter(({ type }) => !ABOUT_THE_AGENT.includes(type));
  for (const [what, times] of timesOf(happened.map(({ type, details }) => `${type} ${JSON.stringify(details)}`))) {
    if (times > 1) found.doubled.push(`under ${times} ids: ${what}`);
  }
}

function withoutOwn(body: string): string {
  return JSON.stringify(JSON.parse(body), (key, value) => (OF_THE_STATE.includes(key) ? undefined : value));
}
