import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { type Plist, readXmlPlist } from './xmlPlist.ts';

/** sysexits(3), as `launchctl print` names them behind the number. */
const SYSEXITS = [
  'EX_USAGE EX_DATAERR EX_NOINPUT EX_NOUSER EX_NOHOST EX_UNAVAILABLE EX_SOFTWARE EX_OSERR',
  'EX_OSFILE EX_CANTCREAT EX_IOERR EX_TEMPFAIL EX_PROTOCOL EX_NOPERM EX_CONFIG',
]
  .join(' ')
  .split(' ');
const SIGNAL_NAMES: Readonly<Record<string, string>> = {
  SIGKILL: 'Killed',
  SIGTERM: 'Terminated',
  SIGABRT: 'Abort trap',
};
/** How often it looks whether its state folder is still there, ms: a test that is over takes the Mac with it. */
const LOOK_MS = 250;

/** What launchd.plist(5) has of which this knows something. */
class Job {
  readonly #plist: Readonly<Record<string, Plist>>;

  constructor(path: string) {
    this.#plist = readXmlPlist(readFileSync(path, 'utf8')) as Record<string, Plist>;
  }

  text(key: string): string | undefined {
    const value = this.#plist[key];
    return typeof value === 'string' ? value : undefined;
  }

  number(key: string, otherwise: number): number {
    const value = this.#plist[key];
    return typeof value === 'number' ? value : otherwise;
  }

