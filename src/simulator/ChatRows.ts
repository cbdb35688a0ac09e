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
  readonly dateAt: number;
  readonly body: Uint8Array | null;
  readonly text: string | null;
  /** Any other column of `message`, or one of the above again. */
  readonly columns?: Readonly<Record<string, SqlValue>>;
}

export interface AttachmentRow {
  readonly guid: string;
  readonly name: string;
  readonly mimeType: string;
  readonly sizeBytes: number;
  /** As stored, with a literal tilde: `~/Library/Messages/Attachments/…`. */
  readonly filename: string;
  readonly isOutgoing: boolean;
  readonly dateAt: number;
}

const CHAT = `SELECT ROWID AS rowid, guid, chat_identifier AS identifier, style = 43 AS isGroup, service_name AS service FROM chat`;
/** chat.style of a group and of a conversation of two. */
const STYLE = { group: 43, pair: 45 } as const;
/** attachment.transfer_state: everything has arrived. */
const TRANSFER_FINISHED = 5;

/**
 * Writes the rows of a chat.db. The caller decides what is one transaction. Messages are named by guid throughout: a
 * ROWID kept for later means another message once the file was replaced.
 */
export class ChatRows {
  readonly #file: ChatDbFile;

  constructor(file: ChatDbFile) {
    this.#file = file;
  }

  /** handle.ROWID; one person has one row per service. */
  handle(id: string, service: string): number {
    this.#file.run(`INSERT OR IGNORE INTO handle (id, country, service) VALUES (?, 'us', ?)`, id, service);
    return this.#file.get<{ rowid: number }>(
      `SELECT ROWID AS rowid FROM handle WHERE id = ? AND service = ?`,
      id,
      service,
    )!.rowid;
  }

  chatByGuid(guid: string): StoredChat | undefined {
    return asChat(this.#file.get(`${CHAT} WHERE guid = ?`, guid));
  }

  chatOfMessage(guid: string): StoredChat | undefined {
    return asChat(
      this.#file.get(
        `${CHAT} WHERE ROWID = (SELECT chat_id FROM chat_message_join j JOIN message m ON m.ROWID = j.message_id
         WHERE m.guid = ? ORDER BY chat_id DESC LIMIT 1)`,
        guid,
      ),
    );
  }

  /** The conversation, made with its members where it does not exist. macOS 26 keeps one per person, not per service. */
  chat(spec: ChatSpec): StoredChat {
    const prefix = this.#file.macos >= 26 ? 'any' : spec.service;
    const guid = `${prefix};${spec.isGroup ? '+' : '-'};${spec.identifier}`;
    const known = this.chatByGuid(guid);
    if (known) return known;
    const { lastInsertRowid } = this.#file.run(
      `INSERT INTO chat (guid, style, state, account_id, account_login, chat_identifier, service_name, room_name,
         display_name, group_id, last_addressed_handle) VALUES (?, ?, 3, ?, ?, ?, ?, ?, ?, ?, ?)`,
      guid,
      spec.isGroup ? STYLE.group : STYLE.pair,
      randomUUID().toUpperCase(),
      OWN.login,
      spec.identifier,
      spec.service,
      spec.isGroup ? spec.identifier : null,
      spec.displayName ?? '',
      randomUUID().toUpperCase(),
      OWN.number,
    );
    for (const participant of spec.participants) {
      this.#file.run(
        'INSERT INTO chat_handle_join (chat_id, handle_id) VALUES (?, ?)',
        lastInsertRowid,
        this.handle(participant, spec.service),
      );
    }
    return this.chatByGuid(guid)!;
  }

  /** The message row alone: no chat yet, no attachment. */
  message(row: MessageRow): void {
    const values: Record<string, SqlValue> = {
      guid: row.guid,
      text: row.text,
      attributedBody: row.body,
      handle_id: row.handle,
      service: row.service,
      account: OWN.login,
      date: appleNanoseconds(row.dateAt),
      date_read: 0,
      date_delivered: 0,
      is_from_me: row.isFromMe ? 1 : 0,
      // An own row is finished when the service took it.
      is_finished: row.isFromMe ? 0 : 1,
      is_delivered: row.isFromMe ? 0 : 1,
      destination_caller_id: OWN.number,
      ...(this.#file.macos >= 13 && { part_count: 1 }),
      ...row.columns,
    };
    const names = Object.keys(values);
    const sql = `INSERT INTO message (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
    this.#file.run(sql, ...Object.values(values));
  }

  /** The message's place in its chat. */
  join(guid: string, chat: StoredChat): void {
    const insert = `
      INSERT INTO chat_message_join (chat_id, message_id, message_date) SELECT ?, ROWID, date FROM message WHERE guid = ?`;
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
    this.#file.run(
      `INSERT INTO attachment (guid, original_guid, created_date, start_date, filename, mime_type, transfer_state,
         is_outgoing, transfer_name, total_bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      row.guid,
      row.guid,
      appleNanoseconds(row.dateAt),
      appleNanoseconds(row.dateAt),
      row.filename,
      row.mimeType,
      TRANSFER_FINISHED,
      row.isOutgoing ? 1 : 0,
      row.name,
      row.sizeBytes,
    );
  }

  joinAttachment(message: string, attachment: string): void {
    this.#file.run(
      `INSERT INTO message_attachment_join (message_id, attachment_id)
       SELECT m.ROWID, a.ROWID FROM message m, attachment a WHERE m.guid = ? AND a.guid = ?`,
      message,
      attachment,
    );
    this.set(message, { cache_has_attachments: 1 });
  }

  /** Changes columns of one message; false when there is none of this guid (any more). */
  set(guid: string, columns: Readonly<Record<string, SqlValue>>): boolean {
    const assignments = Object.keys(columns).map((name) => `${name} = ?`);
    const sql = `UPDATE message SET ${assignments.join(', ')} WHERE guid = ?`;
    return this.#file.run(sql, ...Object.values(columns), guid).changes === 1;
  }
}

function asChat(row: unknown): StoredChat | undefined {
  const chat = row as (Omit<StoredChat, 'isGroup'> & { isGroup: number }) | undefined;
  return chat && { ...chat, isGroup: chat.isGroup === 1 };
}
