import { randomUUID } from 'node:crypto';
import type { SqlValue } from './ChatDbFile.ts';
import type { StoredChat } from './ChatRows.ts';
import { textOf } from './contents.ts';
import type { IncomingAttachment } from './Incoming.ts';
import type { MessageWriter, WriterParts } from './MessageWriter.ts';
import { encodeSummary } from './messageSummary.ts';
import { encodePoll, POLLS } from './payloads.ts';
import { storedSegments } from './storedBody.ts';
import { fallbackText, REMOVED, TAPBACKS, type Tapback } from './tapbacks.ts';

/** A sticker put on a message, and a vote in a poll. */
const STICKER = 1000;
const VOTE = 4000;
const STICKER_FILE: IncomingAttachment = { name: 'Sticker.heic', mimeType: 'image/heic', uti: 'public.heic' };

/** Who does it to which message. */
interface Associated {
  /** The handle of the one who does it; for oneself the other party of a conversation of two. */
  readonly from: string;
  readonly fromMe?: boolean;
  /** guid of the message. */
  readonly target: string;
  /** Part of the message. @default 0 */
  readonly part?: number;
  /** `p:<part>/<guid>`, `bp:<guid>` (the whole balloon) or the bare guid. @default part */
  readonly form?: 'part' | 'balloon' | 'bare';
  /** ms since 1970 @default now */
  readonly dateAt?: number;
}

/** Somebody reacts to a message. */
export interface Reaction extends Associated {
  readonly kind: Tapback;
  /** For kind `emoji`; its column came with macOS 15. */
  readonly emoji?: string;
  /** For kind `sticker`. @default a picture */
  readonly sticker?: IncomingAttachment;
  /** The reaction is taken back. @default false */
  readonly removed?: boolean;
  /** As a text of words, the way a phone without iMessage shows it: `Loved “hello”`. @default false */
  readonly asText?: boolean;
}

/** A sticker dragged onto a message. */
export interface PlacedSticker extends Associated {
  /** @default a picture */
  readonly sticker?: IncomingAttachment;
}

/** A choice in a poll; a person's later one is a row beside the earlier. */
export interface Vote extends Associated {
  /** Identifiers of the options chosen. */
  readonly options: readonly string[];
}

/** Those who react: rows of their own that point to a message by associated_message_guid. */
export class Reactions {
  readonly #o: WriterParts;
  readonly #writer: MessageWriter;

  constructor(o: WriterParts & { writer: MessageWriter }) {
    this.#o = o;
    this.#writer = o.writer;
  }

  /** A tapback, or its removal. A person's earlier one on the same part goes (a gap in the ROWIDs). */
  react(reaction: Reaction): string {
    const chat = this.#chatOf(reaction.target);
    const quoted = textOf(storedSegments(this.#o.file, reaction.target) ?? []);
    const text = fallbackText(reaction.kind, quoted, reaction);
    if (reaction.asText) return this.#write(reaction, chat, { text });
    const associated = associatedGuid(reaction);
    return this.#o.file.transaction(() => {
      this.#removeEarlier(reaction, chat, associated);
      const isStuck = reaction.kind === 'sticker' && !reaction.removed;
      return this.#write(reaction, chat, {
        text,
        ...(isStuck && { attachments: [{ ...STICKER_FILE, ...reaction.sticker, isSticker: true }] }),
        columns: {
          associated_message_guid: associated,
          associated_message_type: TAPBACKS[reaction.kind].type + (reaction.removed ? REMOVED : 0),
          associated_message_range_length: quoted.length,
          associated_message_emoji: reaction.emoji ?? null,
          message_summary_info: encodeSummary({ associatedText: quoted }),
        },
      });
    });
  }

  /** Where no column says that a row is a tapback, none can be found, and all stay. */
  #removeEarlier({ from, fromMe }: Reaction, chat: StoredChat, associated: string): void {
    const columns = this.#o.file.columns('message');
    if (!columns.has('associated_message_guid') || !columns.has('associated_message_type')) return;
    this.#o.file.run(
      `DELETE FROM message WHERE is_from_me = ? AND handle_id = ? AND associated_message_guid = ?
       AND associated_message_type BETWEEN 2000 AND 3999`,
      fromMe ? 1 : 0,
      fromMe && chat.isGroup ? 0 : this.#o.rows.handle(personIn(chat, from), chat.service),
      associated,
    );
  }

  /** A sticker on a message, with its picture. */
  placeSticker(placed: PlacedSticker): string {
    return this.#write(placed, this.#chatOf(placed.target), {
      attachments: [{ ...STICKER_FILE, ...placed.sticker, isSticker: true }],
      columns: { associated_message_guid: associatedGuid(placed), associated_message_type: STICKER },
    });
  }

  /** A vote in a poll, macOS 26. */
  vote(vote: Vote): string {
    return this.#write(vote, this.#chatOf(vote.target), {
      text: '\uFFFD',
      columns: {
        associated_message_guid: associatedGuid(vote),
        associated_message_type: VOTE,
        balloon_bundle_id: POLLS,
        payload_data: encodePoll({
          votes: vote.options.map((option) => ({ participantHandle: vote.from, voteOptionIdentifier: option })),
        }),
      },
    });
  }

  #chatOf(target: string): StoredChat {
    const chat = this.#o.rows.chatOfMessage(target);
    if (!chat) throw new Error(`no message ${target} in a chat`);
    return chat;
  }

  /** Into the conversation that is there, whatever its members: `group` names it, and changes nothing. */
  #write(
    { from, fromMe = false, dateAt }: Associated,
    chat: StoredChat,
    what: { text?: string; attachments?: readonly IncomingAttachment[]; columns?: Readonly<Record<string, SqlValue>> },
  ): string {
    return this.#writer.write({
      guid: randomUUID().toUpperCase(),
      from: personIn(chat, from),
      fromMe,
      service: chat.service,
      chatPrefix: chat.guid.split(';')[0]!,
      ...(chat.isGroup && { group: { id: chat.identifier } }),
      ...(dateAt !== undefined && { dateAt }),
      ...what,
    });
  }
}

/** The rows of a conversation of two name the other party, whoever wrote them. */
function personIn(chat: StoredChat, from: string): string {
  return chat.isGroup ? from : chat.identifier;
}

function associatedGuid({ target, part = 0, form = 'part' }: Associated): string {
  if (form === 'part') return `p:${part}/${target}`;
  return form === 'balloon' ? `bp:${target}` : target;
}
