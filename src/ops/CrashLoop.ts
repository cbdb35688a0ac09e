import { readFileSync, rmSync } from 'node:fs';
import { z } from 'zod';
import type { Clock } from '../util/Clock.ts';
import { messageOf } from '../util/EdgeError.ts';
import type { Logger } from '../util/Logger.ts';
import { replaceFile } from '../util/replaceFile.ts';
import type { Condition } from './Health.ts';

/** An agent that ends by itself so soon after its start has failed to start, ms. */
const QUICK_MS = 60_000;
/** So many in a row are a crash loop. */
const LOOP = 5;
/** How long the next start is held back after five failures, after six, …; the last holds for all that follow, ms. */
const HOLDS_MS = [30_000, 120_000, 300_000, 900_000] as const;
/** An agent that has been up for so long has got over it, ms. */
export const STABLE_MS = 600_000;

/** In state.dir. */
export const CRASH_LOOP_FILE = 'crash-loop.json';

const fileSchema = z.object({
  count: z.int().min(1),
  last_code: z.string().regex(/^EDGE_[A-Z_]+$/),
  last_at: z.int().min(0).max(8e15),
});
type Failures = z.infer<typeof fileSchema>;

/**
 * Slows the restarts of an agent that fails again and again. launchd starts it every 10 s, for ever, and a fault that
 * is not over by then is no better off for it; the log, the disk and the backend are worse off.
 *
 *   start ─┬─ ends with a code within 60 s ─ failures + 1 ─┬─ fewer than 5 ─ next start at once
 *          │                                               └─ 5, 6, 7, 8 … ─ next start held 30 s, 2, 5, 15 min
 *          ├─ ends with a code later: as many failures as before
 *          ├─ up for 10 min, or stopped in order: none
 *          └─ killed: as many as before, for that is nobody's failure but the killer's
 *
 * It remembers in a small file of its own: state.db may be what the agent fails on. A file that cannot be read counts as
 * none, so that the worst it can do is to let the agent start. Only who holds the instance lock writes it.
 */
export class CrashLoop {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #logger: Logger | undefined;
  #startedAt: number | undefined;

  /** `logger`: told when the file cannot be written. */
  constructor(options: { path: string; clock: Clock; logger?: Logger }) {
    this.#path = options.path;
    this.#clock = options.clock;
    this.#logger = options.logger;
  }

  /** How long the start is to be held back from now, ms: never longer than its step, whatever the wall clock does. */
  get holdMs(): number {
    const failures = this.#read();
    if (!failures) return 0;
    const step = stepMs(failures);
    return Math.min(step, Math.max(0, failures.last_at + step - this.#clock.now()));
  }

  /** EDGE_CRASH_LOOP while there is one. */
  get condition(): Condition | undefined {
    const failures = this.#read();
    if (!failures || failures.count < LOOP) return undefined;
    const { count, last_code, last_at } = failures;
    const next = new Date(last_at + stepMs(failures)).toISOString();
    const detail = `${count} failures in a row within ${QUICK_MS / 1000} s of a start, the last with ${last_code}; no start before ${next}`;
    return { code: 'EDGE_CRASH_LOOP', detail, since: last_at };
  }

  /** How the agent ended by itself last, where it has not been stopped in order or up for long since. */
  get lastFailure(): { readonly code: string; readonly at: number } | undefined {
    const failures = this.#read();
    return failures && { code: failures.last_code, at: failures.last_at };
  }

  /** The start is no longer held back: what ends from now on is measured from here. */
  begun(): void {
    this.#startedAt = this.#clock.monotonic();
  }

  /** The agent ends by itself, with this code. Never throws. */
  failed(code: string): void {
    const before = this.#read()?.count ?? 0;
    const upMs = this.#startedAt === undefined ? 0 : this.#clock.monotonic() - this.#startedAt;
    const count = upMs < QUICK_MS ? before + 1 : before;
    if (count > 0) this.#write({ count, last_code: code, last_at: this.#clock.now() });
  }

  /** It was up for long enough, or somebody stopped it and has seen to it: the next failure is the first. */
  forget(): void {
    try {
      rmSync(this.#path, { force: true });
    } catch (error) {
      this.#logger?.warn(`${this.#path} cannot be deleted: ${messageOf(error)}`);
    }
  }

  #read(): Failures | undefined {
    try {
      return fileSchema.parse(JSON.parse(readFileSync(this.#path, 'utf8')));
    } catch {
      return undefined; // none yet, or not to be trusted
    }
  }

  #write(failures: Failures): void {
    try {
      replaceFile(this.#path, `${JSON.stringify(failures)}\n`);
    } catch (error) {
      this.#logger?.warn(`${this.#path} cannot be written, the next start is not held back: ${messageOf(error)}`);
    }
  }
}

function stepMs({ count }: Failures): number {
  return count < LOOP ? 0 : HOLDS_MS[Math.min(count - LOOP, HOLDS_MS.length - 1)]!;
}
