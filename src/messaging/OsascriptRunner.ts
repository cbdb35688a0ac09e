import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { type Clock, systemClock } from '../util/Clock.ts';
import { EdgeError, messageOf } from '../util/EdgeError.ts';
import type { ScriptResult, ScriptRunner } from './ScriptRunner.ts';

/** Output kept of one run, bytes: an AppleScript error is one line. */
const MAX_OUTPUT_BYTES = 16 * 1024;
/** From SIGTERM to SIGKILL, ms. */
const KILL_AFTER_MS = 2000;
/** From exit to the end of its output, ms: longer means that a grandchild holds the pipe. */
const DRAIN_MS = 200;
/** What the child may know of our environment. The secret is not among it. */
const PASSED_ON = ['PATH', 'HOME', 'USER', 'TMPDIR'] as const;

/** Runs `osascript`, one at a time. */
export class OsascriptRunner implements ScriptRunner {
  readonly #path: string;
  readonly #clock: Clock;
  #running: Promise<unknown> | undefined;

  constructor(options: { path: string; clock?: Clock }) {
    this.#path = options.path;
    this.#clock = options.clock ?? systemClock;
  }

  run(script: string, args: readonly string[], options: { timeoutMs: number }): Promise<ScriptResult> {
    if (this.#running) {
      return Promise.reject(new EdgeError('EDGE_INTERNAL', 'a second osascript was asked for while one runs'));
    }
    const run = this.#start(script, args, options.timeoutMs).finally(() => {
      this.#running = undefined;
    });
    this.#running = run;
    return run;
  }

  async idle(): Promise<void> {
    await this.#running?.catch(() => {});
  }

  #start(script: string, args: readonly string[], timeoutMs: number): Promise<ScriptResult> {
    return new Promise((resolve, reject) => {
      const refuse = (error: unknown) =>
        reject(new EdgeError('EDGE_SEND_SPAWN', `${this.#path}: ${messageOf(error)}`, { cause: error }));
      let child: ChildProcess;
      try {
        // A process group of its own (detached): a signal that launchd or a terminal sends to ours must not end a send
        // half-way. `-` before the values, so that one with a leading `-` is no option.
        child = spawn(this.#path, ['-l', 'AppleScript', '-', ...args], {
          detached: true,
          env: environment(),
          stdio: ['pipe', 'pipe', 'pipe'],
        });
      } catch (error) {
        return refuse(error);
      }
      child.stdin?.on('error', () => {}); // EPIPE: it ended without reading the script; its exit tells the rest
      child.stdin?.end(script);
      const stdout = capped(child.stdout);
      const stderr = capped(child.stderr);

      let timedOut = false;
      let timer = this.#clock.after(timeoutMs, () => {
        timedOut = true;
        signalGroup(child, 'SIGTERM');
        timer = this.#clock.after(KILL_AFTER_MS, () => signalGroup(child, 'SIGKILL'));
      });
      const finish = (exitCode: number | null) => {
        timer.cancel();
        child.stdout?.destroy();
        child.stderr?.destroy();
        resolve({ exitCode: timedOut ? null : exitCode, stdout: stdout(), stderr: stderr(), timedOut });
      };
      child.once('error', (error) => {
        if (child.pid !== undefined) return; // it runs; what failed was a signal to it
        timer.cancel();
        refuse(error);
      });
      child.once('exit', (exitCode) => {
        timer.cancel();
        timer = this.#clock.after(DRAIN_MS, () => finish(exitCode));
        child.once('close', () => finish(exitCode));
      });
    });
  }
}

/** launchd sets no LANG, and without one osascript reads its arguments as MacRoman. */
function environment(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { LANG: 'en_US.UTF-8', LC_ALL: 'en_US.UTF-8' };
  for (const name of PASSED_ON) if (process.env[name] !== undefined) env[name] = process.env[name];
  return env;
}

/** Collects the first bytes of a stream and lets the rest run by, so that the child never blocks on a full pipe. */
function capped(stream: Readable | null): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream?.on('data', (chunk: Buffer) => {
    if (bytes < MAX_OUTPUT_BYTES) chunks.push(chunk.subarray(0, MAX_OUTPUT_BYTES - bytes));
    bytes += chunk.length;
  });
  stream?.on('error', () => {}); // the exit tells the outcome; what was read so far is kept
  return () => Buffer.concat(chunks).toString('utf8');
}

/** To the child and whatever it started. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    child.kill(signal); // no such group (any more): the child alone, which is a no-op once it is gone
  }
}
