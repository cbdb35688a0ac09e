import { randomUUID } from 'node:crypto';
import type { MessageWriter, WriterParts } from './MessageWriter.ts';

/** schedule_type and schedule_state of a message that waits for its time. */
const SCHEDULED = { schedule_type: 2, schedule_state: 2 } as const;

/** What one does oneself without osascript: by hand, on another device. `people.receive({ fromMe })` is the plain case. */
export class OwnMessages {
  readonly #o: WriterParts;
  readonly #writer: MessageWriter;

  constructor(o: WriterParts & { writer: MessageWriter }) {
    this.#o = o;
    this.#writer = o.writer;
  }

  /** Send Later, macOS 15 and later: the row is there at once, with a date that lies ahead (`at`, ms since 1970). */
  sendLater(o: { to: string; text: string; at: number }): string {
    if (this.#o.file.macos < 15) throw new Error(`macOS ${this.#o.file.macos} knows no Send Later`);
    return this.#writer.write({
      from: o.to,
      fromMe: true,
      text: o.text,
      dateAt: o.at,
      columns: { ...SCHEDULED, is_sent: 0, is_finished: 0 },
    });
  }

  /**
   * A message to oneself: the own row and, `copyMs` later, the same text as an inbound row with another guid; on newer
   * systems the own row alone (`never`). Both guids, of which the second is not there yet.
   */
  toSelf(o: { address: string; text: string; copyMs?: number | 'never' }): { guid: string; copy?: string } {
    const message = { from: o.address, text: o.text };
    const guid = this.#writer.write({ ...message, fromMe: true });
    const copyMs = o.copyMs ?? this.#o.delays.selfCopyMs;
    if (copyMs === 'never') return { guid };
    return { guid, copy: this.copyFromSelf({ ...message, afterMs: copyMs }) };
  }

  /** The inbound row alone, `afterMs` from now: what follows a bubble that osascript sent to oneself. Returns its guid. */
  copyFromSelf(o: { from: string; text: string; afterMs: number }): string {
    const guid = randomUUID().toUpperCase();
    this.#o.later.after(o.afterMs, () => this.#writer.write({ guid, from: o.from, text: o.text }));
    return guid;
  }
}
