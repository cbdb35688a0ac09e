import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { plistProblem } from '../../src/simulator/standIns/plistLint.ts';
import { installedMac } from '../packaging/installedMac.ts';
import { GIVEN, otherPackage, preparedMac } from '../packaging/preparedMac.ts';
import { readPlist } from '../packaging/readPlist.ts';
import { plainCase } from './harness/plainCase.ts';

/** What install.sh and the stand-ins call, and no node. */
const TOOLS = [
  'bash',
  'cat',
  'chmod',
  'cmp',
  'cp',
  'dirname',
  'grep',
  'id',
  'mkdir',
  'mktemp',
  'mv',
  'rm',
  'sleep',
  'uname',
];

plainCase('O8 installs, upgrades over an agent that runs and uninstalls, each twice, in folders with any characters', {
  async run() {
    const mac = preparedMac(); // its folders have spaces, quotes, < and &
    try {
      const args = ['service', 'install', ...GIVEN, '--secret-stdin'];
      for (let time = 1; time <= 2; time++) {
        expect(await mac.run(args, { input: 'secret' })).toMatchObject({ code: 0, stderr: '' });
        expect(await mac.status()).toMatchObject({ running: true });
      }
      const plist = readFileSync(mac.plist, 'utf8');
      expect(plistProblem(plist)).toBeUndefined();
      expect(readPlist(plist)).toMatchObject({
        ProgramArguments: [mac.node, join(mac.state, 'app/current/src/index.ts'), 'run', '--config', mac.config],
      });

      const config = readFileSync(mac.config, 'utf8');
      const newer = otherPackage(mac.dir, '9.0.0');
      for (let time = 1; time <= 2; time++) {
        const { code, stderr } = await mac.run(['service', 'upgrade', '--from', newer]);
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
        expect(await mac.status()).toMatchObject({ running: true, version: '9.0.0' });
        expect({ plist: readFileSync(mac.plist, 'utf8'), config: readFileSync(mac.config, 'utf8') }).toEqual({
          plist,
          config,
        });
      }

      for (let time = 1; time <= 2; time++) {
        expect(await mac.run(['service', 'uninstall'])).toMatchObject({ code: 0 });
        expect(existsSync(mac.plist)).toBe(false);
        expect(await mac.status()).toMatchObject({ running: false });
        expect(readFileSync(mac.config, 'utf8')).toBe(config);
      }
      return { runs: 6 };
    } finally {
      await mac.remove();
    }
  },
});

plainCase('O8 says how to name a Node where none is in PATH, and takes the one that is named', {
  async run() {
    const mac = installedMac();
    const tools = join(mac.home, 'tools');
    mkdirSync(tools);
    for (const tool of TOOLS) {
      const found = ['/bin', '/usr/bin'].map((folder) => join(folder, tool)).find(existsSync);
      symlinkSync(found!, join(tools, tool));
    }
    const env = { PATH: `${tools}:${join(import.meta.dirname, '../packaging/standIns')}` };
    const { code, stderr } = await mac.run('install.sh', [], { env });
    expect(code).toBe(69);
    expect(stderr).toContain('there is no node on PATH');
    expect(stderr).toContain('--node FILE');
    expect(mac.isLoaded()).toBe(false);
    writeFileSync(join(mac.checkout, 'dist/index.js'), 'console.log(process.argv.slice(2).join(" "));\n');
    const named = await mac.run('install.sh', ['--node', process.execPath], { env });
    expect(named).toMatchObject({ code: 0, stderr: '' });
    expect(named.stdout).toContain('service install --node ');
    return {};
  },
});
