import { readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock, Timer } from '../util/Clock.ts';
import { messageOf } from '../util/EdgeError.ts';
import type { Logger } from '../util/Logger.ts';
import { replaceFile } from '../util/replaceFile.ts';

/** How often a run marks that it lives, ms: of one that was killed the end is known as exactly. */
const BEAT_MS = 60_000;
/** How long a kill is counted, ms. */
const DAY_MS = 86_400_000;
/** Kills remembered; a Mac that boots all day long has more, and nobody counts on. */
const MAX_KILLS = 1000;

const time = z.int().min(0).max(8e15);
const fileSchema = z.object({
  is_running: z.boolean(),
  was_killed: z.boolean(),
  kills: z.array(time),
  failed: z.object({ code: z.string(), at: time }).optional(),
});
type Mark = z.infer<typeof fileSchema>;

/** The end of a run by itself, with a code. */
export interface Failed {
  readonly code: string;
  /** ms since 1970 */
  readonly at: number;
}

/** The end of the last run, where nobody asked for it and nothing could be written down. */
export interface Killed {
  /** When it was alive for the last time, to a minute; ms since 1970. */
  readonly at: number;
  /** How many runs ended so within a day, this one included. */
  readonly today: number;
}

/**
 * Remembers in a small file of state.dir that a run has begun, and when it was alive; the next one finds there whether it
 * ended. What is not the agent's own end leaves no other trace: SIGKILL, a crash of Node, a loss of power. It is on
 * disk before the run goes on. The wall clock may step: the worst is that a kill is dated wrongly. Only who holds the
 * instance lock writes it.
 */
export class RunMark {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #logger: Logger | undefined;
  readonly #lastLineAt: (() => number | undefined) | undefined;
  #timer: Timer | undefined;

  /** `lastLineAt`: of the log, ms since 1970; a kill is dated by it where it is the later trace of the run. */
  constructor(options: {
    stateDir: string;
    clock: Clock;
    logger?: Logger;
    lastLineAt?: () => number | undefined;
  }) {
    this.#path = join(options.stateDir, 'run.json');
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#lastLineAt = options.lastLineAt;
  }

  /** How the run before this one ended, where it was killed; until the next begins. */
  get killed(): Killed | undefined {
    const { was_killed, kills = [] } = this.#read() ?? {};
    const at = kills.at(-1);
    return was_killed && at !== undefined ? { at, today: this.#ofToday(kills).length } : undefined;
  }

  /** With what the last run ended by itself, where it did; until the next begins. */
  get failure(): Failed | undefined {
    const { is_running, failed } = this.#read() ?? {};
    return is_running ? undefined : failed;
  }

  /** With what the run before the one that runs ended by itself, where it did. */
  get failureBefore(): Failed | undefined {
    const { is_running, failed } = this.#read() ?? {};
    return is_running ? failed : undefined;
  }

  /** Whether there ever was a run. */
  get exists(): boolean {
    return this.#read() !== undefined;
  }

  /** When a run that has not ended was alive for the last time, ms since 1970; undefined where there is none. */
  get lastAlive(): number | undefined {
    return this.#read()?.is_running ? this.#lastTrace() : undefined;
  }

  /** Says with a WARN that the last run was killed, if it was. Never throws. */
  begun(): void {
    const { is_running: wasKilled = false, kills = [], failed } = this.#read() ?? {};
    const all = wasKilled ? [...kills, this.#lastTrace()] : kills;
    const before = wasKilled ? undefined : failed;
    this.#write({ is_running: true, was_killed: wasKilled, kills: this.#ofToday(all), failed: before });
    if (wasKilled) this.#logger?.warn(inWords(this.killed ?? { at: this.#clock.now(), today: 1 }));
    this.#timer = this.#clock.every(BEAT_MS, () => this.#beat());
  }

  /** It ends, in order or by itself with a `code`: in either case it could say so. Never throws. */
  ended(code?: string): void {
    if (!this.#timer) return;
    this.#timer.cancel();
    this.#timer = undefined;
    const mark = this.#read();
    const failed = code === undefined ? undefined : { code, at: this.#clock.now() };
    if (mark) this.#write({ ...mark, is_running: false, failed });
  }

  /** The last kill is kept whenever it was: it is the one that is told. */
  #ofToday(kills: readonly number[]): number[] {
    const now = this.#clock.now();
    return kills.filter((at, index) => index === kills.length - 1 || now - at < DAY_MS).slice(-MAX_KILLS);
  }

  #beat(): void {
    const now = this.#clock.now() / 1000;
    try {
      utimesSync(this.#path, now, now);
    } catch {
      // The disk says more of itself elsewhere; a kill is dated too early then.
    }
  }

  /** A line from after the beat that never came is not of that run, but of one that was held back. */
  #lastTrace(): number {
    const beat = this.#lastBeat();
    const line = this.#lastLineAt?.() ?? beat;
    return line > beat && line <= beat + BEAT_MS ? line : beat;
  }

  #lastBeat(): number {
    try {
      return Math.floor(statSync(this.#path).mtimeMs);
    } catch {
      return this.#clock.now();
    }
  }

  #read(): Mark | undefined {
    try {
      return fileSchema.parse(JSON.parse(readFileSync(this.#path, 'utf8')));
    } catch {
      return undefined; // none yet, or not to be trusted
    }
  }

  #write(mark: Mark): void {
    try {
      replaceFile(this.#path, `${JSON.stringify(mark)}\n`);
      this.#beat();
    } catch (error) {
      this.#logger?.warn(`${this.#path} cannot be written, a kill would not be told: ${messageOf(error)}`);
    }
  }
}

function inWords({ at, today }: Killed): string {
  const often = today > 1 ? `, ${today} times within a day` : '';
  return `The last run was killed (SIGKILL, a crash of Node), or the Mac lost its power, at about ${new Date(at).toISOString()}${often}`;
}
