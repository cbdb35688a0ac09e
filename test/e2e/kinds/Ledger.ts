import type { HubObserver } from '../../../src/hub/edge/HubObserver.ts';
import { waitFor } from '../../support/waitFor.ts';

/** A message or an event as far as a test says what it is; names as on the wire. */
export type Entry = Readonly<Record<string, unknown>>;

/** By the titles of threads: messages in their order, events in no order. */
export type Told = Record<string, { posts: Entry[]; events: Entry[] }>;

/** Told of each, and never the same twice. */
const TIMES = [
  'at',
  'accepted_at',
  'confirmed_at',
  'edited_at',
  'unsent_at',
  'delivered_at',
  'read_at',
  'original_timestamp',
];
/** What a message has of itself in its place. */
const USUAL: Entry = { is_group: false, was_redacted: false, redacted_fields: [], filter_reason: '' };
/** Proves that the agent has read on. */
const HEARTBEAT = 'heartbeat@example.com';

/** All that the hub was told, in the order in which it came. */
export class Ledger {
  readonly posts: Record<string, unknown>[] = [];
  readonly events: { event_id: string; thread: string; entry: Entry; raw: Record<string, unknown> }[] = [];

  readonly observer: HubObserver = {
    messageReceived: ({ body }) => void this.posts.push(body.raw),
    eventReceived: ({ event: { eventId, eventType, threadId, details } }) => {
      if (eventType === 'agent_status') return;
      const raw = details as Record<string, unknown>;
      const { send_id: _, ...said } = raw;
      if (this.events.some(({ event_id }) => event_id === eventId)) {
        // Until the hub's ack has come back it is told again.
        return;
      }
      const entry = { event_type: eventType, ...timeless(said) };
      this.events.push({ event_id: eventId, thread: threadId ?? '', entry, raw });
    },
  };

  postOf(guid: string): Entry | undefined {
    return this.posts.find(({ message_guid }) => message_guid === guid);
  }

  isPosted(guid: string): boolean {
    return this.postOf(guid) !== undefined;
  }

  told(titleOf: (thread: string) => string): Told {
    const posts = this.posts.map((post) => ({ thread: String(post.thread_id), entry: postEntry(post) }));
    return byThread(posts, this.events, titleOf);
  }

  /** Resolves when an event of this type about this message (`message_guid` or `row_guid`) was told `times` times. */
  async event(type: string, guid: string, times = 1): Promise<void> {
    const count = () =>
      this.events.filter(
        ({ entry }) => entry.event_type === type && (entry.message_guid === guid || entry.row_guid === guid),
      ).length;
    await waitFor(`${type} of ${guid}`, () => count() >= times, 60_000);
  }
}

/** A message as it is to be posted; `thread_id` is also its sender, unless said otherwise. */
export function post(thread: string, guid: string, text: string, more: Entry = {}): Entry {
  const sender = more.sender ?? thread;
  return {
    thread_id: thread,
    sender,
    message_guid: guid,
    filtered_text: text,
    service: 'iMessage',
    participants: [sender],
    ...USUAL,
    ...more,
  };
}

export function byThread(
  posts: readonly { thread: string; entry: Entry }[],
  events: readonly { thread: string; entry: Entry }[],
  titleOf: (thread: string) => string,
): Told {
  const threads: Told = {};
  const of = (thread: string) => {
    const title = titleOf(thread);
    threads[title] ??= { posts: [], events: [] };
    return threads[title];
  };
  for (const { thread, entry } of posts) if (thread !== HEARTBEAT) of(thread).posts.push(plain(entry));
  for (const { thread, entry } of events) if (thread !== HEARTBEAT) of(thread).events.push(plain(entry));
  for (const told of Object.values(threads)) {
    told.events.sort((a, b) => (key(a) < key(b) ? -1 : 1));
    // What came to nothing is handed over when its time is over, whatever came meanwhile.
    const isNothing = ({ filtered_text, attachments }: Entry) => filtered_text === '' && attachments === undefined;
    const nothing = told.posts.filter(isNothing).sort((a, b) => (key(a) < key(b) ? -1 : 1));
    told.posts = [...told.posts.filter((entry) => !isNothing(entry)), ...nothing];
  }
  return threads;
}

function key(entry: Entry): string {
  return JSON.stringify(Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Fields that say nothing are left out on the wire. */
function plain(entry: Entry): Entry {
  return JSON.parse(JSON.stringify(entry)) as Entry;
}

function postEntry(body: Record<string, unknown>): Entry {
  const { chat_guid, ...said } = timeless(body);
  if (!String(chat_guid).endsWith(`;${body.thread_id}`))
    throw new Error(`${chat_guid} is no chat of ${body.thread_id}`);
  return said.decode_error === undefined ? said : { ...said, decode_error: 'damaged' };
}

/** Without its times, each of which has to be one. */
function timeless(said: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(said).flatMap(([name, value]): [string, unknown][] => {
      if (TIMES.includes(name)) {
        if (Number.isNaN(Date.parse(String(value)))) throw new Error(`${name} is no time: ${value}`);
        return [];
      }
      return [[name, name === 'history' ? (value as History).map(historyEntry) : value]];
    }),
  );
}

type History = readonly { part: number; versions: readonly { text: string; at: string }[] }[];

/** The texts in their order, with dates that do not go back. */
function historyEntry({ part, versions }: History[number]): Entry {
  const times = versions.map(({ at }) => Date.parse(at));
  if (times.some((at, index) => Number.isNaN(at) || at < (times[index - 1] ?? 0))) throw new Error('dates go back');
  return { part, versions: versions.map(({ text }) => text) };
}
