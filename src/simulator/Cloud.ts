import { randomUUID } from 'node:crypto';
import type { MessageWriter, WriterParts } from './MessageWriter.ts';

const MINUTE_MS = 60_000;
/** Joins that go with a message. */
const JOINS = ['chat_message_join', 'message_attachment_join'] as const;

/** Messages of the past that iCloud brings: new rows with new guids and the dates they were written at. */
export interface BackfillBlock {
  readonly messages: number;
  /** How old the newest is, ms; each earlier one is a minute older. @default a day */
  readonly olderMs?: number;
  /** In no order of dates. @default oldest first */
  readonly shuffled?: boolean;
  /** Who they are with, in turn. @default one person */
  readonly threads?: readonly string[];
  /** Which part of them is one's own, 0 to 1. @default 0 */
  readonly ownShare?: number;
  /** A commit each, so many ms apart. @default all in one commit */
  readonly everyMs?: number;
  /** Chooses the order of `shuffled`. @default 1 */
  readonly seed?: number;
}

/** What iCloud and upgrades do to rows that are there, and bring to those that are. */
export class Cloud {
  readonly #o: WriterParts;
  readonly #writer: MessageWriter;

  constructor(o: WriterParts & { writer: MessageWriter }) {
    this.#o = o;
    this.#writer = o.writer;
  }

  /** The row is deleted and written again under another ROWID, in one commit; under another guid, if one is given. */
  reinsert(guid: string, o: { guid?: string } = {}): string {
    return this.#o.file.transaction(() => {
      const copy = this.copy(guid);
      this.#o.file.run('DELETE FROM message WHERE guid = ?', guid);
      this.#o.file.run('UPDATE message SET guid = ? WHERE guid = ?', o.guid ?? guid, copy);
      return o.guid ?? guid;
    });
  }

  /** The message a second time, with another guid and the same of everything else. Returns that guid. */
  copy(guid: string, o: { guid?: string } = {}): string {
    const { file } = this.#o;
    const copy = o.guid ?? randomUUID().toUpperCase();
    const columns = [...file.columns('message')].filter((name) => !['ROWID', 'guid'].includes(name)).join(', ');
    file.transaction(() => {
      const { changes, lastInsertRowid } = file.run(
        `INSERT INTO message (guid, ${columns}) SELECT ?, ${columns} FROM message WHERE guid = ?`,
        copy,
        guid,
      );
      if (changes === 0) throw new Error(`no message ${guid}`);
      for (const table of JOINS) {
        const rest = [...file.columns(table)].filter((name) => name !== 'message_id').join(', ');
        if (rest === '') continue;
        file.run(
          `INSERT INTO ${table} (message_id, ${rest}) SELECT ?, ${rest} FROM ${table}
           WHERE message_id = (SELECT ROWID FROM message WHERE guid = ?)`,
          lastInsertRowid,
          guid,
        );
      }
      this.#o.rows.set(copy, { ck_sync_state: 1 });
    });
    return copy;
  }

  /** Messages of the past. Their guids in order of their ROWIDs; with `everyMs` they are not all there yet. */
  backfillBlock(block: BackfillBlock): string[] {
    return this.backfillMessages(block).map(({ guid }) => guid);
  }

  /** The same, with what they say. */
  backfillMessages(block: BackfillBlock): { guid: string; from: string; text: string }[] {
    const { olderMs = 24 * 60 * MINUTE_MS, threads = ['+15550100001'], ownShare = 0, everyMs } = block;
    const now = this.#o.dates.now();
    const ages = Array.from({ length: block.messages }, (_, index) => block.messages - 1 - index);
    if (block.shuffled) shuffle(ages, block.seed ?? 1);
    const messages = ages.map((age, index) => ({
      guid: randomUUID().toUpperCase(),
      from: threads[age % threads.length]!,
      text: `message ${age} of the past`,
      // Spread evenly: the whole part of the sum goes up by one at each own message.
      fromMe: Math.floor((index + 1) * ownShare) > Math.floor(index * ownShare),
      columns: { date: this.#o.dates.distinct(now - olderMs - age * MINUTE_MS), is_read: 1, ck_sync_state: 1 },
    }));
    if (everyMs === undefined) this.#writer.writeMany(messages);
    else {
      for (const [index, message] of messages.entries()) {
        this.#o.later.after(index * everyMs, () => this.#writer.writeMany([message]));
      }
    }
    return messages;
  }

  /** The chats of a person or group get another guid: `any;-;…` in place of `iMessage;-;…`, as after an upgrade. */
  changePrefix(identifier: string, prefix: string): void {
    this.#o.rows.changePrefix(identifier, prefix);
  }
}

/** Fisher-Yates, on the numbers of a linear congruential generator (Numerical Recipes), so that a seed repeats it. */
function shuffle(values: number[], seed: number): void {
  let state = seed >>> 0;
  for (let index = values.length - 1; index > 0; index--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const other = Math.floor((state / 2 ** 32) * (index + 1));
    [values[index], values[other]] = [values[other]!, values[index]!];
  }
}
