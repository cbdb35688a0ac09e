import { type SpawnOptions, spawnSync } from 'node:child_process';
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type ServicePaths, servicePaths } from '../../src/ops/service/servicePaths.ts';
import { installStandIns } from '../../src/simulator/standIns/installStandIns.ts';
import { tempDir } from '../support/tempDir.ts';
import { type Ended, edgeAgent } from './edgeAgent.ts';

const repository = resolve(import.meta.dirname, '../..');

/** A user's home on a Mac of stand-ins, whose launchd really starts what is loaded. */
export interface ServiceMac {
  readonly home: string;
  readonly config: string;
  readonly stateDir: string;
  /** Of the stand-ins. */
  readonly standInState: string;
  readonly paths: ServicePaths;
  readonly env: Record<string, string>;
  run(...args: string[]): Promise<Ended>;
  /** Puts the property list in its place, as an install does. */
  place(...args: string[]): Promise<void>;
  security(line: string): number | null;
}

export function serviceMac(): ServiceMac {
  const dir = realpathSync(tempDir());
  const home = join(dir, "Ana <R&D> 'home'");
  const bin = join(dir, 'bin');
  const standInState = join(dir, 'macos');
  installStandIns(bin, standInState, { startServices: { throttleMs: 50 } });
  const config = join(home, '.config/edge-agent/config.yaml');
  mkdirSync(dirname(config), { recursive: true });
  writeFileSync(
    config,
    `edge:\n  agent_id: edge_1\n  secret_keychain_service: edge-agent\nbackend:\n  url: http://127.0.0.1:9
websocket:\n  enabled: false\n`,
  );
  const env = { HOME: home, PATH: `${bin}:/usr/bin:/bin`, EDGE_INSTALL_ALLOW_OS: 'Linux' };
  const paths = servicePaths(home);
  const app = join(dirname(paths.runtimeDir), 'app');
  const options: SpawnOptions = { env: { ...process.env, ...env } };
  const run = (...args: string[]) => edgeAgent(args, { env });
  return {
    home,
    config,
    stateDir: join(home, 'Library/Application Support/edge-agent'),
    standInState,
    paths,
    env,
    run,
    place: async (...args) => {
      const { out } = await run('service', 'plist', ...args);
      for (const folder of [dirname(paths.plist), paths.logDir, app]) mkdirSync(folder, { recursive: true });
      writeFileSync(paths.plist, out);
      // Whoever is installed runs from app/current/: here the checkout itself.
      symlinkSync(repository, join(app, '0.0.0-checkout'));
      symlinkSync('0.0.0-checkout', join(app, 'current'));
    },
    security: (line) => spawnSync('security', ['-i'], { ...options, input: `${line}\n` }).status,
  };
}
