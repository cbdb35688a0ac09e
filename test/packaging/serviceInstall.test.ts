import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { failStandIn } from '../../src/simulator/standIns/behave.ts';
import { GIVEN, otherPackage, type PreparedMac, preparedMac } from './preparedMac.ts';
import { readPlist } from './readPlist.ts';

const SECRET = 'tr0ub4dor & "three" $HOME `id` \\n';
const textOf = (name: string) => readFileSync(resolve(import.meta.dirname, '../..', name), 'utf8');
const EXAMPLE = textOf('config.yaml.example');
const { version: VERSION } = JSON.parse(textOf('package.json')) as { version: string };
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

function freshMac(...args: Parameters<typeof preparedMac>): PreparedMac {
  const mac = preparedMac(...args);
  onTestFinished(() => mac.remove());
  return mac;
}
/** The texts of every small file below a folder, those of the Keychain's stand-in left out. */
function textsBelow(dir: string): string {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('keychain'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => statSync(file).size < 1_000_000 && !file.includes('node_modules'))
    .map((file) => readFileSync(file, 'latin1'))
    .join('\n');
}
/** Runs a command that is killed as it has launchd do something. */
async function killed(mac: PreparedMac, command: string, args: readonly string[]): Promise<void> {
  mac.killsAt(command);
  expect(await mac.run(args)).toMatchObject({ signal: 'SIGKILL', stderr: '' });
  mac.killsAt(undefined);
}
/** The processes that launchd's stand-in has started and that are there. */
const agentsOf = (mac: PreparedMac) =>
  readdirSync('/proc').filter((name) => {
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8').startsWith(`${mac.node}\0${mac.state}`);
    } catch {
      return false;
    }
  });
const backups = (mac: PreparedMac) => {
  const dir = join(mac.state, 'backups');
  return existsSync(dir) ? readdirSync(dir) : [];
};

describe('edge-agent service install, before it does anything', () => {
  it('names what it was not given where there is nobody to ask', async () => {
    const mac = freshMac();
    const { code, stdout, stderr } = await mac.run(['service', 'install', '--agent-id', 'mini-1']);
    expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
    expect(stderr).toContain(
      'nothing was changed, because this is missing:\n  --backend-url URL, or EDGE_BACKEND_URL:',
    );
    expect(stderr).toContain('  --secret-stdin, --secret-file FILE, or EDGE_SECRET:');
    expect(stderr).not.toContain('--agent-id');
    expect(readdirSync(mac.home)).toEqual([]);
  });

  it.each([
    ['an id', ['--agent-id', 'a b', '--backend-url', 'http://127.0.0.1:9'], 78, 'edge.agent_id: value was "a b"'],
    ['a URL in the clear', ['--agent-id', 'a', '--backend-url', 'http://b.example.com'], 78, 'expected https:'],
  ])('refuses %s that the configuration would not take', async (_what, args, exitCode, message) => {
    const mac = freshMac();
    const { code, stderr } = await mac.run(['service', 'install', ...args, '--secret-stdin'], { input: 'secret' });
    expect(code).toBe(exitCode);
    expect(stderr).toContain(message);
    expect(stderr).toContain('Nothing was changed.\n');
    expect(readdirSync(mac.home)).toEqual([]);
  });

  it('refuses a secret that no header can carry, without repeating it', async () => {
    const mac = freshMac();
    const { code, stdout, stderr } = await mac.run(['service', 'install', ...GIVEN, '--secret-stdin'], {
      input: 'käse',
    });
    expect(code).toBe(64);
    expect(stderr).toContain('the secret cannot be used');
    expect(stdout + stderr).not.toContain('käse');
    expect(readdirSync(mac.home)).toEqual([]);
  });

  it('refuses a macOS that is too old, and a machine that is no Mac', async () => {
    const mac = freshMac();
    failStandIn(mac.standIns, 'sw_vers', { exit: 1 });
    expect((await mac.run(['service', 'install', ...GIVEN])).code).toBe(69);
    writeFileSync(join(mac.dir, 'bin/sw_vers'), '#!/bin/sh\necho 11.7.10\n', { mode: 0o755 });
    const old = await mac.run(['service', 'install', ...GIVEN]);
    expect(old).toMatchObject({ code: 69, stdout: '' });
    expect(old.stderr).toBe('edge-agent: macOS 11.7.10 is too old; 12 or newer is needed; nothing was changed\n');
    const other = await mac.run(['service', 'install', ...GIVEN], { env: { EDGE_INSTALL_ALLOW_OS: 'Darwin' } });
    expect(other).toMatchObject({ code: 69, stdout: '' });
    expect(readdirSync(mac.home)).toEqual([]);
  });
});

