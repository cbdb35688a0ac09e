import { randomUUID } from 'node:crypto';
import { appleNanoseconds } from './appleTime.ts';
import type { ChatDbFile } from './ChatDbFile.ts';
import { ChatRows } from './ChatRows.ts';
import { encodeBody, plainSegments } from './typedstreamEncoder.ts';

export interface HistorySpec {
  /** How many messages. */
  readonly messages: number;
  /** Over how many conversations they are spread. @default 100 */
  readonly threads?: number;
  /** Date of the newest, ms since 1970; each earlier one is a minute older. */
  readonly until: number;
}

/** Rows in one transaction: a limit on the -wal, which holds every page of it. */
const BATCH = 50_000;
/** Numbers used here: +1 555 010 0001 to 0099, which are set aside for fiction. */
const NUMBERS = 99;
const MINUTE_MS = 60_000;
/** Behind the ms of each date, so that none is a whole second, as an SMS's is. */
const DIGITS = 1n;
/** Every third bubble of a conversation is one's own. */
const OWN_SHARE = 3;

/** Fills a chat.db with the past: complete rows, joins included, many in one transaction. */
export function fillHistory(file: ChatDbFile, spec: HistorySpec): void {
  const rows = new ChatRows(file);
  const threads = spec.threads ?? 100;
  const chats = file.transaction(() => Array.from({ length: threads }, (_, index) => makeThread(rows, index)));
  for (let first = 0; first < spec.messages; first += BATCH) {
    file.transaction(() => {
      const end = Math.min(first + BATCH, spec.messages);
      for (let index = first; index < end; index++) {
        const { chat, handle } = chats[index % threads]!;
        const isFromMe = index % OWN_SHARE === 0;
        const guid = randomUUID().toUpperCase();
        rows.message({
          guid,
          isFromMe,
          handle,
          service: 'iMessage',
          date: appleNanoseconds(spec.until - (spec.messages - 1 - index) * MINUTE_MS) + DIGITS,
          chat,
          text: null,
          body: encodeBody(plainSegments(`message ${index} of the past`), { mutable: isFromMe }),
          columns: isFromMe ? { is_sent: 1, is_delivered: 1, is_finished: 1 } : { is_read: 1 },
        });
        rows.join(guid, chat);
      }
    });
  }
  file.checkpoint();
}

/** The numbers are few: from there on conversations are with e-mail addresses. */
function makeThread(rows: ChatRows, index: number) {
  const person = index < NUMBERS ? `+1555010${String(index + 1).padStart(4, '0')}` : `person${index}@example.com`;
  const chat = rows.chat({ identifier: person, isGroup: false, service: 'iMessage', participants: [person] });
  return { chat, handle: rows.handle(person, 'iMessage') };
}
