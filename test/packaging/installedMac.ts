import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { tempDir } from '../support/tempDir.ts';
import { type Outcome, runProgram } from './runProgram.ts';

const repository = resolve(import.meta.dirname, '../..');

const program = pathToFileURL(join(repository, 'src/index.ts')).href;

/** Stands in for the built agent: `service` is the real one, and of the others it knows `check-config`. */
const AGENT = `import { readFileSync } from 'node:fs';
const [command, flag, config] = process.argv.slice(2);
if (command === 'service') await import('${program}');
else {
  if (command !== 'check-config' || flag !== '--config') process.exit(64);
  if (!readFileSync(config, 'utf8').includes('BROKEN')) process.exit(0);
  console.error(config + ':1:1: BROKEN is not a key');
  process.exit(78);
}
`;

export interface ScriptOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
}

/** A checkout and a user's home on a machine whose launchctl, plutil and npm are stand-ins. */
export interface InstalledMac {
  readonly checkout: string;
  readonly home: string;
  readonly config: string;
  readonly plist: string;
  /** What ran so far, a line each, without the folders that differ from run to run. */
  calls(): string[];
  isLoaded(): boolean;
  run(script: 'install.sh' | 'uninstall.sh', args?: readonly string[], options?: ScriptOptions): Promise<Outcome>;
}

export function installedMac(): InstalledMac {
  const dir = realpathSync(tempDir());
  const checkout = join(dir, 'check out');
  const home = join(dir, "Home of <R&D> 'Ana'");
  const callsFile = join(dir, 'calls');
  const state = join(dir, 'launchd-state');
  mkdirSync(join(checkout, 'dist'), { recursive: true });
  mkdirSync(home);
  for (const name of ['scripts', 'launchd']) cpSync(join(repository, name), join(checkout, name), { recursive: true });
  writeFileSync(join(checkout, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(checkout, 'package-lock.json'), '{}');
  writeFileSync(join(checkout, 'config.yaml.example'), 'edge:\n  agent_id: example\n');
  writeFileSync(join(checkout, 'dist/index.js'), AGENT);
  writeFileSync(join(dir, 'built.js'), AGENT);
  writeFileSync(callsFile, '');
  const config = join(home, '.config/edge-agent/config.yaml');
  mkdirSync(dirname(config), { recursive: true });
  writeFileSync(config, 'edge:\n  agent_id: mini-1\n');
  return {
    checkout,
    home,
    config,
    plist: join(home, 'Library/LaunchAgents/com.edge-relay.edge-agent.plist'),
    calls: () =>
      readFileSync(callsFile, 'utf8')
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('launchctl print'))
        .map((line) => line.replace(home, 'HOME').replace(/gui\/\d+/, 'gui/UID')),
    isLoaded: () => existsSync(join(state, 'loaded')),
    run: (script, args = [], options = {}) =>
      runProgram('/bin/bash', [join(checkout, 'scripts', script), ...args], {
        cwd: dir,
        input: options.input ?? '',
        env: {
          HOME: home,
          USER: 'ana',
          PATH: `${join(import.meta.dirname, 'standIns')}:${dirname(process.execPath)}:/usr/bin:/bin`,
          EDGE_INSTALL_ALLOW_OS: 'Linux',
          STAND_IN_CALLS: callsFile,
          STAND_IN_STATE: state,
          NPM_BUILDS: join(dir, 'built.js'),
          ...options.env,
        },
      }),
  };
}
