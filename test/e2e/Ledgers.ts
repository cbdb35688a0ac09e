import { expect } from 'vitest';
import type { Rig } from '../../scripts/rig/Rig.ts';
import type { Fate } from './FaultyBackend.ts';

export const PEOPLE = ['+15550100002', '+15550100003', '+15550100004'];
export const GROUP = { id: 'chat831', participants: PEOPLE };

/** What was written on the Mac. */
export interface Written {
  readonly guid: string;
  readonly thread: string;
  readonly text: string;
  readonly isOld: boolean;
  edits: number;
  now: string;
  isUnsent: boolean;
}

/** What reached the backend. */
interface Posted {
  readonly at: number;
  readonly bodies: Set<string>;
  readonly text: string;
  readonly backfill: boolean;
  readonly thread: string;
}

interface Told {
  readonly at: number;
  readonly type: string;
  readonly details: Record<string, unknown>;
}

/** What was written, what the backend got, and what is known of both; the third, what was sent, is the Mac's. */
export class Ledgers {
  readonly written: Written[] = [];
  readonly reactions: { guid: string; target: string; kind: string; from: string }[] = [];
  readonly posted = new Map<string, Posted>();
  readonly events = new Map<string, Told>();
  readonly fates = new Map<string, Fate>();
  /** What was done, for whoever has to find out why a run failed. */
  readonly did: string[] = [];
  #order = 0;

  readonly observe = {
    messageReceived: ({ body }: { body: { guid: string | undefined; raw: Record<string, unknown> } }) => {
      const { raw } = body;
      const known = this.posted.get(body.guid!);
      if (known) known.bodies.add(JSON.stringify(raw));
      else
        this.posted.set(body.guid!, {
          at: this.#order++,
          bodies: new Set([JSON.stringify(raw)]),
          text: String(raw.filtered_text),
          backfill: raw.backfill === true,
          thread: String(raw.thread_id),
        });
    },
    eventReceived: ({ event }: { event: { eventId: string; eventType: string; details: unknown } }) => {
      if (this.events.has(event.eventId)) return;
      const details = event.details as Record<string, unknown>;
      this.events.set(event.eventId, { at: this.#order++, type: event.eventType, details });
    },
  };

  of(type: string, guid: string): Told[] {
    return [...this.events.values()].filter((told) => told.type === type && told.details.message_guid === guid);
  }

  write(guid: string, thread: string, text: string, isOld = false): void {
    this.written.push({ guid, thread, text, isOld, edits: 0, now: text, isUnsent: false });
  }
}

/** Compares what was inserted, what the backend got and what was sent. */
export function check(rig: Rig, ledgers: Ledgers): void {
  const { written, posted, events, reactions, fates } = ledgers;
  const known = new Map(written.map((message) => [message.guid, message]));
  // Nothing but what was written, each under one body.
  expect([...posted.keys()].filter((guid) => !known.has(guid))).toEqual([]);
  expect([...posted.values()].filter(({ bodies }) => bodies.size > 1)).toEqual([]);
  // Old is what was old.
  const marked = [...posted].filter(([, { backfill }]) => backfill).map(([guid]) => guid);
  const old = written.filter(({ isOld, guid }) => isOld && posted.has(guid)).map(({ guid }) => guid);
  expect(marked.sort()).toEqual(old.sort());
  // In order.
  for (const thread of [...PEOPLE, GROUP.id]) {
    const arrived = [...posted].filter(([, one]) => one.thread === thread && !one.backfill);
    const order = arrived.toSorted(([, a], [, b]) => a.at - b.at).map(([guid]) => known.get(guid)!.text);
    const inTime = written.filter(({ guid, thread: of }) => of === thread && posted.has(guid));
    // A rebuilt chat.db is numbered by date, and an SMS has whole seconds: there it comes before what it came after.
    const isSms = (text: string) => text.startsWith('SMS');
    expect(order.filter((text) => !isSms(text))).toEqual(inTime.map(({ text }) => text).filter((text) => !isSms(text)));
  }
  // Answered once, but for what was old, refused or known.
  const answers = new Map<string, number>();
  for (const { text } of rig.mac.messages.effects) answers.set(text, (answers.get(text) ?? 0) + 1);
  expect([...answers].filter(([, times]) => times > 1)).toEqual([]);
  for (const [guid, { text, backfill }] of posted) {
    const fate = fates.get(guid);
    if (fate === 'known') continue;
    expect([guid, text, fate, answers.get(`re ${text}`) ?? 0]).toEqual([
      guid,
      text,
      fate,
      backfill || fate === 'refuse' ? 0 : 1,
    ]);
  }
  expect([...answers.keys()].filter((text) => ![...posted.values()].some((one) => `re ${one.text}` === text))).toEqual(
    [],
  );
  // Each change is told, and after its message.
  const told = [...events.values()].filter(({ type }) => /^(message_(edited|unsent)|reaction_)/.test(type));
  expect(told.filter(({ details }) => !known.has(String(details.message_guid)))).toEqual([]);
  expect(told.filter(({ at, details }) => at < (posted.get(String(details.message_guid))?.at ?? -1))).toEqual([]);
  for (const one of written.filter(({ guid }) => fates.get(guid) !== 'refuse')) {
    const handedOver = posted.get(one.guid);
    const unsent = ledgers.of('message_unsent', one.guid).map(({ details }) => details.handed_over);
    expect([one.text, unsent]).toEqual([one.text, one.isUnsent ? [handedOver !== undefined] : []]);
    if (!handedOver || one.isUnsent) continue;
    const latest = ledgers.of('message_edited', one.guid).at(-1)?.details.text ?? handedOver.text;
    expect([one.text, one.isOld ? '' : latest]).toEqual([one.text, one.now]);
  }
  const last = new Map(reactions.map((reaction) => [`${reaction.target} ${reaction.from}`, reaction]));
  for (const { guid, target, kind } of last.values()) {
    const added = ledgers.of('reaction_added', target).filter(({ details }) => details.reaction_guid === guid);
    expect([kind, added.map(({ details }) => details.reaction)]).toEqual([kind, [kind]]);
  }
  const created = [...events.values()].filter(
    ({ type, details }) => type === 'group_changed' && details.change === 'created',
  );
  expect(created.length).toBe([...posted.values()].some(({ thread }) => thread === GROUP.id) ? 1 : 0);
}
