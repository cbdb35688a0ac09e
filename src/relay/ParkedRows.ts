import type { ChatRow } from '../chatdb/types.ts';
import type { Clock } from '../util/Clock.ts';
import { type AdmitOptions, admit, type Told } from './admit.ts';
import type { Classified } from './classify.ts';
import type { MessageSource } from './MessageSource.ts';
import { threadOf } from './toRequest.ts';

/** How long a parked row may stay incomplete, ms; Messages is done within a second, or never. */
const PARKED_FOR_MS = 10_000;
/** Rows looked at in one go; those behind have their turn when these are through. */
const PARKED_LIMIT = 200;

/**
 * Rows that stayed incomplete and that the cursor has passed: looked at again until they are whole or PARKED_FOR_MS is
 * over. Each ends as a message, as done (it turned out to be our own) or as a dead letter.
 */
export class ParkedRows {
  readonly #o: AdmitOptions;
  readonly #clock: Clock;
  readonly #classify: (row: ChatRow) => Classified;
  /** Since when, monotonic, and as last seen: what is delivered if chat.db loses the row. At most PARKED_LIMIT. */
  readonly #watched = new Map<string, { since: number; row: ChatRow | undefined }>();

  constructor(o: AdmitOptions, clock: Clock, classify: (row: ChatRow) => Classified) {
    this.#o = o;
    this.#clock = clock;
    this.#classify = classify;
  }

  /**
   * Parks a row, within the caller's transaction. Without its chat it is taken for one of its sender's thread, which
   * most are, so that what the sender writes next does not overtake it.
   */
  park(row: ChatRow, epoch: number, now: number): Told {
    const threadId = threadOf(row) ?? null;
    const { guid, rowid: chatRowid } = row;
    this.#o.store.inbound.insert({ guid, epoch, chatRowid, threadId, body: undefined, backfill: false, now });
    const classified = this.#classify(row);
    const reason = classified.kind === 'incomplete' ? classified.missing : classified.kind;
    return () => {
      this.#watched.set(guid, { since: this.#clock.monotonic(), row });
      this.#o.telemetry.rowParked(guid, reason);
    };
  }

  /** Looks at the parked rows again, in one transaction; true while there are any left. */
  look(source: MessageSource, epoch: number): { left: boolean; admitted: boolean } {
    const { store } = this.#o;
    const parked = store.inbound.parked(PARKED_LIMIT);
    const guids = parked.map(({ guid }) => guid);
    for (const guid of this.#watched.keys()) if (!guids.includes(guid)) this.#watched.delete(guid);
    if (parked.length === 0) return { left: false, admitted: false };
    const rows = new Map(source.rowsByGuid(guids).map((row) => [row.guid, row]));
    const ready = guids.flatMap((guid) => {
      const decision = this.#decide(guid, rows.get(guid));
      return decision ? [decision] : [];
    });
    if (ready.length === 0) return { left: true, admitted: false };
    const now = this.#clock.now();
    const told = store.transaction(() => ready.map((end) => end(epoch, now)));
    for (const tell of told) tell();
    return { left: ready.length < parked.length || parked.length === PARKED_LIMIT, admitted: true };
  }

  /** What becomes of the row now; undefined: it waits. */
  #decide(guid: string, found: ChatRow | undefined): ((epoch: number, now: number) => Told) | undefined {
    const watched = this.#watched.get(guid) ?? { since: this.#clock.monotonic(), row: undefined };
    const row = found ?? watched.row;
    this.#watched.set(guid, { since: watched.since, row });
    if (!row) return () => this.#giveUp(guid, 'the row is gone from chat.db');
    const classified: Classified = this.#classify(row);
    const isOver = found === undefined || this.#clock.monotonic() - watched.since >= PARKED_FOR_MS;
    if (classified.kind === 'incomplete' && !classified.isReadable && !isOver) return undefined;
    const { kind } = classified.kind === 'incomplete' ? classified.otherwise : classified;
    if (kind !== 'message') return (_epoch, now) => this.#settle(guid, now);
    const threadId = threadOf(row);
    if (threadId === undefined) {
      return () => this.#giveUp(guid, 'the row has neither a chat nor a handle');
    }
    return (epoch, now) => this.#admit(row, threadId, classified, epoch, now);
  }

  #admit(row: ChatRow, threadId: string, classified: Classified, epoch: number, now: number): Told {
    const tell = admit(this.#o, row, threadId, epoch, now);
    return () => {
      if (classified.kind === 'incomplete') {
        this.#o.telemetry.failure(
          'EDGE_ROW_INCOMPLETE',
          `${row.guid} was handed over without its ${classified.missing}`,
        );
      }
      tell();
    };
  }

  #settle(guid: string, now: number): Told {
    this.#o.store.inbound.markDone(guid, now);
    return () => {};
  }

  #giveUp(guid: string, detail: string): Told {
    this.#o.store.inbound.markDead(guid, 'EDGE_ROW_INCOMPLETE', detail);
    return () => this.#o.telemetry.messageSetAside({ guid, threadId: '', code: 'EDGE_ROW_INCOMPLETE', detail });
  }
}
