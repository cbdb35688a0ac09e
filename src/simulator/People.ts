import { appleNanoseconds } from './appleTime.ts';
import type { SqlValue } from './ChatDbFile.ts';
import { type EditOptions, Edits } from './Edits.ts';
import type { Incoming } from './Incoming.ts';
import type { MessageWriter, WriterParts } from './MessageWriter.ts';
import { type PlacedSticker, type Reaction, Reactions, type Vote } from './Reactions.ts';

/** The people who write to the simulated Mac, and what they do to what was written. */
export class People {
  readonly #o: WriterParts;
  readonly #writer: MessageWriter;
  readonly #reactions: Reactions;
  readonly #edits: Edits;

  constructor(o: WriterParts & { writer: MessageWriter }) {
    this.#o = o;
    this.#writer = o.writer;
    this.#reactions = new Reactions(o);
    this.#edits = new Edits(o);
  }

  /** A message arrives: its row is there on return, the rest follows. Returns the guid. */
  receive(incoming: Incoming): string {
    return this.#writer.write(incoming);
  }

  /** Messages that appear complete, all in one commit, as after a time without network. Returns the guids. */
  receiveMany(incoming: readonly Incoming[]): string[] {
    return this.#writer.writeMany(incoming);
  }

  /** What was kept back of a message (`bodyMs` or `transcriptMs` `asked`) is written. */
  fill(guid: string): void {
    this.#writer.fill(guid);
  }

  /** A tapback, or its removal. A person's earlier one on the same message goes (a gap in the ROWIDs). */
  react(reaction: Reaction): string {
    return this.#reactions.react(reaction);
  }

  /** A sticker dragged onto a message. */
  placeSticker(placed: PlacedSticker): string {
    return this.#reactions.placeSticker(placed);
  }

  /** A vote in a poll. */
  vote(vote: Vote): string {
    return this.#reactions.vote(vote);
  }

  /** The sender changes the text, up to five times: same row, same guid; macOS 13 and later. */
  edit(guid: string, text: string, o: EditOptions = {}): void {
    this.#edits.edit(guid, text, o);
  }

  /** The sender takes the message, or one part of several, back; macOS 13 and later. */
  unsend(guid: string, o: { part?: number; at?: number } = {}): void {
    this.#edits.unsend(guid, o);
  }

  /** Oneself read an inbound message, on whatever device. */
  read(guid: string): void {
    this.#change(guid, { is_read: 1, date_read: appleNanoseconds(this.#o.dates.now()) });
  }

  /** The other party read an own message, and says so. */
  readByThem(guid: string): void {
    const at = appleNanoseconds(this.#o.dates.now());
    this.#change(guid, { is_delivered: 1, is_read: 1, date_read: at });
  }

  /** An own message reached the other party's device, as late as that may be. */
  delivered(guid: string): void {
    this.#change(guid, { is_delivered: 1, date_delivered: appleNanoseconds(this.#o.dates.now()) });
  }

  /** A message is in a second conversation as well; in the first once it is settled, or later if that is not waited for. */
  alsoIn(guid: string, chat: Pick<Incoming, 'from' | 'group' | 'service' | 'chatPrefix'>): void {
    this.#o.file.transaction(() => this.#o.rows.join(guid, this.#writer.chatOf(chat)));
  }

  /** The row is deleted, which on a Mac only Messages itself can do. */
  remove(guid: string): void {
    this.#o.file.run('DELETE FROM message WHERE guid = ?', guid);
  }

  #change(guid: string, columns: Readonly<Record<string, SqlValue>>): void {
    if (!this.#o.rows.set(guid, columns)) throw new Error(`no message ${guid}`);
  }
}
