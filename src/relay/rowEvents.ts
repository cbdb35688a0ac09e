import type { ChatRow, GroupAction } from '../chatdb/types.ts';
import type { EventDraft, Surroundings } from './classify.ts';
import { emojiOfFallback } from './fallbackReaction.ts';
import { filterText, type Redactor } from './filterText.ts';
import { digest } from './fingerprint.ts';
import { actorOf, ME, wireAttachments, wireTime } from './parties.ts';
import { stepsFor } from './privacy.ts';

/** What a tapback, a sticker or a vote says, wherever it was read. */
export interface Reaction {
  readonly reaction: ReactionName;
  readonly emoji: string | undefined;
  readonly isRemoved: boolean;
  readonly targetGuid: string | undefined;
  readonly part: number | undefined;
}

type ReactionName =
  | 'love'
  | 'like'
  | 'dislike'
  | 'laugh'
  | 'emphasize'
  | 'question'
  | 'emoji'
  | 'sticker'
  | 'poll_vote'
  | 'unknown';

/** message.associated_message_type: 1000 a sticker placed, 2000–2007 a tapback, 3000–3007 one taken back, 4000 a vote. */
const FIRST_REACTION = 1000;
const STICKER = 1000;
const REMOVED_FROM = 3000;
const VOTE = 4000;
/** Characters of an emoji at most; a family with skin tones has some 25. The column holds what the sender's phone says. */
const MAX_EMOJI_LENGTH = 64;
const TAPBACKS: readonly ReactionName[] = [
  'love',
  'like',
  'dislike',
  'laugh',
  'emphasize',
  'question',
  'emoji',
  'sticker',
];

/** Whether the row is a reaction and no message: types below 1000 are words of apps. */
export function isReaction(row: ChatRow): boolean {
  return row.association !== undefined && row.association.type >= FIRST_REACTION;
}

/** Whether the row brings a sticker, whose picture is an attachment. */
export function isSticker(row: ChatRow): boolean {
  return row.association?.type === STICKER || row.association?.type === 2007;
}

/** The event of a row that is a reaction by its type. */
export function reactionEvent(row: ChatRow, privacy: Redactor): EventDraft {
  const { type = 0, targetGuid, part, emoji } = row.association ?? {};
  const reaction = nameOf(type);
  const said = {
    reaction,
    emoji: emoji ?? (reaction === 'emoji' ? emojiOfFallback(row.text) : undefined),
    isRemoved: type >= REMOVED_FROM && type < VOTE,
    targetGuid,
    part,
  };
  return eventOfReaction(row, said, privacy);
}

function nameOf(type: number): ReactionName {
  if (type === STICKER) return 'sticker';
  if (type === VOTE) return 'poll_vote';
  return (type >= 2000 && type < VOTE ? TAPBACKS[type % 1000] : undefined) ?? 'unknown';
}

/** The event of a reaction; its id comes from what it says, so that a row inserted again tells nothing new. */
export function eventOfReaction(row: ChatRow, said: Reaction, privacy: Redactor, isFromText = false): EventDraft {
  const { reaction, isRemoved, targetGuid, part } = said;
  const steps = stepsFor(2);
  const filter = (words: string) => filterText(words, privacy, { steps }).text;
  const emoji = said.emoji === undefined ? undefined : filter(said.emoji.slice(0, MAX_EMOJI_LENGTH));
  const sender = actorOf(row);
  const attachments = wireAttachments(row, filter);
  const content = [targetGuid, part, sender, isRemoved, reaction, row.association?.type, emoji, row.rawDate];
  return {
    event_id: `reaction:${digest(content)}`,
    event_type: isRemoved ? 'reaction_removed' : 'reaction_added',
    details: {
      message_guid: targetGuid,
      part,
      reaction,
      emoji,
      sender,
      is_from_me: row.isFromMe,
      reaction_guid: row.guid,
      at: wireTime(row.dateAt),
      attachments,
      from_text: isFromText || undefined,
    },
  };
}

/** What happened in a conversation; for a group made, see `groupCreated`. */
export function groupEvent(row: ChatRow, action: GroupAction, privacy: Redactor): EventDraft {
  // The handle of an own row is the other party; a row without one is of the person this Mac belongs to.
  const actor = row.isFromMe ? ME : (row.handle ?? ME);
  const said = groupChange(action, actor);
  // As told, also in the id: a hash of a short secret is no secret. Undefined where chat.db has no column for it.
  const { itemType, title } = action;
  const name = itemType === RENAMED && title !== undefined ? filterText(title, privacy).text : undefined;
  const content = [row.chat?.identifier, said.change, actor, said.member, name, row.rawDate];
  return {
    event_id: `group:${digest(content)}`,
    event_type: 'group_changed',
    details: {
      ...said,
      actor,
      name,
      is_group: row.chat?.isGroup ?? false,
      is_from_me: actor === ME,
      row_guid: row.guid,
      at: wireTime(row.dateAt),
    },
  };
}

const MEMBERS = 1;
const RENAMED = 2;
const LEFT_OR_PICTURE = 3;
const LOCATION = 4;
const KEPT_AUDIO = 5;
const SHAREPLAY = 6;
/** group_action_type of item_type 3 (imessage-exporter); 0 is who left. */
const PICTURES: Readonly<Record<number, string>> = {
  1: 'photo_changed',
  2: 'photo_removed',
  4: 'background_changed',
  6: 'background_removed',
};

function groupChange(action: GroupAction, actor: string): { change: string; member?: string | undefined } {
  const { itemType, actionType, otherHandle: member } = action;
  switch (itemType) {
    case MEMBERS: {
      if (member === undefined) break;
      const isSame = member === actor;
      // Nobody is named who was added: who did it came in.
      if (actionType === 0 && member === '') return { change: 'member_joined', member: actor };
      if (actionType === 0) return { change: isSame ? 'number_changed' : 'member_added', member };
      if (actionType === 1) return { change: isSame ? 'member_left' : 'member_removed', member: member || undefined };
      break;
    }
    case RENAMED:
      return { change: 'renamed' };
    case LEFT_OR_PICTURE: {
      const picture = PICTURES[actionType ?? 0];
      if (actionType === 0) return { change: 'member_left', member: actor };
      if (picture !== undefined) return { change: picture };
      break;
    }
    case LOCATION:
      if (action.shareStatus === undefined) break;
      return { change: action.shareStatus === 0 ? 'location_sharing_started' : 'location_sharing_stopped' };
    case KEPT_AUDIO:
      return { change: 'audio_kept' };
    case SHAREPLAY:
      return { change: 'shareplay' };
  }
  const numbers = { item_type: itemType, action_type: actionType };
  return { change: 'unknown', ...numbers };
}

/**
 * The event of a group that is new: told with its first row, whatever that row is; Messages writes no row for it. The
 * actor is who wrote that row, who in most cases made the group.
 */
export function groupCreated(row: ChatRow, around?: Pick<Surroundings, 'isFirstOfChat'>): EventDraft | undefined {
  if (!row.chat?.isGroup || around?.isFirstOfChat(row) === false) return undefined;
  return {
    event_id: `group:${digest([row.chat.identifier, 'created'])}`,
    event_type: 'group_changed',
    details: {
      change: 'created',
      actor: actorOf(row),
      is_group: true,
      is_from_me: row.isFromMe,
      row_guid: row.guid,
      at: wireTime(row.dateAt),
    },
  };
}
