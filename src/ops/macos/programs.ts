import { execFile } from 'node:child_process';
import { EdgeError, messageOf } from '../../util/EdgeError.ts';

/** Output kept of one run, bytes: `launchctl print` takes some 10 KB. */
const MAX_OUTPUT_BYTES = 1024 * 1024;

export interface ProgramResult {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** It was killed because its time was over. */
  readonly timedOut: boolean;
}

export interface ProgramOptions {
  readonly timeoutMs: number;
  /** What it reads on its standard input; a secret belongs here and never into `args`, which everybody can list. */
  readonly input?: string;
}

/**
 * Runs a program of macOS (`launchctl`, `security`, `plutil`, `sw_vers`, `pmset` …), found on PATH: the port behind
 * which a test has the simulator's stand-ins. Whatever its exit code, it resolves.
 * @throws EdgeError EDGE_PROGRAM_MISSING where there is no such program, or it may not be run
 */
export type RunProgram = (name: string, args: readonly string[], options: ProgramOptions) => Promise<ProgramResult>;

export const runProgram: RunProgram = (name, args, { timeoutMs, input = '' }) =>
  new Promise((resolve, reject) => {
    const child = execFile(
      name,
      [...args],
      // A UTF-8 LANG, because launchd sets none and without one some of them write MacRoman.
      {
        timeout: timeoutMs,
        killSignal: 'SIGKILL',
        maxBuffer: MAX_OUTPUT_BYTES,
        env: { ...process.env, LANG: 'en_US.UTF-8', EDGE_SECRET: undefined }, // which is nobody else's
      },
      (error, stdout, stderr) => {
        if (child.pid === undefined) {
          const detail = `${name} cannot be run: ${messageOf(error)}`;
          reject(new EdgeError('EDGE_PROGRAM_MISSING', detail, { cause: error }));
          return;
        }
        resolve({ exitCode: child.exitCode, stdout, stderr, timedOut: child.killed && child.signalCode === 'SIGKILL' });
      },
    );
    child.stdin?.on('error', () => {}); // EPIPE: it ended without reading; its exit tells the rest
    child.stdin?.end(input);
  });
