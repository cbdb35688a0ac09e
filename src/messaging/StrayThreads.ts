import { sameHandle } from './address.ts';
import { ownPreviews } from './ownPreviews.ts';
import type { ReceiptSource } from './ReceiptSource.ts';
import { walkOutgoing } from './walkOutgoing.ts';

/**
 * The threads in which chat.db shows rows of ours, of a time that is over, that prove no bubble. After an ordinary restart
 * there are none, so that no bubble has to be looked for.
 */
export class StrayThreads {
  readonly #isClaimed: (guid: string) => boolean;
  /** Undefined: more rows than are looked at. */
  #threads: ReadonlySet<string> | undefined;
  #epoch: number | undefined;

  constructor(options: { isClaimed: (guid: string) => boolean }) {
    this.#isClaimed = options.isClaimed;
  }

  /** Reads the rows once for each chat.db. @throws EdgeError EDGE_CHATDB_* */
  mayBeIn(
    threadId: string,
    { source, epoch, from, until }: { source: ReceiptSource; epoch: number; from: number; until: number },
  ): boolean {
    if (this.#epoch !== epoch) {
      this.#threads = this.#read(source, from, until);
      this.#epoch = epoch;
    }
    return this.#threads === undefined || [...this.#threads].some((stray) => sameHandle(stray, threadId));
  }

  #read(source: ReceiptSource, from: number, until: number): Set<string> | undefined {
    const threads = new Set<string>();
    const isThrough = walkOutgoing(source, from, (page) => {
      const ofThen = page.filter(({ dateAt, error }) => error === 0 && dateAt !== undefined && dateAt <= until);
      const strays = ofThen.filter(({ guid }) => !this.#isClaimed(guid));
      const previews = ownPreviews(source, strays);
      for (const { chat, guid } of strays) if (chat && !previews.has(guid)) threads.add(chat.identifier);
      return false;
    });
    return isThrough ? threads : undefined;
  }
}
