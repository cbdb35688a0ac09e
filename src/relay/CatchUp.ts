import type { ChatRow } from '../chatdb/types.ts';
import type { EpochRow } from '../state/Epochs.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { MessageSource } from './MessageSource.ts';

/** The first pass over a new chat.db: rows up to `untilRowid`, of which only those since `sinceAt` can be news. */
export interface Pass {
  readonly epoch: number;
  /** ms since 1970 */
  readonly sinceAt: number;
  /** The first file of all: rows dated later (ms since 1970), or not at all, are history with a wrong date. */
  readonly untilAt?: number;
  readonly untilRowid: number;
}

/** Remembers the pass in state.db: a crash in the midst must not make the rest of the file look new. */
export class CatchUp {
  readonly #store: StateStore;

  constructor(store: StateStore) {
    this.#store = store;
  }

  begin(pass: Pass): void {
    this.#store.meta.set('catch_up', JSON.stringify(pass));
  }

  end(): void {
    this.#store.meta.set('catch_up', '');
  }

  of(epoch: number): Pass | undefined {
    const stored = this.#store.meta.get('catch_up');
    if (!stored) return undefined;
    const pass = JSON.parse(stored) as Pass;
    return pass.epoch === epoch ? pass : undefined;
  }

  /** Whether a row the pass came upon is from before the agent's time. */
  isHistory({ untilAt }: Pass, { dateAt }: ChatRow): boolean {
    return untilAt !== undefined && (dateAt === undefined || dateAt > untilAt);
  }

  rows(pass: Pass, source: MessageSource, at: EpochRow, limit: number): ChatRow[] {
    const rows = source.rowsSince(pass.sinceAt, at.cursorRowid, limit);
    return rows.filter(({ rowid }) => rowid <= pass.untilRowid);
  }
}
