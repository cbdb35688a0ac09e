import { randomUUID } from 'node:crypto';
import type { ChatDbFile, SqlValue } from './ChatDbFile.ts';
import type { ChatRows, StoredChat } from './ChatRows.ts';
import { attachmentGuid, attachmentsOf, contentsOf } from './contents.ts';
import type { Incoming } from './Incoming.ts';
import type { Delays, Later } from './Later.ts';
import type { MessageDates } from './MessageDates.ts';
import { type PlacedAttachment, placeAttachment, TRANSFER } from './placeAttachment.ts';

/** What all who write to a simulated Mac write with. */
export interface WriterParts {
  readonly file: ChatDbFile;
  readonly rows: ChatRows;
  readonly dates: MessageDates;
  readonly delays: Delays;
  readonly later: Later;
  readonly attachmentsPath: string;
}

/** A message row with what has to be joined to it. */
interface Written {
  readonly guid: string;
  readonly chat: StoredChat;
  readonly service: string;
  readonly files: readonly PlacedAttachment[];
}

/**
 * Writes messages into chat.db as late and in as many steps as on a real Mac:
 *
 *   message row ─┬─ (joinMs) chat_message_join ─ (attachmentMs) message_attachment_join, cache_has_attachments
 *                ├─ (bodyMs) the body, or all of it      ├─ (downloadMs) the file, transfer_state 5
 *                ├─ (handleMs) handle_id                 └─ (transcriptMs) the body with what was heard
 *                └─ (fromMeMs) is_from_me
 */
export class MessageWriter {
  readonly #o: WriterParts;
  /** What is written when it is asked for, by guid. */
  readonly #asked = new Map<string, () => void>();

  constructor(o: WriterParts) {
    this.#o = o;
  }

  /** The row is there on return, the rest follows. Returns the guid. */
  write(incoming: Incoming): string {
    const { file, rows, delays, later } = this.#o;
    const written = file.transaction(() => this.#insert(incoming));
    const { joinMs = delays.joinMs, attachmentMs = delays.attachmentMs } = incoming;
    if (joinMs !== 'never') {
      later.after(joinMs, () => {
        rows.join(written.guid, written.chat);
        if (written.files.length === 0) return;
        later.after(attachmentMs, () => file.transaction(() => this.#joinAttachments(written)));
      });
    }
    this.#rest(incoming, written);
    return written.guid;
  }

  /** Messages that appear complete, all in one commit, as after a time without network. Returns the guids. */
  writeMany(incoming: readonly Incoming[]): string[] {
    const written = this.#o.file.transaction(() =>
      incoming.map((message) => {
        const one = this.#insert(message);
        if (message.joinMs !== 'never') {
          this.#o.rows.join(one.guid, one.chat);
          this.#joinAttachments(one);
        }
        return one;
      }),
    );
    for (const [index, one] of written.entries()) this.#rest(incoming[index]!, one);
    return written.map(({ guid }) => guid);
  }

  /** Writes what a row was to get when it is asked for. */
  fill(guid: string): void {
    const write = this.#asked.get(guid);
    if (!write) throw new Error(`nothing is kept back of ${guid}`);
    this.#asked.delete(guid);
    write();
  }

  /** The conversation somebody writes in. */
  chatOf({
    from,
    group,
    service = 'iMessage',
    chatPrefix,
  }: Pick<Incoming, 'from' | 'group' | 'service' | 'chatPrefix'>) {
    return this.#o.rows.chat({
      identifier: group?.id ?? from,
      isGroup: group !== undefined,
      service,
      participants: group?.participants ?? [from],
      ...(group?.name !== undefined && { displayName: group.name }),
      ...(chatPrefix !== undefined && { prefix: chatPrefix }),
    });
  }

  #insert(incoming: Incoming): Written {
    const { rows, dates, attachmentsPath } = this.#o;
    const service = incoming.service ?? (incoming.satellite ? 'iMessageLite' : 'iMessage');
    const guid = incoming.guid ?? randomUUID().toUpperCase();
    const { group, from, fromMe = false } = incoming;
    const date = dates.next(service, incoming.dateAt);
    const chat = this.chatOf({ ...incoming, service });
    const isShownAsMine = fromMe && incoming.fromMeMs === undefined;
    const isHandleKnown = incoming.handleMs === undefined && !(isShownAsMine && group !== undefined);
    rows.message({
      guid,
      isFromMe: isShownAsMine,
      handle: isHandleKnown ? rows.handle(from, service) : 0,
      service,
      date,
      chat,
      text: null,
      body: null,
      columns: { ...this.#columns(incoming, guid), ...incoming.columns },
    });
    const files = attachmentsOf(incoming).map((attachment, index) => {
      const at = { dateAt: incoming.dateAt ?? dates.now(), isOutgoing: fromMe };
      const placed = placeAttachment(attachmentsPath, attachmentGuid(guid, index), attachment, at);
      if (placed.downloadMs === 0) placed.writeFile();
      rows.attachment(placed.row);
      return placed;
    });
    return { guid, chat, service, files };
  }

  #columns(incoming: Incoming, guid: string): Record<string, SqlValue> {
    const { fillsText } = this.#o.file;
    const isLater = incoming.bodyMs !== undefined;
    const heard = incoming.audio?.transcriptMs === undefined;
    const replyPart = incoming.replyPart ?? 0;
    return {
      ...((!isLater || incoming.cutTo !== undefined) && contentsOf(incoming, guid, { fillsText, cut: isLater, heard })),
      ...(incoming.fromMe && { is_sent: 1, is_finished: 1 }),
      ...(incoming.audio && { is_audio_message: 1, is_expirable: 1 }),
      ...(incoming.replyTo !== undefined && {
        thread_originator_guid: incoming.replyTo,
        thread_originator_part: `${replyPart}:0:${incoming.text?.length ?? 0}`,
      }),
      ...(incoming.satellite && {
        is_stewie: 1,
        sent_or_received_off_grid: 1,
        ...(incoming.fromMe && { is_pending_satellite_send: 1, is_sent: 0, is_finished: 0 }),
      }),
    };
  }

  /** What follows beside the joins. */
  #rest(incoming: Incoming, { guid, service, files }: Written): void {
    const { file, rows, later } = this.#o;
    const after = (ms: number | 'asked', write: () => void) =>
      ms === 'asked' ? void this.#asked.set(guid, write) : later.after(ms, write);
    const { bodyMs, handleMs, fromMeMs, audio } = incoming;
    const heard = audio?.transcriptMs === undefined;
    const { fillsText } = file;
    const contents = (o: { heard: boolean }) => ({ ...contentsOf(incoming, guid, { fillsText, ...o }) });
    if (bodyMs !== undefined) after(bodyMs, () => rows.set(guid, contents({ heard })));
    if (!heard) after(audio.transcriptMs!, () => rows.set(guid, contents({ heard: true })));
    if (handleMs !== undefined) {
      later.after(handleMs, () => rows.set(guid, { handle_id: rows.handle(incoming.from, service) }));
    }
    if (fromMeMs !== undefined) {
      const handle = incoming.group ? { handle_id: 0 } : {};
      later.after(fromMeMs, () => rows.set(guid, { is_from_me: 1, ...handle }));
    }
    for (const { row, writeFile, downloadMs } of files) {
      if (downloadMs === undefined || downloadMs === 0) continue;
      later.after(downloadMs, () => {
        writeFile();
        rows.setAttachment(row.guid, { transfer_state: TRANSFER.finished });
      });
    }
  }

  #joinAttachments({ guid, files }: Written): void {
    for (const { row } of files) this.#o.rows.joinAttachment(guid, row.guid);
  }
}
