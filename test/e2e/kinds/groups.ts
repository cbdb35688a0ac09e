import type { ConversationChange } from '../../../src/simulator/Groups.ts';
import type { Kind } from './Kind.ts';
import { type Entry, post } from './Ledger.ts';
import type { Stage } from './Stage.ts';

const ITEMS = {
  member: 'message.group_action_type',
  other: 'message.other_handle',
  title: 'message.group_title',
  share: 'message.share_status',
} as const;

/** A change, the columns without which it cannot be told from others, and the numbers it has then. */
interface Change {
  readonly made: Omit<ConversationChange, 'from' | 'group'>;
  readonly change: string;
  readonly details?: Entry;
  readonly needs?: readonly string[];
  readonly numbers: readonly [item: number, action: number];
}

const NEW = '+15550100090';

const OF_A_GROUP: readonly Change[] = [
  {
    made: { change: 'member_added', member: NEW },
    change: 'member_added',
    details: { member: NEW },
    needs: [ITEMS.member, ITEMS.other],
    numbers: [1, 0],
  },
  {
    made: { change: 'member_removed', member: NEW },
    change: 'member_removed',
    details: { member: NEW },
    needs: [ITEMS.member, ITEMS.other],
    numbers: [1, 1],
  },
  { made: { change: 'photo_changed' }, change: 'photo_changed', needs: [ITEMS.member], numbers: [3, 1] },
  { made: { change: 'photo_removed' }, change: 'photo_removed', needs: [ITEMS.member], numbers: [3, 2] },
  { made: { change: 'background_changed' }, change: 'background_changed', needs: [ITEMS.member], numbers: [3, 4] },
  { made: { change: 'background_removed' }, change: 'background_removed', needs: [ITEMS.member], numbers: [3, 6] },
  { made: { change: 'renamed', name: 'Dinner' }, change: 'renamed', details: { name: 'Dinner' }, numbers: [2, 0] },
  { made: { change: 'renamed', name: '' }, change: 'renamed', details: { name: '' }, numbers: [2, 0] },
];

const OF_TWO: readonly Change[] = [
  {
    made: { change: 'location_sharing_started' },
    change: 'location_sharing_started',
    needs: [ITEMS.share],
    numbers: [4, 0],
  },
  {
    made: { change: 'location_sharing_stopped' },
    change: 'location_sharing_stopped',
    needs: [ITEMS.share],
    numbers: [4, 0],
  },
  { made: { change: 'audio_kept' }, change: 'audio_kept', numbers: [5, 0] },
  { made: { change: 'shareplay' }, change: 'shareplay', numbers: [6, 0] },
];

function changeEvent(
  stage: Stage,
  guid: string,
  o: Change & { thread: string; actor: string; isGroup: boolean },
): Entry {
  const { change, details = {}, needs = [], numbers } = o;
  const [item_type, action_type] = numbers;
  const said = {
    actor: o.actor,
    is_group: o.isGroup,
    is_from_me: o.actor === 'me',
    row_guid: guid,
    thread: o.thread,
    event_type: 'group_changed',
  };
  if (!stage.has(...needs)) {
    return { ...said, change: 'unknown', item_type, ...(stage.has(ITEMS.member) && { action_type }) };
  }
  const { name, ...others } = details;
  return { ...said, change, ...others, ...(name !== undefined && stage.has(ITEMS.title) && { name }) };
}

/**
 * What a change is where no column says that a row is one: an empty message, if somebody else wrote it, once nothing more
 * is expected of it; with the members that the group has then.
 */
function emptyPost(stage: Stage, thread: string, guid: string, from: string): Entry {
  const { participants, is_group } = stage.ledger.postOf(guid) ?? {};
  return post(thread, guid, '', { sender: from, is_group, participants });
}

const isTold = (stage: Stage) => stage.has('message.item_type');

export const GROUPS: readonly Kind[] = [
  (stage) => {
    const [ann, ben, eve] = ['Ann', 'Ben', 'Eve'].map((name) => stage.person(name)) as [string, string, string];
    const group = { id: 'chat8315550101', participants: [ann, ben, eve], name: 'Lunch' };
    const thread = stage.thread(group.id, 'a group and its changes');
    let [created, hello, left, mine, renumbered] = ['', '', '', '', ''];
    const changes: string[] = [];
    const members = stage.has('chat_handle_join.chat_id', 'chat_handle_join.handle_id');
    const who = (...people: string[]) => (members ? people : undefined);
    const say = (guid: string, o: Change, actor = ann) =>
      changeEvent(stage, guid, { ...o, thread, actor, isGroup: true });
    const renamed = { change: 'renamed', details: { name: 'Lunch' }, numbers: [2, 0] } as const;
    const quit = { change: 'member_left', needs: [ITEMS.member], numbers: [3, 0] } as const;
    const number = { change: 'number_changed', needs: [ITEMS.member, ITEMS.other], numbers: [1, 0] } as const;
    const make = { made: { change: 'renamed' } } as const;
    return {
      steps: [
        () => {
          created = stage.mac.groups.create({ from: ann, group })!;
        },
        () => {
          hello = stage.mac.people.receive({ from: ben, text: 'hi all', group });
        },
        ...OF_A_GROUP.map(({ made }) => () => {
          changes.push(stage.mac.groups.change({ from: ann, group, ...made }));
        }),
        () => {
          renumbered = stage.mac.groups.change({ from: ben, group, change: 'number_changed' });
        },
        () => {
          mine = stage.mac.groups.change({ from: ann, fromMe: true, group, change: 'renamed', name: 'Ours' });
        },
        () => {
          left = stage.mac.groups.change({ from: eve, group, change: 'member_left' });
        },
      ],
      posts: () => {
        const greeting = post(thread, hello, 'hi all', {
          sender: ben,
          is_group: true,
          participants: who(ann, ben, eve) ?? [ben],
        });
        if (isTold(stage)) return [greeting];
        const empty = (guid: string, from: string) => emptyPost(stage, thread, guid, from);
        return [
          empty(created, ann),
          greeting,
          ...changes.map((guid) => empty(guid, ann)),
          empty(renumbered, ben),
          empty(left, eve),
        ];
      },
      events: () => {
        const made = { thread, event_type: 'group_changed', change: 'created', actor: ann, is_group: true };
        const creation = { ...made, is_from_me: false, row_guid: created };
        if (!isTold(stage)) return [creation];
        return [
          creation,
          say(created, { ...make, ...renamed }),
          ...changes.map((guid, index) => say(guid, OF_A_GROUP[index]!)),
          say(renumbered, { ...make, ...number, details: { member: ben } }, ben),
          say(mine, { ...make, ...renamed, details: { name: 'Ours' } }, 'me'),
          say(left, { ...make, ...quit, details: { member: eve } }, eve),
        ];
      },
    };
  },
  (stage) => {
    const from = stage.person('location, kept audio, SharePlay');
    const changes: string[] = [];
    return {
      steps: OF_TWO.map(({ made }) => () => {
        changes.push(stage.mac.groups.change({ from, ...made }));
      }),
      posts: () => (isTold(stage) ? [] : changes.map((guid) => emptyPost(stage, from, guid, from))),
      events: () =>
        isTold(stage)
          ? changes.map((guid, index) =>
              changeEvent(stage, guid, { ...OF_TWO[index]!, thread: from, actor: from, isGroup: false }),
            )
          : [],
    };
  },
];
