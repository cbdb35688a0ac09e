import type { BodySegment } from '../../../src/simulator/typedstreamEncoder.ts';
import { waitFor } from '../../support/waitFor.ts';
import type { Kind } from './Kind.ts';
import { type Entry, post } from './Ledger.ts';
import type { Stage } from './Stage.ts';

/** For so long a text that changes is told as one that came late, ms. */
const LATE_MS = 3_500;
const TWO_PARTS: readonly BodySegment[] = [
  { text: 'first', part: 0 },
  { text: 'second', part: 1 },
];

/** Whether the agent can learn of it at all: the columns for edits came with macOS 13. */
export function seesEdits(stage: Stage): boolean {
  return stage.has('message.date_edited');
}

export function editEvent(thread: string, guid: string, text: string, history: readonly Entry[]): Entry {
  return {
    thread,
    event_type: 'message_edited',
    message_guid: guid,
    text,
    history,
    sender: thread,
    is_from_me: false,
    was_redacted: false,
    redacted_fields: [],
  };
}

export function unsentEvent(thread: string, guid: string, parts: readonly number[], whole: boolean): Entry {
  const rest = { sender: thread, is_from_me: false, handed_over: true };
  return { thread, event_type: 'message_unsent', message_guid: guid, parts, whole, ...rest };
}

/** A message and what its sender makes of it. Without a date of edits it is just another text, which nobody sees. */
function changed(
  title: string,
  sent: { text?: string; segments?: readonly BodySegment[] },
  change: (stage: Stage, guid: string) => void | Promise<void>,
  events: (stage: Stage, guid: string, from: string) => readonly Entry[],
): Kind {
  return (stage) => {
    const from = stage.person(title);
    let guid = '';
    const said = sent.text ?? TWO_PARTS.map(({ text }) => text).join('');
    return {
      steps: [
        () => {
          guid = stage.mac.people.receive({ from, ...sent });
        },
        async () => {
          if (stage.mac.chatDb.macos < 13) return;
          if (!seesEdits(stage)) await past(LATE_MS);
          await change(stage, guid);
        },
        async () => {
          const first = seesEdits(stage) ? events(stage, guid, from)[0] : undefined;
          if (first) await stage.ledger.event(String(first.event_type), guid);
        },
      ],
      posts: () => [post(from, guid, said)],
      events: () => (seesEdits(stage) ? events(stage, guid, from) : []),
    };
  };
}

async function past(ms: number): Promise<void> {
  const end = performance.now() + ms;
  await waitFor(`${ms} ms to pass`, () => performance.now() > end);
}

/** The versions of part 0, where message_summary_info keeps them. */
const versions = (stage: Stage, ...texts: string[]) =>
  stage.has('message.message_summary_info') ? [{ part: 0, versions: texts }] : [];

/** Whether a row shows that nothing is left of it. */
const showsEmpty = (stage: Stage) =>
  ['message_summary_info', 'is_empty', 'part_count'].some((column) => stage.has(`message.${column}`));

export const CHANGES: readonly Kind[] = [
  changed(
    'an edit',
    { text: 'at seven' },
    ({ mac }, guid) => mac.people.edit(guid, 'at eight'),
    (stage, guid, from) => [editEvent(from, guid, 'at eight', versions(stage, 'at seven', 'at eight'))],
  ),
  changed(
    'two edits',
    { text: 'one' },
    async (stage, guid) => {
      stage.mac.people.edit(guid, 'two', { bodyMs: 60 });
      if (seesEdits(stage)) await stage.ledger.event('message_edited', guid);
      stage.mac.people.edit(guid, 'three');
      if (seesEdits(stage)) await stage.ledger.event('message_edited', guid, 2);
    },
    (stage, guid, from) => [
      editEvent(from, guid, 'two', versions(stage, 'one', 'two')),
      editEvent(from, guid, 'three', versions(stage, 'one', 'two', 'three')),
    ],
  ),
  changed(
    'an edit of a part',
    { segments: TWO_PARTS },
    ({ mac }, guid) => mac.people.edit(guid, 'last', { part: 1 }),
    (stage, guid, from) => {
      // Only the body knows of parts: without it the new one comes behind all of the text.
      if (!stage.has('message.attributedBody')) {
        const added = versions(stage, '', 'last').map((entry) => ({ ...entry, part: 1 }));
        return [editEvent(from, guid, 'firstsecondlast', added)];
      }
      const history = versions(stage, 'second', 'last').map((entry) => ({ ...entry, part: 1 }));
      return [editEvent(from, guid, 'firstlast', history)];
    },
  ),
  changed(
    'an unsending',
    { text: 'never mind' },
    ({ mac }, guid) => mac.people.unsend(guid),
    (stage, guid, from) => {
      if (!showsEmpty(stage)) return [editEvent(from, guid, '', [])];
      return [unsentEvent(from, guid, stage.has('message.message_summary_info') ? [0] : [], true)];
    },
  ),
  changed(
    'an unsending of a part',
    { segments: TWO_PARTS },
    ({ mac }, guid) => mac.people.unsend(guid, { part: 1 }),
    (stage, guid, from) =>
      stage.has('message.message_summary_info')
        ? [unsentEvent(from, guid, [1], false)]
        : [editEvent(from, guid, stage.has('message.attributedBody') ? 'first' : 'firstsecond', [])],
  ),
];
