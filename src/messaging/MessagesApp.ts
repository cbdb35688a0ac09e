import { type Clock, sleep } from '../util/Clock.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import type { ScriptResult, ScriptRunner } from './ScriptRunner.ts';
import { errorNumber } from './scriptErrors.ts';

/**
 * `hung`: no answer in PROBE_MS. `not-permitted`: macOS did not let the question through. An error of any other kind is
 * an answer too.
 */
export type ProbeAnswer = 'answers' | 'hung' | 'not-running' | 'not-permitted';

/** How long Messages may take for a simple question, or to quit, ms. It takes some 50. */
const PROBE_MS = 5000;
/** Starting and ending a program are the system's work, which is done in a fraction of this, ms. */
const SYSTEM_MS = 10_000;
/** No more starts than one in this time, ms: a program that ends again at once would flicker. */
const LAUNCH_EVERY_MS = 60_000;
/** How long Messages may take to be gone after each way of ending it, ms. */
const GONE_MS = 3000;
const LOOK_MS = 500;
/** How long Messages may take until it answers, from its start, ms: it opens chat.db and connects first. */
const STARTING_MS = 30_000;
const ASK_AGAIN_MS = 2000;

/**
 * `is running` asks the system, not Messages; `tell` alone would start a program that does not run. Then something that
 * Messages has to answer itself: its name and version AppleScript knows without it, also while it hangs.
 */
const PROBE = `if application "Messages" is not running then error "Messages is not running" number -600
with timeout of ${PROBE_MS / 1000 - 1} seconds
	tell application "Messages" to count of accounts
end timeout
`;
const IS_RUNNING = 'application "Messages" is running\n';
/**
 * By the system's `open`, which needs no permission to control Messages and sends it no event that it would have to
 * answer; -g and -j leave it in the background, hidden.
 */
const LAUNCH = `if application "Messages" is running then return "running"
do shell script "/usr/bin/open -gja Messages"
return "launched"
`;
const QUIT = `with timeout of ${PROBE_MS / 1000 - 1} seconds
	tell application "Messages" to quit
end timeout
`;
/** killall ends programs of this user only; that there is none any more is no error. */
const END = 'do shell script "/usr/bin/killall -TERM Messages || true"\n';
const KILL = 'do shell script "/usr/bin/killall -KILL Messages || true"\n';

/**
 * Messages.app as a program: whether it runs and answers, how it is started and ended. All of it through osascript, one
 * at a time with what is sent. What imagent does meanwhile (receiving, writing chat.db) goes on without Messages.
 */
export class MessagesApp {
  readonly #runner: ScriptRunner;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #stopping = new AbortController();
  /** Of the last start, monotonic ms. */
  #launchedAt: number | undefined;

  constructor(options: { runner: ScriptRunner; clock: Clock; telemetry: Telemetry }) {
    this.#runner = options.runner;
    this.#clock = options.clock;
    this.#telemetry = options.telemetry;
  }

  /** @throws EdgeError EDGE_SEND_SPAWN when osascript cannot be started, which says nothing about Messages */
  async probe(): Promise<ProbeAnswer> {
    const result = await this.#runner.run(PROBE, [], { timeoutMs: PROBE_MS });
    if (result.timedOut) return 'hung';
    if (result.exitCode === 0) return 'answers';
    switch (errorNumber(result.stderr)) {
      case -1712: // errAETimeout
        return 'hung';
      case -600: // procNotFound
      case -609: // connectionInvalid: it ended while it was asked
        return 'not-running';
      case -1743: // errAEEventNotPermitted
        return 'not-permitted';
      default:
        return 'answers';
    }
  }

  /**
   * Starts Messages in the background if it does not run, at most once a minute. False when it was not started.
   * @throws EdgeError EDGE_SEND_SPAWN
   */
  async launch(): Promise<boolean> {
    const now = this.#clock.monotonic();
    if (this.#launchedAt !== undefined && now - this.#launchedAt < LAUNCH_EVERY_MS) return false;
    const started = await this.#open();
    if (started) this.#telemetry.messagesLaunched();
    return started;
  }

  /**
   * Ends Messages, by asking it, then by SIGTERM, then by SIGKILL, and opens it again. Some 45 s at most.
   * @returns whether it answers now
   * @throws EdgeError EDGE_SEND_SPAWN
   */
  async restart(): Promise<boolean> {
    for (const [script, timeoutMs] of [
      [QUIT, PROBE_MS],
      [END, SYSTEM_MS],
      [KILL, SYSTEM_MS],
    ] as const) {
      await this.#runner.run(script, [], { timeoutMs });
      if (await this.#isGone()) break;
    }
    return this.reopen();
  }

  /** The second half of `restart`. @throws EdgeError EDGE_SEND_SPAWN */
  async reopen(): Promise<boolean> {
    await this.#open();
    const deadline = this.#clock.monotonic() + STARTING_MS;
    while (!this.#stopping.signal.aborted) {
      if ((await this.probe()) === 'answers') return true;
      if (this.#clock.monotonic() >= deadline) return false;
      await sleep(this.#clock, ASK_AGAIN_MS, this.#stopping.signal);
    }
    return false;
  }

  /** A restart under way waits for nothing any more, but still opens what it has ended. */
  stop(): void {
    this.#stopping.abort();
  }

  async #open(): Promise<boolean> {
    this.#launchedAt = this.#clock.monotonic();
    return said(await this.#runner.run(LAUNCH, [], { timeoutMs: SYSTEM_MS })) === 'launched';
  }

  async #isGone(): Promise<boolean> {
    const deadline = this.#clock.monotonic() + GONE_MS;
    for (;;) {
      if (said(await this.#runner.run(IS_RUNNING, [], { timeoutMs: SYSTEM_MS })) === 'false') return true;
      if (this.#stopping.signal.aborted || this.#clock.monotonic() >= deadline) return false;
      await sleep(this.#clock, LOOK_MS, this.#stopping.signal);
    }
  }
}

/** Undefined when the script failed. */
function said({ exitCode, stdout }: ScriptResult): string | undefined {
  return exitCode === 0 ? stdout.trim() : undefined;
}