describe('edge-agent service install', () => {
  const mac = preparedMac();
  afterAll(() => mac.remove());
  let pid = 0;

  it('goes from nothing to an agent that answers, and says what is missing', async () => {
    const { code, stdout, stderr } = await mac.run(['service', 'install', ...GIVEN, '--secret-stdin'], {
      input: `${SECRET}\n`,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^ready {8}it answers, with pid \d+$/m);
    expect(stdout).toContain(
      'What is missing, or to be looked at:\n\n  1. macOS: System Settings → Privacy & Security',
    );
    expect(stdout).toContain(`     ${mac.node}\n`);
    expect(stdout).toContain('chatdb-missing: there is no file');
    const status = await mac.status();
    expect(status.running).toBe(true);
    pid = status.pid;
  });

  it('has launchd run the private Node and a copy of the program', () => {
    const plist = readPlist(readFileSync(mac.plist, 'utf8')) as Record<string, unknown>;
    const program = join(mac.state, 'app/current/src/index.ts');
    expect(plist.ProgramArguments).toEqual([mac.node, program, 'run', '--config', mac.config]);
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, 2)).toEqual([mac.node, program]);
    expect(mode(mac.plist)).toBe('644');
  });

  it('writes the configuration from the example, with what was answered', () => {
    expect(readFileSync(mac.config, 'utf8')).toBe(
      EXAMPLE.replace('agent_id: edge_15550100001', 'agent_id: mini-1')
        .replace('  url: https://backend.example.com', '  url: http://127.0.0.1:9')
        .replace('# secret_keychain_service: edge-agent', 'secret_keychain_service: edge-agent'),
    );
    expect(mode(mac.config)).toBe('600');
  });

  it('keeps the secret in the Keychain and nowhere else', async () => {
    expect(readFileSync(join(mac.standIns, 'keychain/edge-agent/mini-1'), 'utf8').trim()).toBe(SECRET);
    expect(textsBelow(mac.dir)).not.toContain('tr0ub4dor');
    expect(textsBelow(mac.dir)).toContain('agent_id: mini-1');
  });

  it('leaves an agent alone that is what it would make', async () => {
    const { code, stdout } = await mac.run(['service', 'install', '--wait', '30']);
    expect(code).toBe(0);
    expect(stdout).toContain(`nothing has changed, and it runs with pid ${pid}; it was left alone\n`);
    expect((await mac.status()).pid).toBe(pid);
    expect(backups(mac)).toEqual([]);
  });

  it('keeps what somebody wrote into the configuration, and starts the agent anew for what is changed', async () => {
    const own = readFileSync(mac.config, 'utf8').replace('level: info', 'level: debug # for a while');
    writeFileSync(mac.config, own);
    const { code } = await mac.run(['service', 'install', '--wait', '30'], {
      env: { EDGE_AGENT_ID: 'mini-1', EDGE_SECRET: 'other' },
    });
    expect(code).toBe(0);
    expect(readFileSync(mac.config, 'utf8')).toBe(own);
    expect(readFileSync(join(mac.standIns, 'keychain/edge-agent/mini-1'), 'utf8').trim()).toBe('other');
    const now = (await mac.status()).pid;
    expect(now).not.toBe(pid);
    pid = now;
  });

  it('goes back to the version before where the new one does not come up, however often it was killed', async () => {
    const broken = otherPackage(mac.dir, '8.0.0', 'process.exit(process.argv[2] === "run" ? 70 : 0);\n');
    for (const command of ['enable', 'bootstrap']) await killed(mac, command, ['service', 'upgrade', '--from', broken]);
    const left = await mac.run(['service', 'status']);
    expect(left.code).not.toBe(0);
    expect(left.stdout).toMatch(
      new RegExp(`^upgrade the upgrade from ${VERSION}-\\w+ to 8\\.0\\.0-\\w+, begun .* was interrupted`, 'm'),
    );
    const [, goOn] = /Go on: edge-agent (.*)$/m.exec(left.stdout) ?? [];
    expect(goOn, left.stdout).toMatch(/^service upgrade --from '.*\/app\/8\.0\.0-\w+'$/);
    const { stdout: doctor } = await mac.run(['doctor', '--only', 'service', '--config', mac.config]);
    expect(doctor).toContain(goOn);
    const { code, stdout, stderr } = await mac.run(['service', 'upgrade', '--from', broken, '--wait', '3']);
    expect(code).toBe(75);
    expect(stdout).toMatch(/^roll back {4}8\.0\.0-\w+ did not answer within 3 s$/m);
    const [, back] = /8\.0\.0-\w+ was taken back; (\S+)-\w+ runs again, with pid \d+/.exec(stderr) ?? [];
    expect(back, stderr).toBe(VERSION);
    const status = await mac.status();
    expect(status.version).not.toBe('8.0.0');
    expect(status.running).toBe(true);
  });

  it('puts the state back where the new version had changed its schema', async () => {
    const migrating = otherPackage(
      mac.dir,
      '8.1.0',
      `import Database from 'better-sqlite3';
if (process.argv[2] !== 'run') process.exit(0);
new Database(${JSON.stringify(join(mac.state, 'state.db'))}).pragma('user_version = 99');
process.exit(1);\n`,
    );
    const { code, stdout } = await mac.run(['service', 'upgrade', '--from', migrating, '--wait', '3']);
    expect(code).toBe(75);
    expect(stdout).toContain('because the new program had changed its schema');
    expect((await mac.status()).running).toBe(true);
  });

  it('does not stop what runs for a version that cannot read the configuration', async () => {
    const refusing = otherPackage(mac.dir, '8.2.0', 'console.error("no such key"); process.exit(78);\n');
    pid = (await mac.status()).pid;
    const { code, stderr } = await mac.run(['service', 'upgrade', '--from', refusing]);
    expect(code).toBe(78);
    expect(stderr).toContain('no such key');
    expect((await mac.status()).pid).toBe(pid);
  });

  it('runs a new version, with a backup of the state, of which three are kept', async () => {
    const upgrade = ['service', 'upgrade', '--from', otherPackage(mac.dir, '9.0.0'), '--wait', '30'];
    await killed(mac, 'bootstrap', upgrade);
    const { code, stdout } = await mac.run(upgrade);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^backup {7}state, configuration and property list are in .*backups/m);
    expect((await mac.status()).version).toBe('9.0.0');
    expect(agentsOf(mac)).toHaveLength(1);
    expect(existsSync(join(mac.state, 'app/upgrade.json'))).toBe(false);
    expect(backups(mac)).toHaveLength(3);
    const newest = join(mac.state, 'backups', backups(mac).sort().at(-1)!);
    expect(readdirSync(newest).sort()).toEqual(['com.edge-relay.edge-agent.plist', 'config.yaml', 'state.db']);
    expect(mode(join(newest, 'state.db'))).toBe('600');
    expect(readdirSync(join(mac.state, 'app')).filter((name) => name.startsWith('8.'))).toEqual([]);
  });
});

