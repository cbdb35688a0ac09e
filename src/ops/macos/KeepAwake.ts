import { type ChildProcess, spawn } from 'node:child_process';
import { type BackoffPolicy, backoffMs } from '../../util/backoff.ts';
import type { Clock, Timer } from '../../util/Clock.ts';
import { messageOf } from '../../util/EdgeError.ts';
import type { Random } from '../../util/Random.ts';
import type { Telemetry } from '../../util/Telemetry.ts';

/** A caffeinate that has lived for so long is at work, ms. */
const SETTLED_MS = 10_000;
/** It ends only when somebody kills it, or its options are refused: no reason for haste. */
const RESTART: BackoffPolicy = { firstMs: 1_000, maxMs: 300_000, jitter: 0.2 };

export interface KeepAwakeOptions {
  /** The process for which the Mac stays awake. */
  readonly pid: number;
  /** Elsewhere nothing sleeps that caffeinate could keep awake: its absence is told once, and is no trouble. */
  readonly isMac: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
}

/**
 * Keeps the Mac from idle sleep while the agent lives, by caffeinate(8): -i the system, -m the disk, -s the system on
 * mains power, -w until this process is gone, however that ends. The display may sleep.
 *
 *   stopped ─ start ─► running ─ lives 10 s ─► settled (condition cleared)
 *                         ▲         │ ends             │ ends
 *                         │         ▼                  ▼
 *                         └──── waiting: 1 s, 2 s … 5 min; on a Mac condition EDGE_KEEP_AWAKE from the second end on,
 *                               or at once where there is no caffeinate
 */
export class KeepAwake {
  readonly #o: KeepAwakeOptions;
  #child: ChildProcess | undefined;
  #timer: Timer | undefined;
  /** Ends in a row of one that had not settled. */
  #failures = 0;
  #stopped = false;

  constructor(options: KeepAwakeOptions) {
    this.#o = options;
  }

  start(): void {
    let child: ChildProcess;
    try {
      child = spawn('caffeinate', ['-i', '-m', '-s', '-w', `${this.#o.pid}`], { stdio: 'ignore' });
    } catch (error) {
      this.#missing(messageOf(error)); // ENOMEM and the like; a program that is missing is an event
      return;
    }
    this.#child = child;
    child.once('error', (error) => child.pid === undefined && this.#missing(error.message));
    child.once('exit', (code, signal) => this.#ended(signal ?? `exit code ${code}`));
    this.#timer = this.#o.clock.after(SETTLED_MS, () => {
      this.#failures = 0;
      this.#o.telemetry.conditionCleared('EDGE_KEEP_AWAKE');
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#child?.kill('SIGTERM');
  }

  #missing(why: string): void {
    const detail = `caffeinate cannot be run: ${why}`;
    this.#timer?.cancel();
    if (this.#o.isMac) {
      this.#o.telemetry.conditionRaised('EDGE_KEEP_AWAKE', detail);
      this.#again();
    } else this.#o.telemetry.notKeptAwake(detail);
  }

  #ended(how: string): void {
    this.#child = undefined;
    if (this.#stopped) return;
    if (this.#failures > 0 && this.#o.isMac) {
      this.#o.telemetry.conditionRaised(
        'EDGE_KEEP_AWAKE',
        `caffeinate ended again and again, the last time with ${how}`,
      );
    }
    this.#again();
  }

  #again(): void {
    this.#timer?.cancel();
    this.#failures++;
    if (this.#stopped) return;
    this.#timer = this.#o.clock.after(backoffMs(RESTART, this.#failures, this.#o.random), () => this.start());
  }
}
