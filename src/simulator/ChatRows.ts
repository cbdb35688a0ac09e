import { randomUUID } from 'node:crypto';
import { appleNanoseconds } from './appleTime.ts';
import type { ChatDbFile, SqlValue } from './ChatDbFile.ts';

/** The person the simulated Mac is signed in as. */
const OWN = { login: 'E:relay@example.com', number: '+15550100000' } as const;

/** A conversation, as it has to be found or made. */
export interface ChatSpec {
  /** The other party's handle, or `chat…` for a group. */
  readonly identifier: string;
  readonly isGroup: boolean;
  readonly service: string;
  /** Handles of the others. */
  readonly participants: readonly string[];
  readonly displayName?: string;
  /** What chat.guid begins with. @default the service; `any` from macOS 26 on */
  readonly prefix?: string;
}

export interface StoredChat {
  readonly rowid: number;
  readonly guid: string;
  readonly identifier: string;
  readonly isGroup: boolean;
  readonly service: string;
}

export interface MessageRow {
  readonly guid: string;
  readonly isFromMe: boolean;
  /** handle.ROWID of the other party; 0 for own rows in a group. */
  readonly handle: number;
  readonly service: string;
  /** message.date, see MessageDates. */
  readonly date: bigint;
  /** The chat it will be joined to: reply_to_guid names the message before it there. @default none */
  readonly chat?: StoredChat;
  readonly body: Uint8Array | null;
  readonly text: string | null;
  /** Any other column of `message`, or one of the above again. */
  readonly columns?: Readonly<Record<string, SqlValue>>;
}

export interface AttachmentRow {
  readonly guid: string;
  readonly name: string;
  readonly mimeType: string | null;
  readonly uti: string | null;
  readonly sizeBytes: number;
  /** attachment.transfer_state: 0 waiting, 3 on its way, 5 finished, 6 error. */
  readonly transferState: number;
  readonly isSticker: boolean;
  readonly isHidden: boolean;
  /** As stored, with a literal tilde: `~/Library/Messages/Attachments/…`. */
  readonly filename: string;
  readonly isOutgoing: boolean;
  readonly dateAt: number;
}

/** chat.style of a group and of a conversation of two. */
const STYLE = { group: 43, pair: 45 } as const;

/**
 * Writes the rows of a chat.db. The caller decides what is one transaction. Messages are named by guid throughout: a
 * ROWID kept for later means another message once the file was replaced.
 */
export class ChatRows {
  readonly #file: ChatDbFile;
  /** chat.guid to the guid of its last message. */
  readonly #lastOf = new Map<string, string>();
  /** Prefixes that were changed, by chat_identifier. */
  readonly #prefixes = new Map<string, string>();

  constructor(file: ChatDbFile) {
    this.#file = file;
  }

