import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { tempDir } from '../support/tempDir.ts';
import { type RunOptions, runProgram } from './runProgram.ts';

const scripts = resolve(import.meta.dirname, '../../scripts');
const standIns = resolve(import.meta.dirname, 'standIns');

/** A checkout with nothing in it but the scripts at hand, in a folder with a space in its name. */
let checkout: string;
let calls: string;
let env: NodeJS.ProcessEnv;

beforeEach(() => {
  checkout = join(realpathSync(tempDir()), 'check out');
  calls = join(dirname(checkout), 'npm-calls');
  mkdirSync(checkout);
  cpSync(scripts, join(checkout, 'scripts'), { recursive: true });
  writeFileSync(calls, '');
  // Makes the Node that runs the script believe that it is version 20.20.2.
  writeFileSync(
    join(checkout, 'old.cjs'),
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });",
  );
  writeFileSync(
    join(checkout, 'show.mjs'),
    'console.log(JSON.stringify({ exec: process.execPath, path: process.env.PATH, args: process.argv.slice(2) }));',
  );
  env = { ...process.env, PATH: `${standIns}:${process.env.PATH}`, STAND_IN_CALLS: calls, REAL_NODE: process.execPath };
});

const onThisNode = (args: string[], options: RunOptions = {}) =>
  runProgram(process.execPath, ['scripts/with-node.mjs', ...args], { cwd: checkout, env, ...options });
const onOldNode = (args: string[], more: NodeJS.ProcessEnv = {}) =>
  runProgram(process.execPath, ['--require', './old.cjs', 'scripts/with-node.mjs', ...args], {
    cwd: checkout,
    env: { ...env, ...more },
  });
const npmCalls = () => readFileSync(calls, 'utf8').split('\n').filter(Boolean);
const fetched = () => (existsSync(join(checkout, '.node')) ? readdirSync(join(checkout, '.node')) : []);

