import type { ChatRow } from '../chatdb/types.ts';
import type { SendRow } from '../state/SendRow.ts';
import { composed } from '../util/composed.ts';
import { sameHandle } from './address.ts';
import { fileReceipt } from './files/fileReceipt.ts';
import { ownPreviews } from './ownPreviews.ts';
import type { ReceiptSource } from './ReceiptSource.ts';

/** How far a receipt may be dated before its send when the date is all there is (another epoch), ms. */
const SKEW_MS = 10_000;
/**
 * The same past the watermark, ms. iCloud re-inserts old rows of ours with fresh ROWIDs, 82 minutes old and older where it
 * was measured; the row of a bubble is half an hour old at most when it is last looked for, after two attempts of which
 * each has its osascript (5 min) and its settle time (10 min).
 */
const BACKFILL_AGE_MS = 30 * 60_000;
/** The same where an earlier attempt may have left the row: a settle time, the longest there is, lies between them. */
const EARLIER_ATTEMPT_MS = SKEW_MS + 10 * 60_000;
/** Rows asked of chat.db at once, and looked at in one search. Only iCloud writes more of ours within a settle time. */
const PAGE = 200;
const MAX_ROWS = 5000;

/** The text as osascript gets it: an argument holds no NUL, and half a surrogate pair would become another character. */
export function scriptText(text: string): string {
  return text.replaceAll('\0', '').toWellFormed();
}

/** Rows of ours that may prove a send. */
export interface Candidates {
  /** By ROWID. */
  readonly rows: readonly ChatRow[];
  /** See ownPreviews. */
  readonly previews: ReadonlySet<string>;
  /** False: there are more than are looked at, so that nothing is known of a send which none of them proves. */
  readonly isWhole: boolean;
}

/** Our rows of chat.db that may prove one of `sends`; `now` as in ReceiptSearch. @throws EdgeError EDGE_CHATDB_* */
export function candidates(source: ReceiptSource, epoch: number, sends: readonly SendRow[], now: number): Candidates {
  const inEpoch = sends.filter((send) => send.watermarkEpoch === epoch);
  const older = sends.filter((send) => send.watermarkEpoch !== epoch);
  const found = new Map<number, ChatRow>();
  let isWhole = true;
  if (inEpoch.length > 0) {
    const watermark = Math.min(...inEpoch.map((send) => send.watermarkRowid ?? 0));
    const since = Math.min(...inEpoch.map((send) => pastFrom(send, now)));
    isWhole = collect(found, watermark, (after) => source.outgoingAfter(after, PAGE, since));
  }
  if (older.length > 0) {
    const since = Math.min(...older.map(datedFrom));
    isWhole = collect(found, 0, (after) => source.outgoingSince(since, PAGE, after)) && isWhole;
  }
  const rows = [...found.values()].sort((a, b) => a.rowid - b.rowid);
  return { rows, previews: ownPreviews(source, rows), isWhole };
}

/** Adds page after page to `rows`, until one is empty. False: MAX_ROWS have been looked at before. */
function collect(rows: Map<number, ChatRow>, from: number, pageAfter: (rowid: number) => ChatRow[]): boolean {
  let after = from;
  for (let seen = 0; seen < MAX_ROWS; ) {
    const page = pageAfter(after);
    const last = page.at(-1);
    if (!last) return true;
    for (const row of page) rows.set(row.rowid, row);
    seen += page.length;
    after = last.rowid;
  }
  return false;
}

/** What a search for a receipt goes by, beside the send and the rows. */
export interface ReceiptSearch {
  readonly epoch: number;
  /** Wall time, ms since 1970. */
  readonly now: number;
  /** The row proves another send, or none. */
  readonly claimed: (guid: string) => boolean;
  /** Of the rows those that are the preview of a text of ours, by guid. */
  readonly previews: ReadonlySet<string>;
  /** The choice is between a row that may be it and a second bubble. */
  readonly lastLook: boolean;
}

/**
 * The row among `rows` that proves `send`: of its thread, with its text (or its file), not older than it, claimed by no
 * other. On the last look it may also be a row without a chat against which nothing else speaks, and one in which a person
 * has unsent everything: people do so from another device with what has just gone out from here.
 *
 * A bubble that is a bare link reads like the preview below the bubble before it. A preview proves nothing as long as
 * another row may come: taken for the bubble it would hide that this one never went out. On the last look it may be the
 * bubble itself (see ownPreviews), and a second one would follow for certain.
 */
export function findReceipt(send: SendRow, rows: readonly ChatRow[], search: ReceiptSearch): ChatRow | undefined {
  const possible = rows.filter(
    (row) => isPast(send, row, search) && isOfThread(send, row, search.lastLook) && !search.claimed(row.guid),
  );
  const bubble = showing(
    send,
    possible.filter(({ guid }) => !search.previews.has(guid)),
    search.lastLook,
  );
  return bubble ?? (search.lastLook ? showing(send, possible, true) : undefined);
}

/** The row among `possible` that says, or is, what was sent. */
function showing(send: SendRow, possible: readonly ChatRow[], lastLook: boolean): ChatRow | undefined {
  if (send.fileName !== null) return fileReceipt(send.fileName, possible, lastLook);
  const text = scriptText(send.text);
  const folded = fold(text);
  return (
    possible.find((row) => row.text === text) ??
    possible.find((row) => [row.text, ...earlierTexts(row)].some((said) => said !== '' && fold(said) === folded)) ??
    (lastLook ? possible.find(isUnsent) : undefined)
  );
}

/** What it said before it was edited. */
function earlierTexts({ summary }: ChatRow): string[] {
  return [...(summary?.edits.values() ?? [])].flatMap((versions) => versions.map(({ text }) => text));
}

/** Nothing is left of it, so that its text cannot be known. */
function isUnsent(row: ChatRow): boolean {
  if (row.chat === undefined || row.text !== '') return false;
  return (row.isEmpty && row.editedAt !== undefined) || (row.summary?.unsentParts.length ?? 0) > 0;
}

function isPast(send: SendRow, row: ChatRow, { epoch, now }: ReceiptSearch): boolean {
  if (send.watermarkEpoch !== epoch) return row.dateAt !== undefined && row.dateAt >= datedFrom(send);
  if (row.rowid <= (send.watermarkRowid ?? 0)) return false;
  return row.dateAt === undefined || row.dateAt >= pastFrom(send, now);
}

/**
 * The earliest date its receipt can have past the watermark, ms since 1970. Where the wall clock was set back between a
 * send and its row, the row is dated by what the clock has said since.
 */
function pastFrom(send: SendRow, now: number): number {
  return Math.min(send.sendingAt ?? send.createdAt, now) - BACKFILL_AGE_MS;
}

/** Where dates are all there is to go by: the earliest its receipt can have, ms since 1970. */
export function datedFrom(send: SendRow): number {
  const sendingAt = send.sendingAt ?? send.createdAt;
  return sendingAt - (send.attempts > 1 ? EARLIER_ATTEMPT_MS : SKEW_MS);
}

function isOfThread(send: SendRow, row: ChatRow, lastLook: boolean): boolean {
  if (row.chat) return sameHandle(row.chat.identifier, send.threadId);
  return lastLook && (row.handle === undefined || sameHandle(row.handle, send.threadId));
}

/** Messages may compose characters, trim the ends and write line ends its own way. */
function fold(text: string): string {
  return composed(text)
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    .trim();
}