  /** handle.ROWID; one person has one row per service. */
  handle(id: string, service: string): number {
    this.#file.insert('handle', { id, country: 'us', service }, { orIgnore: true });
    const isSame = this.#file.columns('handle').has('service') ? 'service = ?' : '? IS NOT NULL';
    return this.#file.get<{ rowid: number }>(
      `SELECT ROWID AS rowid FROM handle WHERE id = ? AND ${isSame}`,
      id,
      service,
    )!.rowid;
  }

  chatByGuid(guid: string): StoredChat | undefined {
    return asChat(this.#file.get(`${this.#selectChat()} WHERE guid = ?`, guid));
  }

  /** A group is known as `any;+;X` and by its service, whichever chat.guid says (photon-hq/imessage-kit #43). */
  groupByOtherPrefix(guid: string): StoredChat | undefined {
    const [prefix = '', style, identifier = ''] = guid.split(';');
    if (style !== '+') return undefined;
    const isMeant = ({ service, isGroup }: StoredChat) => isGroup && (prefix === 'any' || prefix === service);
    const stored = asChat(this.#file.get(`${this.#selectChat()} WHERE chat_identifier = ?`, identifier));
    return stored && isMeant(stored) ? stored : undefined;
  }

  chatOfMessage(guid: string): StoredChat | undefined {
    return asChat(
      this.#file.get(
        `${this.#selectChat()} WHERE ROWID = (SELECT chat_id FROM chat_message_join j JOIN message m
         ON m.ROWID = j.message_id WHERE m.guid = ? ORDER BY chat_id DESC LIMIT 1)`,
        guid,
      ),
    );
  }

  #selectChat(): string {
    const columns = this.#file.columns('chat');
    const isGroup = columns.has('style') ? `style = ${STYLE.group}` : `guid LIKE '%;+;%'`;
    const service = columns.has('service_name') ? 'service_name' : `'iMessage'`;
    return `SELECT ROWID AS rowid, guid, chat_identifier AS identifier, ${isGroup} AS isGroup, ${service} AS service FROM chat`;
  }

  /** The conversation, made with its members where it does not exist. macOS 26 keeps one per person, not per service. */
  chat(spec: ChatSpec): StoredChat {
    const usual = this.#prefixes.get(spec.identifier) ?? (this.#file.macos >= 26 ? 'any' : spec.service);
    const guid = `${spec.prefix ?? usual};${spec.isGroup ? '+' : '-'};${spec.identifier}`;
    const known = this.chatByGuid(guid);
    if (known) return known;
    this.#file.insert('chat', {
      guid,
      style: spec.isGroup ? STYLE.group : STYLE.pair,
      state: 3,
      account_id: randomUUID().toUpperCase(),
      account_login: OWN.login,
      chat_identifier: spec.identifier,
      service_name: spec.service,
      room_name: spec.isGroup ? spec.identifier : null,
      display_name: spec.displayName ?? '',
      group_id: randomUUID().toUpperCase(),
      last_addressed_handle: OWN.number,
    });
    const chat = this.chatByGuid(guid)!;
    for (const participant of spec.participants) this.addMember(chat, this.handle(participant, spec.service));
    return chat;
  }

  addMember(chat: StoredChat, handle: number): void {
    this.#file.insert('chat_handle_join', { chat_id: chat.rowid, handle_id: handle }, { orIgnore: true });
  }

  removeMember(chat: StoredChat, handle: number): void {
    if (this.#file.columns('chat_handle_join').size === 0) return;
    this.#file.run('DELETE FROM chat_handle_join WHERE chat_id = ? AND handle_id = ?', chat.rowid, handle);
  }

  /** The chats of this identifier get another prefix, as after an upgrade; chats made later get it too. */
  changePrefix(identifier: string, prefix: string): void {
    this.#prefixes.set(identifier, prefix);
    this.#file.run(
      `UPDATE chat SET guid = ? || substr(guid, instr(guid, ';')) WHERE chat_identifier = ?`,
      prefix,
      identifier,
    );
  }

  /** The message row alone: no chat yet, no attachment. */
  message(row: MessageRow): void {
    this.#file.insert('message', {
      guid: row.guid,
      text: row.text,
      attributedBody: row.body,
      handle_id: row.handle,
      service: row.service,
      account: OWN.login,
      date: row.date,
      date_read: 0,
      date_delivered: 0,
      is_from_me: row.isFromMe ? 1 : 0,
      // An own row is finished when the service took it.
      is_finished: row.isFromMe ? 0 : 1,
      is_delivered: row.isFromMe ? 0 : 1,
      destination_caller_id: OWN.number,
      part_count: 1,
      date_edited: 0,
      date_retracted: 0,
      ...(row.chat && { reply_to_guid: this.#previous(row.chat, row.guid) }),
      ...row.columns,
    });
  }

  /** The message before this one in its chat; this one is the last from here on. */
  #previous(chat: StoredChat, guid: string): string | null {
    const previous = this.#lastOf.get(chat.guid) ?? this.#lastJoined(chat);
    this.#lastOf.set(chat.guid, guid);
    return previous;
  }

  #lastJoined(chat: StoredChat): string | null {
    const sql = `SELECT m.guid FROM chat_message_join j JOIN message m ON m.ROWID = j.message_id
      WHERE j.chat_id = ? ORDER BY j.message_id DESC LIMIT 1`;
    return this.#file.get<{ guid: string }>(sql, chat.rowid)?.guid ?? null;
  }

  /** The message's place in its chat. */
  join(guid: string, chat: StoredChat): void {
    const hasDate = this.#file.columns('chat_message_join').has('message_date');
    const insert = `INSERT OR IGNORE INTO chat_message_join (chat_id, message_id${hasDate ? ', message_date' : ''})
      SELECT ?, ROWID${hasDate ? ', date' : ''} FROM message WHERE guid = ?`;
    if (!chat.isGroup) {
      this.#file.run(insert, chat.rowid, guid);
      return;
    }
    // On a Mac a trigger does the second, in the transaction of the first.
    this.#file.transaction(() => {
      this.#file.run(insert, chat.rowid, guid);
      this.set(guid, { cache_roomnames: chat.identifier });
    });
  }

  attachment(row: AttachmentRow): void {
    this.#file.insert('attachment', {
      guid: row.guid,
      original_guid: row.guid,
      created_date: appleNanoseconds(row.dateAt),
      start_date: appleNanoseconds(row.dateAt),
      filename: row.filename,
      uti: row.uti,
      mime_type: row.mimeType,
      transfer_state: row.transferState,
      is_outgoing: row.isOutgoing ? 1 : 0,
      transfer_name: row.name,
      total_bytes: row.sizeBytes,
      is_sticker: row.isSticker ? 1 : 0,
      hide_attachment: row.isHidden ? 1 : 0,
    });
  }

  joinAttachment(message: string, attachment: string): void {
    if (this.#file.columns('message_attachment_join').size > 0 && this.#file.columns('attachment').size > 0) {
      this.#file.run(
        `INSERT OR IGNORE INTO message_attachment_join (message_id, attachment_id)
         SELECT m.ROWID, a.ROWID FROM message m, attachment a WHERE m.guid = ? AND a.guid = ?`,
        message,
        attachment,
      );
    }
    this.set(message, { cache_has_attachments: 1 });
  }

  /** Changes columns of one message, those this chat.db has; false when there is none of this guid (any more). */
  set(guid: string, columns: Readonly<Record<string, SqlValue>>): boolean {
    return this.#update('message', guid, columns);
  }

  setAttachment(guid: string, columns: Readonly<Record<string, SqlValue>>): boolean {
    return this.#update('attachment', guid, columns);
  }

  setChat(guid: string, columns: Readonly<Record<string, SqlValue>>): boolean {
    return this.#update('chat', guid, columns);
  }

  #update(table: string, guid: string, columns: Readonly<Record<string, SqlValue>>): boolean {
    const there = this.#file.columns(table);
    if (there.size === 0) return false;
    const names = Object.keys(columns).filter((name) => there.has(name));
    const assignments = ['guid = guid', ...names.map((name) => `${name} = ?`)];
    const sql = `UPDATE ${table} SET ${assignments.join(', ')} WHERE guid = ?`;
    return this.#file.run(sql, ...names.map((name) => columns[name]!), guid).changes === 1;
  }
}

function asChat(row: unknown): StoredChat | undefined {
  const chat = row as (Omit<StoredChat, 'isGroup'> & { isGroup: number }) | undefined;
  return chat && { ...chat, isGroup: chat.isGroup === 1 };
}
