import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tempDir } from '../support/tempDir.ts';
import { type Outcome, type RunOptions, runProgram } from './runProgram.ts';
import { wholeSourceTree } from './sourceTree.ts';

/** What an installation takes from the registry, beside all that it needs to run. */
const MAX_PACKED_BYTES = 1_000_000;
const MAX_UNPACKED_BYTES = 4_000_000;
/** How npm says that there is no registry, and that its cache has not all of it. */
const NO_REGISTRY = /npm error code (ENOTCACHED|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH)/;

let source: string;
let tarball: string;
let unpacked: string;

/** Packs the repository as for a release, from a copy, and unpacks what came out. */
beforeAll(async () => {
  source = wholeSourceTree(mkdtempSync(join(tmpdir(), 'edge-pack-')));
  // .npmrc switches the scripts of every package off, this one's `prepack` with them.
  await must('npm', ['pack', '--ignore-scripts=false', '--pack-destination', source], { cwd: source });
  tarball = join(source, readdirSync(source).find((file) => /^edge-relay-.*\.tgz$/.test(file))!);
  await must('tar', ['-xzf', tarball], { cwd: source });
  unpacked = join(source, 'package');
});

afterAll(() => rmSync(source, { recursive: true, force: true }));

async function must(file: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const outcome = await runProgram(file, args, options);
  if (outcome.code !== 0) throw new Error(`${file} ${args.join(' ')}: ${outcome.code}\n${outcome.stderr}`);
  return outcome;
}

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .sort();
}

describe('the package', () => {
  it('holds the built programs, what installing them takes, the documents, and nothing else', () => {
    const compiled = filesBelow(join(source, 'src'))
      .filter((file) => !file.startsWith('simulator/'))
      .map((file) => `dist/${file.replace(/\.ts$/, '.js')}`);
    const named = [
      'package.json',
      'LICENSE',
      'README.md',
      'CHANGELOG.md',
      'config.yaml.example',
      'launchd/com.edge-relay.edge-agent.plist.template',
      'scripts/install.sh',
      'scripts/uninstall.sh',
      ...filesBelow(join(source, 'docs')).map((file) => `docs/${file}`),
    ].filter((file) => existsSync(join(source, file)));
    expect(filesBelow(unpacked)).toEqual([...compiled, ...named].sort());
  });

  it('is small', () => {
    expect(statSync(tarball).size).toBeLessThan(MAX_PACKED_BYTES);
    const bytes = filesBelow(unpacked).reduce((sum, file) => sum + statSync(join(unpacked, file)).size, 0);
    expect(bytes).toBeLessThan(MAX_UNPACKED_BYTES);
  });

  it('names neither the machine it was built on nor what is not in it', () => {
    for (const file of filesBelow(unpacked)) {
      const text = readFileSync(join(unpacked, file), 'utf8');
      expect.soft(text, `${file} names the machine it was built on`).not.toContain(source);
      if (!file.endsWith('.js')) continue;
      expect.soft(text, `${file} names a source map`).not.toContain('sourceMappingURL');
      expect.soft(text, `${file} imports what is not in the package`).not.toMatch(/from '[^']*(simulator|test)\//);
      expect.soft(text, `${file} imports a .ts file`).not.toMatch(/from '\.[^']*\.ts'/);
    }
  });

  it('has programs that can be executed', () => {
    const { bin } = JSON.parse(readFileSync(join(unpacked, 'package.json'), 'utf8'));
    for (const program of [...Object.values<string>(bin), 'scripts/install.sh', 'scripts/uninstall.sh']) {
      expect.soft(statSync(join(unpacked, program)).mode & 0o111, `${program} can be executed`).toBe(0o111);
    }
  });
});

describe('npm install -g', () => {
  it('gives programs that run, wherever they are called from', async (context) => {
    const dir = realpathSync(tempDir());
    const prefix = join(dir, 'pre fix');
    // Nothing of this machine's own: what npm keeps between installations is used, so that there is little to fetch.
    const npm = ['--prefix', prefix, '--prefer-offline', '--no-audit', '--no-fund', '--fetch-retries=0'];
    const { code, stderr } = await runProgram('npm', ['install', '--global', ...npm, tarball], { cwd: dir });
    if (NO_REGISTRY.test(stderr)) context.skip(`no registry: ${NO_REGISTRY.exec(stderr)![1]}`);
    expect({ code, stderr }).toMatchObject({ code: 0 });

    const { version } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
    const home = join(dir, 'home');
    const env = {
      PATH: `${join(prefix, 'bin')}:${dirname(process.execPath)}:/usr/bin:/bin`,
      HOME: home,
      EDGE_SECRET: 'of the installed one',
    };
    const run = (program: string, ...args: string[]) => runProgram(program, args, { cwd: dir, env });
    for (const program of ['edge-agent', 'edge-hub']) {
      expect(await run(program, '--version')).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
    }
    const example = join(prefix, 'lib/node_modules/edge-relay/config.yaml.example');
    expect(await run('edge-agent', 'check-config', '--config', example)).toMatchObject({ code: 0 });
    const doctor = await run('edge-agent', 'doctor', '--json', '--only', 'chat.db', '--config', example);
    expect(JSON.parse(doctor.stdout)).toHaveProperty('checks');
    expect(doctor.stderr).toBe('');
  });
});