describe('with-node on a Node that is new enough', () => {
  it('uses it as it is, with the arguments untouched', async () => {
    const { code, stdout, stderr } = await onThisNode(['show.mjs', 'a b', '--flag', '']);
    const seen = JSON.parse(stdout);
    expect({ code, stderr, exec: seen.exec, args: seen.args }).toEqual({
      code: 0,
      stderr: '',
      exec: process.execPath,
      args: ['a b', '--flag', ''],
    });
    expect(npmCalls()).toEqual([]);
    expect(fetched()).toEqual([]);
  });

  it('puts that Node first on the PATH of what it starts', async () => {
    const { stdout } = await onThisNode(['show.mjs']);
    expect(JSON.parse(stdout).path.split(':')[0]).toBe(dirname(process.execPath));
  });

  it('runs when it is named by a path through a link', async () => {
    const link = join(dirname(checkout), 'link');
    symlinkSync(checkout, link);
    const { stdout } = await runProgram(process.execPath, [join(link, 'scripts/with-node.mjs'), 'show.mjs'], {
      cwd: link,
      env,
    });
    expect(JSON.parse(stdout).args).toEqual([]);
  });

  it('ends with the exit code of what it ran', async () => {
    writeFileSync(join(checkout, 'exit.mjs'), 'process.exit(78);');
    expect((await onThisNode(['exit.mjs'])).code).toBe(78);
  });

  it('dies of the signal that killed what it ran', async () => {
    writeFileSync(join(checkout, 'die.mjs'), "process.kill(process.pid, 'SIGKILL');");
    expect((await onThisNode(['die.mjs'])).signal).toBe('SIGKILL');
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('hands %s on and waits for the end it asks for', async (signal) => {
    writeFileSync(
      join(checkout, 'wait.mjs'),
      `process.on('${signal}', () => { console.log('told'); process.exit(3); });
       console.log('ready');
       setInterval(() => {}, 1000);`,
    );
    let sent = false;
    const { code, stdout } = await onThisNode(['wait.mjs'], {
      onStdout: (pid, soFar) => {
        if (sent || !soFar.includes('ready')) return;
        sent = true;
        process.kill(pid, signal);
      },
    });
    expect({ code, stdout }).toEqual({ code: 3, stdout: 'ready\ntold\n' });
  });

  it('says how it is used when no script is named', async () => {
    const { code, stderr } = await onThisNode([]);
    expect({ code, stderr }).toEqual({ code: 64, stderr: 'usage: node scripts/with-node.mjs SCRIPT [ARG…]\n' });
  });
});

describe('with-node on a Node that is too old', () => {
  it('fetches the pinned one, says so, and runs the script on it', async () => {
    const { code, stdout, stderr } = await onOldNode(['show.mjs', 'x']);
    expect(code).toBe(0);
    expect(stderr).toBe('Node 20.20.2 is too old for this project; fetching Node 26.10.0 into .node/ (once).\n');
    expect(stdout).toMatch(/^on Node 26\.10\.0\n/);
    expect(npmCalls()).toEqual([expect.stringMatching(/^node-.*@26\.10\.0$/)]);
    expect(fetched()).toEqual(['26.10.0']);
  });

  it('fetches it for every user of the machine', async () => {
    await onOldNode(['show.mjs']);
    expect(statSync(join(checkout, '.node/26.10.0')).mode & 0o777).toBe(0o755);
  });

  it('fetches once only', async () => {
    await onOldNode(['show.mjs']);
    const { code, stdout, stderr } = await onOldNode(['show.mjs']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^on Node 26\.10\.0\n/);
    expect(npmCalls()).toHaveLength(1);
  });

  it('lets two that fetch at once both succeed and keeps one copy', async () => {
    const both = await Promise.all([
      onOldNode(['show.mjs'], { NPM_WAIT: '2' }),
      onOldNode(['show.mjs'], { NPM_WAIT: '2' }),
    ]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(both.every(({ stdout }) => stdout.startsWith('on Node 26.10.0\n'))).toBe(true);
    expect(npmCalls()).toHaveLength(2);
    expect(fetched()).toEqual(['26.10.0']);
  });

  it('says in one line what to do when npm cannot reach the registry, and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await onOldNode(['show.mjs'], {
      NPM_FAIL:
        'npm error code ENOTFOUND\nnpm error syscall getaddrinfo\nnpm error network request failed\nnpm error more',
    });
    expect({ code, stdout }).toEqual({ code: 69, stdout: '' });
    expect(stderr.split('\n').slice(1)).toEqual([
      expect.stringMatching(
        /^with-node: npm could not fetch node-\S+@26\.10\.0: network request failed\. Install Node 22\.18 or newer/,
      ),
      '',
    ]);
    expect(fetched()).toEqual([]);
  });

  it('says in one line that there is no npm', async () => {
    const { code, stderr } = await onOldNode(['show.mjs'], { PATH: join(checkout, 'nowhere') });
    expect(code).toBe(69);
    expect(stderr).toMatch(/\nwith-node: npm could not be started \(.*ENOENT\)\. Install Node 22\.18 or newer.*\n$/);
  });

  it('refuses a fetched Node that does not run here', async () => {
    const { code, stderr } = await onOldNode(['show.mjs'], { NPM_BAD: 'nothing' });
    expect(code).toBe(69);
    expect(stderr).toMatch(/with-node: the Node that npm brought does not run here/);
    expect(fetched()).toEqual([]);
  });

  it('replaces nothing it does not understand in .node/', async () => {
    mkdirSync(join(checkout, '.node/26.10.0/half'), { recursive: true });
    const { code, stderr } = await onOldNode(['show.mjs']);
    expect(code).toBe(69);
    expect(stderr).toMatch(/26\.10\.0 cannot be put in place .*; remove it\. Install/);
    expect(fetched()).toEqual(['26.10.0']);
  });
});
