import { randomUUID } from 'node:crypto';
import type { SqlValue } from './ChatDbFile.ts';
import type { StoredChat } from './ChatRows.ts';
import type { GroupSpec, Incoming } from './Incoming.ts';
import type { MessageWriter, WriterParts } from './MessageWriter.ts';

/** item_type and group_action_type of each. */
const CHANGES = {
  member_added: [1, 0],
  member_removed: [1, 1],
  /** The row of an addition whose actor and member are one handle. */
  number_changed: [1, 0],
  renamed: [2, 0],
  member_left: [3, 0],
  photo_changed: [3, 1],
  photo_removed: [3, 2],
  background_changed: [3, 4],
  background_removed: [3, 6],
  location_sharing_started: [4, 0],
  location_sharing_stopped: [4, 0],
  audio_kept: [5, 0],
  shareplay: [6, 0],
} as const;

/** What somebody does to a conversation. */
export interface ConversationChange {
  readonly change: keyof typeof CHANGES;
  /** Who does it; for oneself, in a conversation of two, the other party. */
  readonly from: string;
  readonly fromMe?: boolean;
  /** @default a conversation of two */
  readonly group?: GroupSpec;
  /** Handle of who is added or removed. */
  readonly member?: string;
  /** The new name; empty takes it away. */
  readonly name?: string;
  /** @default iMessage */
  readonly service?: string;
  /** ms since 1970 @default now */
  readonly dateAt?: number;
  /** Other columns of `message`, e.g. a group_action_type nobody knows. */
  readonly columns?: Readonly<Record<string, SqlValue>>;
}

/** Those who make groups and change them, and what else happens in a conversation: rows without a body. */
export class Groups {
  readonly #o: WriterParts;
  readonly #writer: MessageWriter;

  constructor(o: WriterParts & { writer: MessageWriter }) {
    this.#o = o;
    this.#writer = o.writer;
  }

  /**
   * Somebody makes a group: the chat with its members and, if it has a name, the row that gives it, which is the first.
   * Without a name the first row is the first message. Returns the row's guid.
   */
  create(o: { from: string; fromMe?: boolean; group: GroupSpec; service?: string }): string | undefined {
    const { name, ...unnamed } = o.group;
    this.#o.file.transaction(() => this.#writer.chatOf({ ...o, group: unnamed }));
    return name === undefined ? undefined : this.change({ ...o, change: 'renamed', name });
  }

  /** The row of what happened, and the chat as it is from there on. Returns the guid. */
  change(o: ConversationChange): string {
    const { rows, file, dates, later, delays } = this.#o;
    const { change, from, fromMe = false, service = 'iMessage' } = o;
    const guid = randomUUID().toUpperCase();
    const [itemType, actionType] = CHANGES[change];
    const chat = file.transaction(() => {
      const where = this.#writer.chatOf(o as Pick<Incoming, 'from' | 'group' | 'service'>);
      const actor = rows.handle(from, service);
      const other = this.#other(o, actor);
      rows.message({
        guid,
        isFromMe: fromMe,
        handle: fromMe && o.group !== undefined ? 0 : actor,
        service,
        date: dates.next(service, o.dateAt),
        chat: where,
        text: null,
        body: null,
        columns: {
          item_type: itemType,
          group_action_type: actionType,
          other_handle: other,
          share_status: change === 'location_sharing_stopped' ? 1 : 0,
          ...(change === 'renamed' && { group_title: o.name ?? null }),
          ...(fromMe && { is_sent: 1, is_finished: 1 }),
          ...o.columns,
        },
      });
      this.#apply(o, where, other);
      return where;
    });
    later.after(delays.joinMs, () => rows.join(guid, chat));
    return guid;
  }

  #other({ change, member, service = 'iMessage' }: ConversationChange, actor: number): number {
    if (change === 'number_changed') return actor;
    return member === undefined ? 0 : this.#o.rows.handle(member, service);
  }

  #apply(
    { change, name, from, fromMe, service = 'iMessage' }: ConversationChange,
    chat: StoredChat,
    other: number,
  ): void {
    const { rows } = this.#o;
    if (change === 'renamed') rows.setChat(chat.guid, { display_name: name ?? '' });
    if (change === 'member_added' && other !== 0) rows.addMember(chat, other);
    if (change === 'member_removed') rows.removeMember(chat, other);
    if (change === 'member_left' && !fromMe) rows.removeMember(chat, rows.handle(from, service));
  }
}
