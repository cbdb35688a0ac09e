import { cpSync, existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { tempDir } from '../support/tempDir.ts';

const repository = resolve(import.meta.dirname, '../..');
const BUILD = ['.npmrc', 'package.json', 'tsconfig.json', 'scripts'];

/** A program as small as one can be. */
const PROGRAM = "#!/usr/bin/env node\nimport process from 'node:process';\n\nprocess.exit(0);\n";

function tree(names: readonly string[], folder: string): string {
  const dir = realpathSync(folder);
  for (const name of names) cpSync(join(repository, name), join(dir, name), { recursive: true });
  symlinkSync(join(repository, 'node_modules'), join(dir, 'node_modules'));
  return dir;
}

/** Writes files below `dir`, with the folders they need. */
export function write(dir: string, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
}

/** A tree that builds in a moment: the two programs and a simulator, with one line each. */
export function smallSourceTree(): string {
  const dir = tree(BUILD, tempDir());
  write(dir, {
    'src/index.ts': PROGRAM,
    'src/hub/index.ts': PROGRAM,
    'src/simulator/simulate.ts': 'export const simulated = true;\n',
  });
  return dir;
}

/** Everything that is in the repository, in a folder where it may be built; the real path of that folder. */
export function wholeSourceTree(folder: string): string {
  const all = [
    'src',
    'test',
    'launchd',
    'docs',
    'bench',
    'config.yaml.example',
    'README.md',
    'LICENSE',
    'CHANGELOG.md',
  ];
  return tree([...BUILD, ...all.filter((name) => existsSync(join(repository, name)))], folder);
}
