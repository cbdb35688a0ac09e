import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { type Clock, sleep } from '../../util/Clock.ts';
import { EdgeError } from '../../util/EdgeError.ts';
import type { ProgramResult, RunProgram } from '../macos/programs.ts';
import { type PrintedService, readPrintedService } from './printedService.ts';
import { SERVICE_LABEL, type ServicePaths, servicePaths } from './servicePaths.ts';

const LAUNCHCTL_MS = 30_000;
const PLUTIL_MS = 10_000;
/** How often launchd is asked whether the agent is gone, ms, and how often at the most: 30 s, more than ExitTimeOut. */
const GONE_EVERY_MS = 200;
const GONE_TRIES = 150;
/** EIO and EALREADY: launchd has not let go of the label yet; it does within seconds. */
const NOT_YET = [5, 37];
const BOOTSTRAP_EVERY_MS = 500;
const BOOTSTRAP_TRIES = 30;
/** No such process, no such domain (nobody at the screen), no such service: what is not there is not loaded. */
const NOT_LOADED = [3, 112, 113, 125];

export interface LaunchdState {
  /** The property list is in its place: launchd loads it at the next login, if it has not yet. */
  readonly installed: boolean;
  readonly loaded: boolean;
  readonly running: boolean;
  readonly pid: number | null;
  /** In launchd's words; null where it is not loaded. */
  readonly state: string | null;
  /** Null while it never ended, or a signal ended it. */
  readonly lastExitCode: number | null;
  readonly lastSignal: string | null;
  /** The property list that launchd loaded; else the place of the one it would load. */
  readonly path: string;
}

export interface LaunchdServiceOptions {
  readonly run: RunProgram;
  readonly clock: Clock;
  readonly uid: number;
  readonly home: string;
  /** How long one launchctl may take, ms. @default 30 s: bootout of some versions waits for the agent, which has 20 s (ExitTimeOut) */
  readonly launchctlMs?: number;
}

/**
 * The agent as a service of launchd, in the graphical session of one user: only from there do Apple events reach Messages.
 *
 *   not installed ── install ──► loaded ── RunAtLoad, kickstart ──► running
 *         ▲                        ▲ │                                 │ exit 0: stays down; else started again in 10 s
 *         └── uninstall ── any     │ └───────────── stop ──────────────┘
 *                                start or a login ◄── installed, not loaded
 *
 * Every method can be called again, and goes on from where an earlier one was interrupted.
 */
export class LaunchdService {
  readonly #run: RunProgram;
  readonly #clock: Clock;
  readonly #paths: ServicePaths;
  readonly #domain: string;
  readonly #target: string;
  readonly #launchctlMs: number;

  constructor({ run, clock, uid, home, launchctlMs = LAUNCHCTL_MS }: LaunchdServiceOptions) {
    this.#run = run;
    this.#clock = clock;
    this.#paths = servicePaths(home);
    this.#domain = `gui/${uid}`;
    this.#target = `${this.#domain}/${SERVICE_LABEL}`;
    this.#launchctlMs = launchctlMs;
  }

  /** Puts the property list in its place and starts the agent by it, in place of one that runs. @throws EdgeError EDGE_LAUNCHD */
  async install(plist: string): Promise<void> {
    await this.#place(plist);
    await this.#unload();
    await this.#load();
  }

