import { randomUUID } from 'node:crypto';
import type { Clock } from '../util/Clock.ts';
import { appleNanoseconds } from './appleTime.ts';
import type { ChatDbFile, SqlValue } from './ChatDbFile.ts';
import type { ChatRows, StoredChat } from './ChatRows.ts';
import { type Incoming, type Reaction, TAPBACKS } from './Incoming.ts';
import type { Delays, Later } from './Later.ts';
import { storeAttachment } from './storeAttachment.ts';
import { encodeBody, plainSegments } from './typedstreamEncoder.ts';

/** A message row with what has to be joined to it. */
interface Written {
  readonly guid: string;
  readonly chat: StoredChat;
  /** attachment.guid */
  readonly attachments: readonly string[];
}

/**
 * The people who write to the simulated Mac. chat.db shows what they do as late and in as many steps as on a real one:
 *
 *   message row → (joinMs) chat_message_join → (attachmentMs) message_attachment_join, cache_has_attachments
 */
export class People {
  readonly #file: ChatDbFile;
  readonly #rows: ChatRows;
  readonly #attachmentsPath: string;
  readonly #clock: Clock;
  readonly #delays: Delays;
  readonly #later: Later;

  constructor(o: {
    file: ChatDbFile;
    rows: ChatRows;
    attachmentsPath: string;
    clock: Clock;
    delays: Delays;
    later: Later;
  }) {
    this.#file = o.file;
    this.#rows = o.rows;
    this.#attachmentsPath = o.attachmentsPath;
    this.#clock = o.clock;
    this.#delays = o.delays;
    this.#later = o.later;
  }

