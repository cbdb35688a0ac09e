import type { ChatInfo, ChatRow, ReceiptState } from '../../src/chatdb/types.ts';
import type { ReceiptSource } from '../../src/messaging/ReceiptSource.ts';
import type { ScriptResult, ScriptRunner } from '../../src/messaging/ScriptRunner.ts';
import { EdgeError } from '../../src/util/EdgeError.ts';
import { chatRow } from '../support/chatRow.ts';

export interface ScriptCall {
  form: string;
  target: string;
  service: string;
  text: string;
  /** Set for a file: `text` is its path. */
  kind?: string;
}

export const EXIT_0: ScriptResult = { exitCode: 0, stdout: '', stderr: '', timedOut: false };
export const TIMED_OUT: ScriptResult = { exitCode: null, stdout: '', stderr: '', timedOut: true };

/** What osascript answers with an error number. */
export function scriptError(number: number): ScriptResult {
  const stderr = `35:80: execution error: Messages got an error: Can’t do it to “+15550100009”. (${number})\n`;
  return { exitCode: 1, stdout: '', stderr, timedOut: false };
}

/** The chat.db and the Messages of a test: rows are what it says they are, and osascript does what `onRun` does. */
export class FakeMac implements ReceiptSource, ScriptRunner {
  readonly rows: ChatRow[] = [];
  readonly chats = new Map<string, ChatInfo>();
  readonly calls: ScriptCall[] = [];
  /** When the other party read a row, by guid. */
  readonly readAt = new Map<string, number>();
  receiptsAsked = 0;
  rowsRead = 0;
  /** Thrown by every read while set. */
  broken: EdgeError | undefined;
  now: () => number;
  onRun: (call: ScriptCall) => ScriptResult | Promise<ScriptResult>;
  running = 0;
  #rowid = 100;

  constructor(now: () => number) {
    this.now = now;
    this.onRun = (call) => {
      this.write(call);
      return EXIT_0;
    };
  }

  /** Writes the row that Messages writes for a send. */
  write(call: Pick<ScriptCall, 'target' | 'text'>, change: Partial<ChatRow> = {}): ChatRow {
    const rowid = ++this.#rowid;
    const identifier = call.target.split(';').at(-1)!;
    const row = chatRow({
      rowid,
      guid: `GUID-${rowid}`,
      isFromMe: true,
      dateAt: this.now(),
      handle: identifier,
      chat: this.chats.get(identifier) ?? chat(identifier),
      text: call.text,
      bodyBytes: 100,
      isSent: true,
      ...change,
    });
    this.rows.push(row);
    return row;
  }

  /** Changes a row that is there. */
  amend(rowid: number, change: Partial<ChatRow>): void {
    const index = this.rows.findIndex((row) => row.rowid === rowid);
    this.rows[index] = { ...this.rows[index]!, ...change };
  }

  async run(_script: string, args: readonly string[]): Promise<ScriptResult> {
    const [form, target, service, text, kind] = args as [string, string, string, string, string | undefined];
    const call = { form, target, service, text, ...(kind !== undefined && { kind }) };
    this.calls.push(call);
    if (++this.running > 1) throw new Error('two osascripts at once');
    try {
      return await this.onRun(call);
    } finally {
      this.running--;
    }
  }

  async idle(): Promise<void> {}

  maxRowid(): number {
    return this.#read(() => this.#rowid);
  }

  outgoingAfter(rowid: number, limit: number, sinceAt = 0): ChatRow[] {
    return this.#page((row) => row.rowid > rowid && (row.dateAt ?? sinceAt) >= sinceAt, limit);
  }

  outgoingSince(dateAt: number, limit: number, afterRowid = 0): ChatRow[] {
    const isMeant = (row: ChatRow) => row.rowid > afterRowid && row.dateAt !== undefined && row.dateAt >= dateAt;
    return this.#page(isMeant, limit);
  }

  #page(isMeant: (row: ChatRow) => boolean, limit: number): ChatRow[] {
    const page = this.#read(() => this.rows.filter(isMeant).slice(0, limit));
    this.rowsRead += page.length;
    return page;
  }

  receiptStates(rowids: readonly number[]): ReceiptState[] {
    return this.#read(() => {
      this.receiptsAsked += rowids.length;
      return this.rows
        .filter((row) => rowids.includes(row.rowid))
        .map(({ rowid, guid, isSent, isDelivered, error }) => {
          const readAt = this.readAt.get(guid);
          return { rowid, guid, isSent, isDelivered, error, ...(readAt === undefined ? {} : { readAt }) };
        });
    });
  }

  rowsByGuid(guids: readonly string[]): ChatRow[] {
    return this.#read(() => this.rows.filter((row) => guids.includes(row.guid)));
  }

  chatOf(threadId: string): ChatInfo | undefined {
    return this.#read(() => this.chats.get(threadId));
  }

  #read<T>(read: () => T): T {
    if (this.broken) throw this.broken;
    return read();
  }
}

export function chat(identifier: string, change: Partial<ChatInfo> = {}): ChatInfo {
  return {
    guid: `iMessage;-;${identifier}`,
    identifier,
    isGroup: false,
    service: 'iMessage',
    participants: [identifier],
    ...change,
  };
}

export const unreadable = new EdgeError('EDGE_CHATDB_BUSY', 'locked');
