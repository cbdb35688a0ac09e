import { dirname, join } from 'node:path';
import type { ChatRow } from '../../src/chatdb/types.ts';
import { openStateStore } from '../../src/ops/openStateStore.ts';
import type { MessageRequest, MessageResponse } from '../../src/protocol/wire.ts';
import { messageResponseSchema } from '../../src/protocol/wire.ts';
import type { MessageSource } from '../../src/relay/MessageSource.ts';
import type { StateStore } from '../../src/state/StateStore.ts';
import { chatRow } from '../support/chatRow.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';
import { tempDir } from '../support/tempDir.ts';

export const ANNA = '+15550100002';
export const BERT = '+15550100003';

/** A whole 1:1 message; `change` makes it another. */
export function row(rowid: number, change: Partial<ChatRow> = {}): ChatRow {
  const handle = 'handle' in change ? change.handle : ANNA;
  return chatRow({
    rowid,
    guid: `guid-${rowid}`,
    dateAt: new FakeClock().now(),
    handle,
    chat: chat(handle ?? ANNA),
    text: `text ${rowid}`,
    bodyBytes: 100,
    ...change,
  });
}

export function chat(identifier: string, isGroup = false) {
  return {
    guid: `iMessage;${isGroup ? '+' : '-'};${identifier}`,
    identifier,
    isGroup,
    service: 'iMessage',
    participants: isGroup ? [ANNA, BERT] : [identifier],
  };
}

/** chat.db as an array. */
export class FakeSource implements MessageSource {
  rows: ChatRow[] = [];
  reads = 0;

  add(...rows: ChatRow[]): this {
    this.rows.push(...rows);
    return this;
  }

  replace(rowid: number, change: Partial<ChatRow>): void {
    this.rows = this.rows.map((one) => (one.rowid === rowid ? { ...one, ...change } : one));
  }

  remove(rowid: number): void {
    this.rows = this.rows.filter((one) => one.rowid !== rowid);
  }

  maxRowid(): number {
    return this.rows.at(-1)?.rowid ?? 0;
  }

  guidAt(rowid: number): string | undefined {
    return this.rows.find((one) => one.rowid === rowid)?.guid;
  }

  rowsAfter(rowid: number, limit: number): ChatRow[] {
    this.reads++;
    return this.rows.filter((one) => one.rowid > rowid).slice(0, limit);
  }

  rowsSince(dateAt: number, afterRowid: number, limit: number): ChatRow[] {
    return this.rows.filter((one) => one.rowid > afterRowid && (one.dateAt ?? 0) >= dateAt).slice(0, limit);
  }

  rowsByGuid(guids: readonly string[]): ChatRow[] {
    return this.rows.filter((one) => guids.includes(one.guid));
  }

  recentOf(row: ChatRow, limit: number): { guid: string; text: string; isFromMe: boolean }[] {
    return this.#before(row).slice(-limit).reverse();
  }

  isFirstOfChat(row: ChatRow): boolean {
    return this.#before(row).length === 0;
  }

  #before({ rowid, chat: of }: ChatRow): ChatRow[] {
    return this.rows.filter((one) => one.rowid < rowid && one.chat?.identifier === of?.identifier);
  }
}

/** One POST under way, ended by the test. */
export interface Call {
  request: MessageRequest;
  signal: AbortSignal;
  writtenOut(): void;
  answer(response?: Partial<MessageResponse>): void;
  known(): void;
  fail(error: Error): void;
  isOpen: boolean;
}

/** The backend as a list of calls. */
export class FakeBackend {
  readonly calls: Call[] = [];
  /** Body is written out as soon as the call is made. */
  writesAtOnce = true;

  readonly post = (request: MessageRequest, o: { signal: AbortSignal; onWrittenOut(): void }) =>
    new Promise<MessageResponse | 'known'>((resolve, reject) => {
      const call: Call = {
        request,
        signal: o.signal,
        writtenOut: o.onWrittenOut,
        isOpen: true,
        answer: (response = {}) => end(() => resolve(messageResponseSchema.parse(response))),
        known: () => end(() => resolve('known')),
        fail: (error) => end(() => reject(error)),
      };
      const end = (how: () => void) => {
        call.isOpen = false;
        how();
      };
      o.signal.addEventListener('abort', () => call.fail(new Error('aborted')));
      this.calls.push(call);
      if (this.writesAtOnce) o.onWrittenOut();
    });

  /** Guids in the order in which their POSTs started. */
  get started(): string[] {
    return this.calls.map(({ request }) => request.message_guid);
  }

  get open(): Call[] {
    return this.calls.filter(({ isOpen }) => isOpen);
  }

  last(guid: string): Call {
    const call = this.calls.findLast(({ request }) => request.message_guid === guid);
    if (!call) throw new Error(`${guid} was not posted`);
    return call;
  }
}

export function openStore(clock: FakeClock, path = join(tempDir(), 'state.db')): { store: StateStore; path: string } {
  const { telemetry } = recordingTelemetry();
  return { store: openStateStore(dirname(path), { clock, telemetry, onFatal() {} }), path };
}

/** An inbound row that may be posted. */
export function insertPending(store: StateStore, guid: string, threadId: string, now: number, backfill = false): void {
  const body: MessageRequest = {
    thread_id: threadId,
    sender: threadId,
    filtered_text: guid,
    message_guid: guid,
    original_timestamp: new Date(now).toISOString(),
    is_group: false,
    participants: [threadId],
    chat_guid: `iMessage;-;${threadId}`,
    service: 'iMessage',
    was_redacted: false,
    redacted_fields: [],
    filter_reason: '',
  };
  const row = { guid, epoch: 1, chatRowid: 1, threadId, body, backfill, messageAt: now, now };
  store.transaction(() => store.inbound.insert(row));
}
