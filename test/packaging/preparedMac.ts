import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { installStandIns, type StandInOptions } from '../../src/simulator/standIns/installStandIns.ts';
import { type Outcome, runProgram } from './runProgram.ts';

const repository = resolve(import.meta.dirname, '../..');

export const GIVEN = ['--agent-id', 'mini-1', '--backend-url', 'http://127.0.0.1:9', '--wait', '30'];

export interface RunOptions {
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** A user's home on a machine whose programs of macOS are stand-ins; launchctl really starts what is loaded. */
export interface PreparedMac {
  readonly dir: string;
  readonly home: string;
  readonly config: string;
  readonly plist: string;
  readonly state: string;
  readonly node: string;
  /** For an install that starts nothing: a script instead of the 150 MB of a Node, which has the Node of this test do the work. */
  readonly smallNode: readonly string[];
  /** What the stand-ins remember. */
  readonly standIns: string;
  readonly env: NodeJS.ProcessEnv;
  calls(): string[];
  /** From now on whoever calls launchctl with this command is killed before it does anything; undefined: nobody. */
  killsAt(command: string | undefined): void;
  /** `edge-agent`, of the checkout. */
  run(args: readonly string[], options?: RunOptions): Promise<Outcome>;
  status(): Promise<{ running: boolean; pid: number; version: string }>;
  /** Ends what runs and deletes everything. */
  remove(): Promise<void>;
}

export function preparedMac(options: StandInOptions = {}): PreparedMac {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'edge-mac-')));
  const home = join(dir, "<R&D> 'Ana'");
  const [bin, standIns] = [join(dir, 'bin'), join(dir, 'stand-ins')];
  mkdirSync(home);
  installStandIns(bin, standIns, { startServices: { throttleMs: 200 }, ...options });
  const env = {
    HOME: home,
    TMPDIR: dir,
    PATH: `${bin}:${dirname(process.execPath)}:/usr/bin:/bin`,
    EDGE_INSTALL_ALLOW_OS: 'Linux',
    NODE_NO_WARNINGS: '1',
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
  };
  const smallNode = join(dir, 'small node');
  writeFileSync(smallNode, `#!/bin/sh\nexec '${process.execPath}' "$@"\n`, { mode: 0o755 });
  const support = join(home, 'Library/Application Support/edge-agent');
  const run = (args: readonly string[], { input, env: more }: RunOptions = {}) =>
    runProgram(process.execPath, [join(repository, 'src/index.ts'), ...args], {
      cwd: dir,
      env: { ...env, ...more },
      ...(input === undefined ? {} : { input }),
    });
  return {
    dir,
    home,
    config: join(home, '.config/edge-agent/config.yaml'),
    plist: join(home, 'Library/LaunchAgents/com.edge-relay.edge-agent.plist'),
    state: support,
    node: join(support, 'runtime/bin/edge-agent-node'),
    smallNode: ['--node', smallNode],
    standIns,
    env,
    run,
    killsAt: (command) => {
      const [called, real] = [join(bin, 'launchctl'), join(bin, 'launchctl.real')];
      if (!existsSync(real)) renameSync(called, real);
      const kill = command === undefined ? '' : `[ "$1" != ${command} ] || { kill -9 $PPID; exit 1; }`;
      writeFileSync(called, `#!/bin/sh\n${kill}\nexec '${real}' "$@"\n`, { mode: 0o755 });
    },
    calls: () =>
      (existsSync(join(standIns, 'calls.log')) ? readFileSync(join(standIns, 'calls.log'), 'utf8') : '').split('\n'),
    status: async () => JSON.parse((await run(['status', '--json'])).stdout),
    remove: async () => {
      await run(['service', 'stop']);
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** A package of another version. `main`: what its program does instead of what this one does. */
export function otherPackage(dir: string, version: string, main?: string): string {
  const folder = join(dir, `package ${version}`);
  mkdirSync(folder);
  const manifest = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  const dependencies = main === undefined ? manifest.dependencies : { 'better-sqlite3': '*' };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...manifest, version, dependencies }));
  for (const name of ['launchd', 'config.yaml.example'])
    cpSync(join(repository, name), join(folder, name), { recursive: true });
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'));
  if (main === undefined) symlinkSync(join(repository, 'src'), join(folder, 'src'));
  else {
    mkdirSync(join(folder, 'src'));
    writeFileSync(join(folder, 'src/index.ts'), main);
  }
  return folder;
}
