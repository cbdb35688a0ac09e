/** What still ends a Messages that hangs, the mildest that does. */
export type EndsAt = 'quit' | 'SIGTERM' | 'SIGKILL' | 'never';

const STEPS: readonly EndsAt[] = ['quit', 'SIGTERM', 'SIGKILL', 'never'];

interface Hang {
  readonly endsAt: EndsAt;
  /** Resolves when it hangs no more; true when the process went on, false when it ended. */
  readonly over: PromiseWithResolvers<boolean>;
}

/**
 * Messages.app as a process: whether it runs, and whether it answers Apple events.
 *
 *   running ──quit, SIGTERM, SIGKILL──▶ ended ──launch──▶ running
 *      │ ▲                                ▲
 *    hang recover: what waits is done     │ what waits is lost
 *      ▼ │                                │
 *   hanging ──what it still listens to────┘
 */
export class MessagesProcess {
  /** How often it ended, and was started. */
  ends = 0;
  launches = 0;
  /** Apple events that found it hanging, or that wait for somebody to allow them. */
  unanswered = 0;
  #isRunning = true;
  #hang: Hang | undefined;

  get isRunning(): boolean {
    return this.#isRunning;
  }

  get isHanging(): boolean {
    return this.#hang !== undefined;
  }

  /** From now on no Apple event is answered. */
  hang(endsAt: EndsAt = 'SIGTERM'): void {
    this.#hang ??= { endsAt, over: Promise.withResolvers() };
  }

  /** It goes on, with what waits first. */
  recover(): void {
    this.#hang?.over.resolve(true);
    this.#hang = undefined;
  }

  /** Resolves at once with true while all is well; while it hangs, when it goes on (true) or ends (false). */
  async answering(): Promise<boolean> {
    if (!this.#hang) return true;
    this.unanswered++;
    return this.#hang.over.promise;
  }

  /** It ends if it listens to that. */
  end(how: 'quit' | 'SIGTERM' | 'SIGKILL'): void {
    if (!this.#isRunning) return;
    if (this.#hang && STEPS.indexOf(how) < STEPS.indexOf(this.#hang.endsAt)) return;
    this.#isRunning = false;
    this.ends++;
    this.#hang?.over.resolve(false);
    this.#hang = undefined;
  }

  launch(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.launches++;
  }
}
