import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Outcome, runProgram } from './runProgram.ts';
import { PROGRAM, wholeSourceTree, write } from './sourceTree.ts';

async function must(outcome: Promise<Outcome>): Promise<void> {
  const { code, stderr } = await outcome;
  if (code !== 0) throw new Error(stderr);
}

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .sort();
}

/** Builds and packs the repository as for a release, from a copy, and unpacks what came out. */
async function packAndUnpack(): Promise<{ source: string; unpacked: string }> {
  const source = wholeSourceTree();
  for (const program of ['src/index.ts', 'src/hub/index.ts']) {
    if (!existsSync(join(source, program))) write(source, { [program]: PROGRAM });
  }
  await must(runProgram('npm', ['run', 'build'], { cwd: source }));
  await must(runProgram('npm', ['pack', '--pack-destination', source], { cwd: source }));
  const tarball = filesBelow(source).find((file) => /^edge-relay-.*\.tgz$/.test(file))!;
  await must(runProgram('tar', ['-xzf', tarball], { cwd: source }));
  return { source, unpacked: join(source, 'package') };
}

describe('the package', () => {
  it('holds the built programs, what installing them takes, the documents, and nothing else', async () => {
    const { source, unpacked } = await packAndUnpack();
    const compiled = filesBelow(join(source, 'src'))
      .filter((file) => file.endsWith('.ts') && !file.startsWith('simulator/'))
      .map((file) => `dist/${file.replace(/\.ts$/, '.js')}`);
    const named = [
      'package.json',
      'LICENSE',
      'README.md',
      'CHANGELOG.md',
      'config.yaml.example',
      'launchd/com.edge-relay.edge-agent.plist.template',
      'scripts/install.sh',
      'scripts/launchd.sh',
      'scripts/uninstall.sh',
      ...filesBelow(join(source, 'docs')).map((file) => `docs/${file}`),
    ].filter((file) => existsSync(join(source, file)));
    expect(filesBelow(unpacked)).toEqual([...compiled, ...named].sort());

    for (const file of filesBelow(unpacked)) {
      const text = readFileSync(join(unpacked, file), 'utf8');
      expect.soft(text, `${file} names the machine it was built on`).not.toContain(source);
      if (!file.endsWith('.js')) continue;
      expect.soft(text, `${file} names a source map`).not.toContain('sourceMappingURL');
      expect.soft(text, `${file} imports what is not in the package`).not.toMatch(/from '[^']*(simulator|test)\//);
      expect.soft(text, `${file} imports a .ts file`).not.toMatch(/from '\.[^']*\.ts'/);
    }

    const { bin } = JSON.parse(readFileSync(join(unpacked, 'package.json'), 'utf8'));
    for (const program of [...Object.values<string>(bin), 'scripts/install.sh', 'scripts/uninstall.sh']) {
      expect.soft(statSync(join(unpacked, program)).mode & 0o111, `${program} can be executed`).toBe(0o111);
    }
  });
});