  /** Stops the agent and removes its property list. False where there was neither. @throws EdgeError EDGE_LAUNCHD */
  async uninstall(): Promise<boolean> {
    const wasLoaded = await this.#unload();
    const wasThere = existsSync(this.#paths.plist);
    rmSync(this.#paths.plist, { force: true });
    return wasLoaded || wasThere;
  }

  /** Starts the agent unless it runs. @throws EdgeError EDGE_LAUNCHD */
  async start(): Promise<void> {
    if (await this.#printed()) return this.#kickstart();
    this.#mustBeInstalled();
    await this.#load();
  }

  /** Resolves when the agent has ended; it comes back at the next login. False where none was loaded. @throws EdgeError EDGE_LAUNCHD */
  stop(): Promise<boolean> {
    return this.#unload();
  }

  /** In order, and with the property list as it is now; `kickstart -k` would do neither. @throws EdgeError EDGE_LAUNCHD */
  async restart(): Promise<void> {
    this.#mustBeInstalled(); // first: an agent that runs must not be ended where nothing could start it again
    await this.#unload();
    await this.start();
  }

  /** @throws EdgeError EDGE_LAUNCHD, EDGE_PROGRAM_MISSING */
  async state(): Promise<LaunchdState> {
    const printed = await this.#printed();
    return {
      installed: existsSync(this.#paths.plist),
      loaded: printed !== undefined,
      running: printed !== undefined && printed.pid !== null,
      pid: printed?.pid ?? null,
      state: printed?.state ?? null,
      lastExitCode: printed?.lastExitCode ?? null,
      lastSignal: printed?.lastSignal ?? null,
      path: printed?.path ?? this.#paths.plist,
    };
  }

  #mustBeInstalled(): void {
    const { plist } = this.#paths;
    if (!existsSync(plist)) throw new EdgeError('EDGE_LAUNCHD', `there is no ${plist}: the agent is not installed`);
  }

  /** Only what plutil finds no fault with takes the place of what is there. */
  async #place(plist: string): Promise<void> {
    const { plist: path, logDir } = this.#paths;
    mkdirSync(dirname(path), { recursive: true });
    mkdirSync(logDir, { recursive: true, mode: 0o700 }); // launchd would make it readable for all
    const next = `${path}.next`; // launchd loads only what ends in .plist
    try {
      const file = openSync(next, 'w', 0o644);
      try {
        writeSync(file, plist);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      chmodSync(next, 0o644); // whatever the umask: launchd refuses a list that others may write
      const lint = await this.#run('plutil', ['-lint', '-s', next], { timeoutMs: PLUTIL_MS });
      if (lint.exitCode !== 0)
        throw refused('plutil -lint', lint, 'the property list is not valid; nothing was changed');
      renameSync(next, path);
    } finally {
      rmSync(next, { force: true });
    }
  }

  async #load(): Promise<void> {
    await this.#must('enable', this.#target); // first: what was disabled cannot be bootstrapped
    for (let tries = 1; ; tries++) {
      const result = await this.#launchctl('bootstrap', this.#domain, this.#paths.plist);
      if (result.exitCode === 0) break;
      if (!NOT_YET.includes(result.exitCode ?? -1) || tries >= BOOTSTRAP_TRIES)
        throw refused('launchctl bootstrap', result);
      await sleep(this.#clock, BOOTSTRAP_EVERY_MS);
    }
    await this.#kickstart();
  }

  /** Without -k: RunAtLoad may have started it already, and -k would kill it in mid-start. */
  #kickstart(): Promise<void> {
    return this.#must('kickstart', this.#target);
  }

  /** bootout may return before the agent is gone, and until then a bootstrap fails. False where none was loaded. */
  async #unload(): Promise<boolean> {
    if (!(await this.#printed())) return false;
    const bootout = await this.#launchctl('bootout', this.#target); // 36, "in progress", and 3, "just gone", are as good
    for (let tries = 1; await this.#printed(); tries++) {
      if (tries >= GONE_TRIES) throw refused('launchctl bootout', bootout, 'the agent does not end');
      await sleep(this.#clock, GONE_EVERY_MS);
    }
    return true;
  }

  /** What launchd tells of the service; undefined where it has none. */
  async #printed(): Promise<PrintedService | undefined> {
    const result = await this.#launchctl('print', this.#target);
    if (result.exitCode === 0) return readPrintedService(result.stdout);
    if (NOT_LOADED.includes(result.exitCode ?? -1)) return undefined;
    throw refused('launchctl print', result);
  }

  async #must(command: string, target: string): Promise<void> {
    const result = await this.#launchctl(command, target);
    if (result.exitCode !== 0) throw refused(`launchctl ${command}`, result);
  }

  #launchctl(...args: string[]): Promise<ProgramResult> {
    return this.#run('launchctl', args, { timeoutMs: this.#launchctlMs });
  }
}

function refused(what: string, { exitCode, stdout, stderr, timedOut }: ProgramResult, why?: string): EdgeError {
  const said = (stderr.trim() || stdout.trim()).split('\n')[0];
  const end = timedOut ? 'was killed because it did not end' : `ended with ${exitCode ?? 'a signal'}`;
  const detail = `${what} ${end}${said ? `: ${said}` : ''}`;
  return new EdgeError('EDGE_LAUNCHD', why ? `${why} (${detail})` : detail);
}