describe('edge-agent service install, in parts', () => {
  it('puts everything in place and starts nothing with --no-start, a secret of a file moved to the Keychain', async () => {
    const mac = freshMac();
    const file = join(mac.dir, 'a secret');
    writeFileSync(file, '\ufefffrom a file\n');
    mkdirSync(dirname(mac.config), { recursive: true });
    writeFileSync(
      mac.config,
      '# mine\nedge:\n  agent_id: mini-1\n  secret_file: old\nbackend:\n  url: http://127.0.0.1:9\n',
    );
    const { code } = await mac.run(['service', 'install', '--secret-file', file, '--no-start', ...mac.smallNode]);
    expect(code).toBe(0);
    expect(readFileSync(mac.config, 'utf8')).toBe(
      '# mine\nedge:\n  agent_id: mini-1\n  secret_keychain_service: edge-agent\nbackend:\n  url: http://127.0.0.1:9\n',
    );
    expect(readFileSync(join(mac.standIns, 'keychain/edge-agent/mini-1'), 'utf8').trim()).toBe('from a file');
    expect(existsSync(mac.plist)).toBe(false);
    expect(mac.calls().filter((call) => call.startsWith('launchctl b'))).toEqual([]);
  });

  it('says what stands when launchd refuses, and goes on from there', async () => {
    const mac = freshMac();
    failStandIn(
      mac.standIns,
      'launchctl bootstrap',
      { exit: 125, stderr: 'Domain does not support specified action' },
      1,
    );
    const first = await mac.run(['service', 'install', ...GIVEN, '--secret-stdin'], {
      input: 'secret',
    });
    expect(first.code).not.toBe(0);
    expect(first.stderr).toContain('EDGE_LAUNCHD: launchctl bootstrap ended with 125');
    expect(first.stderr).toContain(
      `This stands, and the same command goes on from it:\n  the private Node ${mac.node}\n`,
    );
    expect(existsSync(mac.plist)).toBe(false);
    expect(existsSync(join(mac.state, 'app/current'))).toBe(false);
    const second = await mac.run(['service', 'install', '--wait', '30']);
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(second.stdout).toContain('1. macOS: System Settings');
  });

  it('says so when the Keychain is locked, before the configuration is written', async () => {
    const mac = freshMac();
    writeFileSync(join(mac.standIns, 'keychain-fails'), '36\n');
    const { code, stderr } = await mac.run(['service', 'install', ...GIVEN, '--secret-stdin'], { input: 'secret' });
    expect(code).not.toBe(0);
    expect(stderr).toContain('security unlock-keychain');
    expect(existsSync(mac.config)).toBe(false);
  });
});

describe('two users of one Mac', () => {
  it('have an agent each, and neither is touched by what the other does', async () => {
    const [ana, ben] = [freshMac(), freshMac()];
    const install = (mac: PreparedMac, id: string) =>
      mac.run(['service', 'install', '--agent-id', id, ...GIVEN.slice(2), '--secret-stdin'], {
        input: `secret of ${id}`,
      });
    const both = await Promise.all([install(ana, 'ana'), install(ben, 'ben')]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    const before = await ben.status();
    expect(before).toMatchObject({ running: true, agent_id: 'ben' });
    expect(await ana.status()).toMatchObject({ running: true, agent_id: 'ana' });
    await ana.run(['service', 'uninstall', '--purge', '--yes']);
    expect(existsSync(ana.plist)).toBe(false);
    expect(await ben.status()).toMatchObject({ running: true, pid: before.pid });
    rmSync(ana.home, { recursive: true, force: true });
    expect(textsBelow(ben.dir)).not.toContain(ana.home);
  });
});
