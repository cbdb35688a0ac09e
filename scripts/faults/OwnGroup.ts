import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a person at a terminal, a terminal that closes, and a machine that shuts down send. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** How long those that were killed may take to be gone, ms: one that waits for a disk may never be. */
const GONE_MS = 5_000;
const LOOK_MS = 20;

/**
 * Runs programs one after the other, each in a process group of its own. A signal is handed to the program that runs, and
 * whatever it had started (vitest its agents, agents their osascript) is gone before `run` resolves: nothing writes on.
 */
export class OwnGroup {
  #isInterrupted = false;
  #leader: ChildProcess | undefined;

  /** Told to stop, as by Ctrl-C. */
  get isInterrupted(): boolean {
    return this.#isInterrupted;
  }

  /** From now on a signal no longer ends this process, but what it runs. */
  start(): void {
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        this.#isInterrupted = true;
        this.#leader?.kill(signal);
      });
    }
  }

  /** Runs Node with `args` in `cwd`. Resolves with its exit code, 1 where a signal ended it. */
  async run(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<number> {
    const child = spawn(process.execPath, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
    });
    this.#leader = child;
    const code = await new Promise<number>((done, fail) => {
      child.once('error', fail);
      child.once('exit', (exitCode) => done(exitCode ?? 1));
    });
    this.#leader = undefined;
    await end(child.pid!);
    return code;
  }
}

/** Kills what is left of a group, and waits until it is gone. */
async function end(group: number): Promise<void> {
  const deadline = performance.now() + GONE_MS;
  while (kill(group) && performance.now() < deadline) await sleep(LOOK_MS);
}

/** Whether somebody was there to be killed. */
function kill(group: number): boolean {
  try {
    return process.kill(-group, 'SIGKILL');
  } catch {
    return false; // ESRCH; macOS says EPERM of a group that is dead and not yet buried
  }
}
