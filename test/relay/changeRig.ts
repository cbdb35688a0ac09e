import Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import type { MessageSummary } from '../../src/chatdb/MessageSummary.ts';
import type { ChatRow } from '../../src/chatdb/types.ts';
import type { EdgeEvent } from '../../src/protocol/wire.ts';
import type { ChangeSource, ChangeWindow } from '../../src/relay/ChangeSource.ts';
import { ChangeWatch } from '../../src/relay/ChangeWatch.ts';
import { threadOf, toRequest } from '../../src/relay/toRequest.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import type { EdgeError } from '../../src/util/EdgeError.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';
import { openStore, row } from './fakes.ts';

const EXAMINED_AT_ONCE = 2_000;

/** The chat.db of a test: rows that change. */
export class FakeChanges implements ChangeSource {
  rows: ChatRow[] = [];
  /** ROWIDs examined and bodies read, since a test set them to 0. */
  examined = 0;
  looks = 0;
  read = 0;
  windows: ChangeWindow[] = [];
  broken: EdgeError | undefined;

  maxRowid(): number {
    return this.rows.at(-1)?.rowid ?? 0;
  }

  revisions(window: ChangeWindow, after: string | undefined, limit: number) {
    if (this.broken) throw this.broken;
    this.looks++;
    this.windows.push(window);
    const inWindow = this.rows.filter(
      ({ rowid, dateAt }) =>
        rowid > Number(after ?? 0) && ((dateAt ?? 0) >= window.sinceAt || rowid >= window.fromRowid),
    );
    const page = inWindow.slice(0, EXAMINED_AT_ONCE);
    this.examined += page.length;
    const found = page.flatMap(({ rowid, guid, editedAt, isFromMe }) =>
      editedAt === undefined ? [] : [{ rowid, guid, editedAt, isFromMe, place: String(rowid) }],
    );
    if (found.length > limit) throw new Error('a test with more edits than one look takes');
    return { found, examinedTo: page.length < inWindow.length ? String(page.at(-1)!.rowid) : undefined };
  }

  rowsByGuid(guids: readonly string[]): ChatRow[] {
    if (this.broken) throw this.broken;
    const found = this.rows.filter(({ guid }) => guids.includes(guid));
    this.read += found.length;
    return found;
  }

  change(guid: string, change: Partial<ChatRow>): void {
    const index = this.rows.findIndex((one) => one.guid === guid);
    this.rows[index] = { ...this.rows[index]!, ...change };
  }
}

/** A ChangeWatch on a real state.db. */
export class ChangeRig {
  readonly source = new FakeChanges();
  readonly path: string;
  store: StateStore;
  clock = new FakeClock();
  epoch = 1;
  db: ChangeSource | undefined = this.source;
  watch: ChangeWatch;
  onEvents = 0;
  /** Reasons by thread. */
  readonly refused = new Map<string, string>();
  readonly calls;
  readonly #telemetry;

  constructor() {
    ({ store: this.store, path: this.path } = openStore(this.clock));
    onTestFinished(() => this.store.close());
    ({ telemetry: this.#telemetry, calls: this.calls } = recordingTelemetry());
    const now = this.clock.now();
    this.store.epochs.start({ dev: '1', ino: '1', rowid: 0, guid: null, newestMessageAt: null, now });
    this.watch = this.#boot();
  }

  readonly privacy = {
    denies: () => false,
    refuses: ({ threadId }: { threadId: string }) => this.refused.get(threadId),
    redact: (text: string) => ({
      text: text.replace('1234', '[redacted]'),
      redacted: text.includes('1234') ? ['code'] : [],
    }),
  };

  #boot(): ChangeWatch {
    return new ChangeWatch({
      store: this.store,
      clock: this.clock,
      telemetry: this.#telemetry,
      privacy: this.privacy,
      source: () => this.db,
      epoch: () => this.epoch,
      onEvents: () => this.onEvents++,
    });
  }

  /** Starts and lets the first look pass. */
  async start(): Promise<this> {
    this.watch.start();
    await this.clock.advance(1_000);
    return this;
  }

  /** SIGKILL. The clock goes on for `downMs`. */
  async crash(downMs = 0): Promise<void> {
    this.watch.stop(); // its timers are of a clock that no longer moves
    this.store.close();
    this.clock = new FakeClock(this.clock.now() + downMs);
    this.store = StateStore.open(this.path, this.clock.now());
    this.watch = this.#boot();
  }

  /** A row as Messages writes it. */
  write(rowid: number, change: Partial<ChatRow> = {}): ChatRow {
    const written = row(rowid, { dateAt: this.clock.now(), ...change });
    this.source.rows.push(written);
    return written;
  }

  /** What intake does with it. */
  take(taken: ChatRow, change: { backfill?: boolean } = {}): ChatRow {
    const { guid, rowid: chatRowid } = taken;
    const now = this.clock.now();
    const threadId = threadOf(taken)!;
    const body = toRequest(taken, threadId, { privacy: this.privacy, backfill: false, now });
    const { epoch, store } = this;
    this.store.transaction(() => {
      store.inbound.insert({ guid, epoch, chatRowid, threadId, body, backfill: change.backfill ?? false, now });
      store.epochs.moveCursor({ epoch, rowid: chatRowid, guid, newestMessageAt: taken.dateAt ?? null });
    });
    this.#write('UPDATE inbound SET message_at = ? WHERE guid = ?', taken.dateAt ?? now, guid);
    this.watch.admitted(taken);
    return taken;
  }

  /** A message that came in and was handed over. */
  message(rowid: number, change: Partial<ChatRow> = {}): ChatRow {
    const taken = this.take(this.write(rowid, change));
    this.store.inbound.markDone(taken.guid, this.clock.now());
    return taken;
  }

  /** Rows that intake passed over. */
  passed(rowid: number): void {
    this.store.epochs.moveCursor({ epoch: this.epoch, rowid, guid: null, newestMessageAt: null });
  }

  edit(guid: string, text: string, change: Partial<ChatRow> = {}): number {
    const editedAt = this.clock.now();
    const before = this.source.rows.find((one) => one.guid === guid)!;
    const versions = [...(before.summary?.edits.get(0) ?? [{ text: before.text, writtenAt: before.dateAt }])];
    versions.push({ text, writtenAt: editedAt });
    this.source.change(guid, { editedAt, text, summary: summary({ edits: new Map([[0, versions]]) }), ...change });
    return editedAt;
  }

  unsend(guid: string): void {
    const editedAt = this.clock.now();
    this.source.change(guid, { editedAt, text: '', isEmpty: true, summary: summary({ unsentParts: [0] }) });
  }

  /** Intake decided that it is not to be handed over. */
  skip(guid: string, reason: string): void {
    this.#write('UPDATE inbound SET skipped = ? WHERE guid = ?', reason, guid);
  }

  fingerprint(guid: string, fingerprint: string): void {
    this.#write('UPDATE inbound SET fingerprint = ? WHERE guid = ?', fingerprint, guid);
  }

  async changed(ms = 600): Promise<void> {
    this.watch.chatDbChanged();
    await this.clock.advance(ms);
  }

  #write(sql: string, ...values: unknown[]): void {
    const db = new Database(this.path);
    db.prepare(sql).run(...values);
    db.close();
  }

  get events(): EdgeEvent[] {
    return this.store.events.waiting(10_000);
  }

  get ids(): string[] {
    return this.events.map(({ event_id }) => event_id);
  }
}

export function summary(change: Partial<MessageSummary>): MessageSummary {
  return { edits: new Map(), unsentParts: [], originalRanges: new Map(), associatedText: undefined, ...change };
}
