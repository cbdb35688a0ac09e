import type { ThreadLane } from './ThreadLane.ts';

/** The lanes of one kind, one a thread that has open rows. */
export class LaneSet {
  readonly #make: (threadId: string) => ThreadLane;
  readonly #lanes = new Map<string, ThreadLane>();
  /** Lanes to look at, in turn; a Set keeps the order of arrival and each lane once. */
  readonly #turns = new Set<ThreadLane>();

  constructor(make: (threadId: string) => ThreadLane) {
    this.#make = make;
  }

  get isEmpty(): boolean {
    return this.#lanes.size === 0;
  }

  /** These threads have open rows. */
  notice(threadIds: readonly string[]): void {
    for (const threadId of threadIds) {
      let lane = this.#lanes.get(threadId);
      if (!lane) {
        lane = this.#make(threadId);
        this.#lanes.set(threadId, lane);
      }
      if (!lane.isBusy) this.#turns.add(lane);
    }
  }

  queue(lane: ThreadLane): void {
    this.#turns.add(lane);
  }

  /** The lane whose turn it is. */
  next(): ThreadLane | undefined {
    for (const lane of this.#turns) {
      this.#turns.delete(lane);
      return lane;
    }
    return undefined;
  }

  drop(lane: ThreadLane): void {
    this.#lanes.delete(lane.threadId);
  }

  /** Retries after a failure of which `isOver` are due. */
  hurry(isOver: (code: string | null) => boolean): void {
    for (const lane of this.#lanes.values()) {
      lane.hurry(isOver);
      this.#turns.add(lane);
    }
  }

  /** What a lane waits for may be over, or no longer worth it; undefined: that of any lane. */
  recheck(threadId: string | undefined): void {
    const lanes = threadId === undefined ? this.#lanes.values() : [this.#lanes.get(threadId)];
    for (const lane of lanes) {
      if (!lane) continue;
      lane.stop();
      this.#turns.add(lane);
    }
  }

  stop(): void {
    for (const lane of this.#lanes.values()) lane.stop();
  }
}