  /** A message arrives: its row is there on return, the rest follows. Returns the guid. */
  receive(incoming: Incoming): string {
    const written = this.#file.transaction(() => this.#write(incoming));
    const { joinMs = this.#delays.joinMs, attachmentMs = this.#delays.attachmentMs } = incoming;
    if (joinMs !== 'never') {
      this.#later.after(joinMs, () => {
        this.#rows.join(written.guid, written.chat);
        if (written.attachments.length === 0) return;
        this.#later.after(attachmentMs, () => this.#file.transaction(() => this.#joinAttachments(written)));
      });
    }
    if (incoming.bodyMs !== undefined) {
      this.#later.after(incoming.bodyMs, () => this.#rows.set(written.guid, this.#contents(incoming, written.guid)));
    }
    if (incoming.handleMs !== undefined) {
      const handle = this.#rows.handle(incoming.from, incoming.service ?? 'iMessage');
      this.#later.after(incoming.handleMs, () => this.#rows.set(written.guid, { handle_id: handle }));
    }
    return written.guid;
  }

  /** Messages that appear complete, all in one commit, as after a time without network. Returns the guids. */
  receiveMany(incoming: readonly Incoming[]): string[] {
    return this.#file.transaction(() =>
      incoming.map((message) => {
        const written = this.#write(message);
        if (message.joinMs !== 'never') {
          this.#rows.join(written.guid, written.chat);
          this.#joinAttachments(written);
        }
        return written.guid;
      }),
    );
  }

  /** A tapback, or its removal. A person's earlier one on the same message goes (a gap in the ROWIDs). */
  react(reaction: Reaction): string {
    const chat = this.#rows.chatOfMessage(reaction.target);
    if (!chat) throw new Error(`no message ${reaction.target} in a chat`);
    const { type, words } = TAPBACKS[reaction.kind];
    const handle = this.#rows.handle(reaction.from, chat.service);
    const associated = `p:${reaction.part ?? 0}/${reaction.target}`;
    const guid = randomUUID().toUpperCase();
    const text = `${reaction.removed ? 'Removed a reaction from' : words} a message`;
    this.#file.transaction(() => {
      this.#file.run(
        'DELETE FROM message WHERE handle_id = ? AND associated_message_guid = ? AND associated_message_type >= 2000',
        handle,
        associated,
      );
      this.#rows.message({
        guid,
        isFromMe: false,
        handle,
        service: chat.service,
        dateAt: this.#clock.now(),
        text: null,
        body: encodeBody(plainSegments(text)),
        columns: {
          associated_message_guid: associated,
          associated_message_type: type + (reaction.removed ? 1000 : 0),
          ...(reaction.emoji !== undefined && this.#file.macos >= 15 && { associated_message_emoji: reaction.emoji }),
        },
      });
    });
    this.#later.after(this.#delays.joinMs, () => this.#rows.join(guid, chat));
    return guid;
  }

  /** The sender changes the text: same row, same guid; macOS 13 and later. message_summary_info is not written. */
  edit(guid: string, text: string): void {
    this.#change(guid, {
      text: null,
      attributedBody: encodeBody(plainSegments(text)),
      date_edited: appleNanoseconds(this.#clock.now()),
    });
  }

  /** The sender takes the message back: the row stays, the text is gone; macOS 13 and later. */
  unsend(guid: string): void {
    this.#change(guid, {
      text: null,
      attributedBody: null,
      is_empty: 1,
      part_count: 0,
      date_edited: appleNanoseconds(this.#clock.now()),
    });
  }

  /** The message was read: by oneself an inbound one, by the other party an own one. */
  read(guid: string): void {
    this.#change(guid, { is_read: 1, date_read: appleNanoseconds(this.#clock.now()) });
  }

  /** The row is deleted, which on a Mac only Messages itself can do. */
  remove(guid: string): void {
    this.#file.run('DELETE FROM message WHERE guid = ?', guid);
  }

  #change(guid: string, columns: Readonly<Record<string, SqlValue>>): void {
    if (!this.#rows.set(guid, columns)) throw new Error(`no message ${guid}`);
  }

  #write(incoming: Incoming): Written {
    const service = incoming.service ?? 'iMessage';
    const guid = incoming.guid ?? randomUUID().toUpperCase();
    const dateAt = incoming.dateAt ?? this.#clock.now();
    const { group, from, fromMe = false } = incoming;
    const chat = this.#rows.chat({
      identifier: group?.id ?? from,
      isGroup: group !== undefined,
      service,
      participants: group?.participants ?? [from],
      ...(group?.name !== undefined && { displayName: group.name }),
    });
    const isHandleKnown = incoming.handleMs === undefined && !(fromMe && group !== undefined);
    this.#rows.message({
      guid,
      isFromMe: fromMe,
      handle: isHandleKnown ? this.#rows.handle(from, service) : 0,
      service,
      dateAt,
      text: null,
      body: null,
      columns: {
        ...(incoming.bodyMs === undefined && this.#contents(incoming, guid)),
        ...(fromMe && { is_sent: 1, is_finished: 1 }),
        ...incoming.columns,
      },
    });
    const attachments = (incoming.attachments ?? []).map((attachment, index) => {
      const its = attachmentGuid(guid, index);
      this.#rows.attachment(storeAttachment(this.#attachmentsPath, its, attachment, { dateAt, isOutgoing: fromMe }));
      return its;
    });
    return { guid, chat, attachments };
  }

  /** The columns that carry the text. */
  #contents(incoming: Incoming, guid: string): { text: string | null; attributedBody: Uint8Array | null } {
    const attachments = (incoming.attachments ?? []).map((_, index) => attachmentGuid(guid, index));
    const segments = incoming.segments ?? plainSegments(incoming.text ?? '', attachments);
    const body =
      typeof incoming.body === 'string'
        ? Buffer.from(incoming.body, 'base64')
        : encodeBody(segments, { mutable: incoming.fromMe ?? false });
    // Up to macOS 12 the column was filled as a rule.
    const textColumn = incoming.textColumn ?? this.#file.macos === 12;
    return {
      text: textColumn ? segments.map(({ text }) => text).join('') : null,
      attributedBody: incoming.body === null ? null : body,
    };
  }

  #joinAttachments(written: Written): void {
    for (const attachment of written.attachments) this.#rows.joinAttachment(written.guid, attachment);
  }
}

function attachmentGuid(message: string, index: number): string {
  return `at_${index}_${message}`;
}
