import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { tempDir } from '../support/tempDir.ts';
import { preparedMac } from './preparedMac.ts';
import { runProgram } from './runProgram.ts';
import { wholeSourceTree } from './sourceTree.ts';

const repository = resolve(import.meta.dirname, '../..');
const readme = readFileSync(join(repository, 'README.md'), 'utf8');

/** `git clone URL DIR` copies the tree; `npm ci` has the libraries there, `npm run build` is the real one. */
const STAND_INS = {
  git: `[ "$1" = clone ] && cp -R "$TREE" "$3" && : >"$3/package-lock.json"\n`,
  npm: `case "$*" in
  ci) ;;
  'run build') exec "$REAL_NODE" scripts/build.mjs ;;
  'install -g .') ln -s "$PWD/dist/index.js" "$BIN/edge-agent" ;;
  *) exit 64 ;;
esac\n`,
};

it('goes from git clone to a running agent with the commands of README.md, at most five, and no file edited', async () => {
  const section = /^## On a Mac.*?^```\n(.*?)^```/ms.exec(readme)![1]!;
  const commands = section.trim().split('\n');
  expect(commands.length).toBeLessThanOrEqual(5);
  expect(commands[0]).toMatch(/^git clone /);

  const mac = preparedMac();
  onTestFinished(() => mac.remove());
  const bin = join(mac.dir, 'bin');
  for (const [name, script] of Object.entries(STAND_INS)) {
    writeFileSync(join(bin, name), `#!/bin/bash\n${script}`);
    chmodSync(join(bin, name), 0o755);
  }
  const work = join(mac.dir, 'my work');
  mkdirSync(work);
  const { code, stdout, stderr } = await runProgram('/bin/bash', ['-e', '-c', section], {
    cwd: work,
    env: {
      ...mac.env,
      TREE: wholeSourceTree(tempDir()),
      BIN: bin,
      REAL_NODE: process.execPath,
      EDGE_AGENT_ID: 'mini-1',
      EDGE_BACKEND_URL: 'http://127.0.0.1:9',
      EDGE_SECRET: 'tr0ub4dor',
    },
  });
  // status: it runs, with conditions, for there are no Messages here.
  expect({ code, stderr, stdout }).toMatchObject({ code: 1, stderr: '' });
  expect(stdout).toMatch(/^ready {8}it answers/m);
  expect(stdout).toContain('mini-1');
  expect(await mac.status()).toMatchObject({ running: true, agent_id: 'mini-1' });
});
