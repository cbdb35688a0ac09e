import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { plistProblem } from '../../src/simulator/standIns/plistLint.ts';
import { installedMac } from '../packaging/installedMac.ts';
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
    const mac = installedMac(); // its folders have spaces, quotes, < and &
    const loads = () => mac.calls().filter((call) => call.includes('bootstrap')).length;
    for (let time = 1; time <= 2; time++) {
      expect(await mac.run('install.sh')).toMatchObject({ code: 0, stderr: '' });
      expect(loads()).toBe(time);
    }
    const plist = readFileSync(mac.plist, 'utf8');
    expect(plistProblem(plist)).toBeUndefined();
    expect(readPlist(plist)).toMatchObject({
      ProgramArguments: [process.execPath, expect.stringMatching(/index\.ts$/), 'run', '--config', mac.config],
    });

    const config = readFileSync(mac.config, 'utf8');
    const program = join(mac.checkout, 'dist/index.js');
    const older = `${readFileSync(program, 'utf8')}// an older version\n`;
    for (let time = 1; time <= 2; time++) {
      writeFileSync(program, older);
      expect(await mac.run('install.sh', ['--build'])).toMatchObject({ code: 0 });
      expect(readFileSync(program, 'utf8')).not.toContain('an older version');
      expect(loads()).toBe(2 + time); // the older one was taken out, or this would have been refused
      expect(mac.isLoaded()).toBe(true);
      expect({ plist: readFileSync(mac.plist, 'utf8'), config: readFileSync(mac.config, 'utf8') }).toEqual({
        plist,
        config,
      });
    }

    for (let time = 1; time <= 2; time++) {
      expect(await mac.run('uninstall.sh')).toMatchObject({ code: 0 });
      expect({ loaded: mac.isLoaded(), plist: existsSync(mac.plist) }).toEqual({ loaded: false, plist: false });
      expect(readFileSync(mac.config, 'utf8')).toBe(config);
    }
    return { runs: 6 };
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
    expect(await mac.run('install.sh', ['--node', process.execPath], { env })).toMatchObject({ code: 0, stderr: '' });
    expect(mac.isLoaded()).toBe(true);
    return {};
  },
});