  get args(): string[] {
    return (this.#plist.ProgramArguments ?? [this.text('Program') ?? '']) as string[];
  }

  get program(): string {
    return this.text('Program') ?? this.args[0]!;
  }

  get environment(): Record<string, string> {
    return { ...(this.#plist.EnvironmentVariables as Record<string, string> | undefined) };
  }

  get startsAtLoad(): boolean {
    return this.#plist.RunAtLoad === true || this.#plist.KeepAlive === true;
  }

  /** Whether it is to be started again after such an end. */
  keptAlive(code: number | null): boolean {
    const keep = this.#plist.KeepAlive;
    if (typeof keep !== 'object' || Array.isArray(keep)) return keep === true;
    if (typeof keep.SuccessfulExit === 'boolean') return keep.SuccessfulExit === (code === 0);
    return keep.Crashed === true && code === null;
  }

  /** The label, then the middle of what `launchctl print` says. */
  describe(): string {
    const environment = { ...this.environment, XPC_SERVICE_NAME: this.text('Label') ?? '' };
    const file = (key: string, name: string) => (this.text(key) ? [`\t${name} = ${this.text(key)}`] : []);
    const kind = (this.text('ProcessType') ?? 'Daemon').toLowerCase();
    return [
      this.text('Label'),
      `\tprogram = ${this.program}`,
      '\targuments = {',
      ...this.args.map((arg) => `\t\t${arg}`),
      '\t}',
      '',
      ...file('WorkingDirectory', 'working directory'),
      '',
      ...file('StandardOutPath', 'stdout path'),
      ...file('StandardErrorPath', 'stderr path'),
      '\tenvironment = {',
      ...Object.entries(environment).map(([name, value]) => `\t\t${name} => ${value}`),
      '\t}',
      '',
      `\tminimum runtime = ${this.number('ThrottleInterval', 10)}`,
      `\texit timeout = ${this.number('ExitTimeOut', 5)}`,
      `\tspawn type = ${kind} (${kind === 'interactive' ? 4 : 3})`,
      '',
    ].join('\n');
  }
}

/**
 * Runs one service as launchd does: in its folder, with its environment and umask, its standard error appended to a
 * file, in a group of its own of which nothing is left when it ends; started again by KeepAlive, at the earliest
 * ThrottleInterval after its last start (or what the file `launchd/starts` has, ms). SIGTERM: bootout. SIGUSR2:
 * kickstart. SIGALRM: kickstart -k.
 */
function supervise(state: string, service: string, binDir: string): void {
  const loaded = join(state, 'launchd/loaded', service);
  const folder = join(state, 'launchd/jobs', service);
  const job = new Job(loaded);
  const shortened = Number(readFileSync(join(state, 'launchd/starts'), 'utf8').trim() || Number.NaN);
  const throttleMs = Number.isNaN(shortened) ? job.number('ThrottleInterval', 10) * 1000 : shortened;
  let child: ChildProcess | undefined;
  let again: NodeJS.Timeout | undefined;
  let startedAt = 0;
  let runs = 0;
  let isLeaving = false;
  let isKicked = false;
  process.umask(job.number('Umask', 0o022));

  const keep = (name: string, text: string) => {
    writeFileSync(join(folder, `${name}.new`), text);
    renameSync(join(folder, `${name}.new`), join(folder, name));
  };
  const forget = (name: string) => rmSync(join(folder, name), { force: true });
  const killGroup = (signal: NodeJS.Signals) => {
    try {
      if (child?.pid) process.kill(-child.pid, signal);
    } catch {
      // gone
    }
  };
  // Its state folder is gone, most likely: the test is over.
  process.on('uncaughtException', () => {
    killGroup('SIGKILL');
    process.exit(1);
  });
  const leave = () => {
    rmSync(loaded, { force: true });
    rmSync(folder, { recursive: true, force: true });
    process.exit(0);
  };
  const ended = (code: number | null, signal: NodeJS.Signals | null) => {
    killGroup('SIGKILL');
    child = undefined;
    if (isLeaving) leave();
    if (signal) keep('last', `signal ${constants.signals[signal]} ${SIGNAL_NAMES[signal] ?? signal}\n`);
    else keep('last', `exit ${code} ${SYSEXITS[(code ?? 0) - 64] ?? ''}\n`);
    forget('pid');
    if (isKicked) return start();
    if (!job.keptAlive(code)) return;
    keep('scheduled', '');
    again = setTimeout(start, Math.max(0, startedAt + throttleMs - Date.now()));
  };
  const start = () => {
    clearTimeout(again);
    if (child) return;
    isKicked = false;
    forget('scheduled');
    startedAt = Date.now();
    runs++;
    const opened: number[] = [];
    const open = (key: string) => {
      const path = job.text(key);
      if (path === undefined) return 'ignore' as const;
      opened.push(openSync(path, 'a', 0o666));
      return opened.at(-1)!;
    };
    try {
      const { HOME, USER, LOGNAME, SHELL, TMPDIR } = process.env;
      const environment: NodeJS.ProcessEnv = {
        PATH: '/usr/bin:/bin:/usr/sbin:/sbin',
        HOME,
        USER,
        LOGNAME,
        SHELL,
        TMPDIR,
      };
      Object.assign(environment, job.environment, { XPC_SERVICE_NAME: job.text('Label'), XPC_FLAGS: '0x0' });
      // The stand-ins are where /usr/bin is on a Mac.
      environment.PATH = `${binDir}:${environment.PATH}`;
      const started = spawn(job.program, job.args.slice(1), {
        argv0: job.args[0]!,
        cwd: job.text('WorkingDirectory') ?? '/',
        env: environment,
        stdio: ['ignore', open('StandardOutPath'), open('StandardErrorPath')],
        detached: true,
      });
      // No such program, no such folder: launchd calls it EX_CONFIG.
      started.once('error', () => started.pid === undefined && ended(78, null));
      started.once('exit', ended);
      if (started.pid !== undefined) {
        child = started;
        keep('pid', `${started.pid}\n`);
      }
      keep('runs', `${runs}\n`);
    } catch {
      keep('runs', `${runs}\n`);
      ended(78, null);
    } finally {
      for (const file of opened) closeSync(file);
    }
  };

  process.on('SIGTERM', () => {
    isLeaving = true;
    clearTimeout(again);
    if (!child) return leave();
    child.kill('SIGTERM');
    setTimeout(() => killGroup('SIGKILL'), job.number('ExitTimeOut', 5) * 1000);
  });
  process.on('SIGUSR2', start);
  // The terminal that launchctl was run in is closed: launchd has none.
  process.on('SIGHUP', () => {});
  process.on('SIGALRM', () => {
    if (!child) return start();
    isKicked = true;
    killGroup('SIGKILL');
  });
  setInterval(() => {
    if (existsSync(loaded)) return;
    killGroup('SIGKILL');
    process.exit(0);
  }, LOOK_MS);
  keep('runs', '0\n');
  if (job.startsAtLoad) start();
  keep('supervisor', `${process.pid}\n`);
}

const [, , command, ...rest] = process.argv;
if (command === 'describe') process.stdout.write(new Job(rest[0]!).describe());
else if (command === 'run') supervise(rest[0]!, rest[1]!, rest[2]!);
