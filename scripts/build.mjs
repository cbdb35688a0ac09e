// Compiles src to dist, and copies what is no TypeScript (the status page). The simulator is a tool of the checkout and
// is not part of the package.
//
// The new tree replaces the old one only when it is whole: a failed build leaves the dist that an agent may be running
// from as it was.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const next = join(root, `dist.next-${process.pid}`);
const { version, bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

function fail(message, code = 1) {
  rmSync(next, { recursive: true, force: true });
  console.error(`build: ${message}; dist is as it was`);
  process.exit(code);
}

const started = performance.now();
const tsc = spawnSync(
  process.execPath,
  [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'scripts/tsconfig.build.json'), '--outDir', next],
  { stdio: 'inherit' },
);
if (tsc.status !== 0) fail('the compiler found errors', tsc.status ?? 1);

for (const file of readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })) {
  const path = relative(join(root, 'src'), join(file.parentPath, file.name));
  if (!file.isFile() || path.endsWith('.ts') || path.startsWith('simulator')) continue;
  cpSync(join(root, 'src', path), join(next, path));
}

for (const [name, path] of Object.entries(bin)) {
  const program = join(next, path.replace(/^(\.\/)?dist\//, ''));
  if (!existsSync(program)) fail(`${name} has no ${path}`);
  // npm links the file itself as the command: without this line a shell would run it.
  if (!readFileSync(program, 'utf8').startsWith('#!/usr/bin/env node\n')) fail(`${path} lacks #!/usr/bin/env node`);
  chmodSync(program, 0o755);
}
const files = readdirSync(next, { recursive: true }).filter((file) => file.endsWith('.js')).length;
rmSync(dist, { recursive: true, force: true });
renameSync(next, dist);
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(`build: ${Object.keys(bin).join(', ')} ${version}: ${files} files in dist, ${seconds} s`);
