import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tempDir } from '../support/tempDir.ts';
import { runProgram } from './runProgram.ts';

/** Records how it is called; `npm test` writes the report it is asked for; what $NPM_FAILS names ends with code 3. */
const NPM = `#!/bin/bash
echo "$*" >> "$NPM_CALLS"
for arg; do
  case $arg in --outputFile.json=*) [ -z "$NPM_REPORT" ] || echo "$NPM_REPORT" > "\${arg#*=}" ;; esac
done
case "$*" in *"\${NPM_FAILS:-nothing}"*) exit 3 ;; esac
`;

async function ci(fails: string | undefined, report: object | undefined, path?: (dir: string) => string) {
  const dir = realpathSync(tempDir());
  const calls = join(dir, 'calls');
  mkdirSync(join(dir, 'check out/.ci'), { recursive: true });
  cpSync(resolve(import.meta.dirname, '../../.ci/run'), join(dir, 'check out/.ci/run'));
  writeFileSync(join(dir, 'npm'), NPM);
  chmodSync(join(dir, 'npm'), 0o755);
  const outcome = await runProgram(join(dir, 'check out/.ci/run'), [], {
    cwd: dir,
    env: {
      PATH: path?.(dir) ?? `${dir}:${dirname(process.execPath)}:/usr/bin:/bin`,
      NPM_CALLS: calls,
      NPM_REPORT: report ? JSON.stringify(report) : '',
      ...(fails && { NPM_FAILS: fails }),
    },
  });
  const steps = readFileSync(calls, 'utf8')
    .trim()
    .split('\n')
    .map((call) => call.replace('run --silent ', '').split(' ')[0]);
  return { code: outcome.code, steps, stdout: outcome.stdout, last: outcome.stdout.trimEnd().split('\n').at(-1) };
}
const GREEN = { numPassedTests: 812, numFailedTests: 0, numPendingTests: 3, success: true };

describe('.ci/run', () => {
  it('installs, checks, builds, tests and plays the demo, and counts the tests in its last line, skipped ones too', async () => {
    const { code, steps, stdout, last } = await ci(undefined, GREEN);
    expect({ code, last }).toEqual({ code: 0, last: '812 passed, 0 failed, 3 skipped' });
    expect(steps).toEqual(['ci', 'check', 'typecheck', 'build', 'test', 'demo']);
    expect(stdout).toMatch(/\n== tests: ok in \d+ s\n/);
  });

  it('installs Chromium where there is none, and goes on where that fails', async () => {
    const bare = (dir: string) => {
      const bin = join(dir, 'bin');
      mkdirSync(bin);
      for (const name of ['bash', 'dirname', 'mktemp', 'rm', 'tail', 'timeout']) {
        symlinkSync(['/usr/bin', '/bin'].map((at) => join(at, name)).find((at) => existsSync(at))!, join(bin, name));
      }
      const program = (name: string, script: string) => writeFileSync(join(bin, name), script, { mode: 0o755 });
      program('id', '#!/bin/bash\necho 0\n');
      program(
        'apt-get',
        '#!/bin/bash\necho "apt-get $*" >> "$NPM_CALLS"\ncase $* in *update) ;; *) echo "no room"; exit 100 ;; esac\n',
      );
      symlinkSync(process.execPath, join(bin, 'node'));
      return `${dir}:${bin}`;
    };
    const { code, stdout, steps, last } = await ci(undefined, GREEN, bare);
    expect({ code, last }).toEqual({ code: 0, last: '812 passed, 0 failed, 3 skipped' });
    expect(steps).toEqual(['ci', 'check', 'typecheck', 'build', 'apt-get', 'apt-get', 'test', 'demo']);
    expect(stdout).toContain('no room\nChromium was not installed: the tests of the status page are skipped\n');
  });

  it('stops at failed tests and counts them', async () => {
    const report = { numPassedTests: 810, numFailedTests: 2, numPendingTests: 3, success: false };
    const { code, steps, last } = await ci('test --silent', report);
    expect({ code, last }).toEqual({ code: 3, last: '810 passed, 2 failed, 3 skipped' });
    expect(steps.at(-1)).toBe('test');
  });

  it('fails when the demo does, though every test passed', async () => {
    const { code, stdout, last } = await ci('demo', GREEN);
    expect({ code, last }).toEqual({ code: 3, last: '812 passed, 0 failed, 3 skipped' });
    expect(stdout).toContain('== demo: failed (3) in');
  });

  it('counts a failure when the tests did not get as far as a report', async () => {
    const { code, steps, last } = await ci('typecheck', undefined);
    expect({ code, last }).toEqual({ code: 3, last: '0 passed, 1 failed, 0 skipped' });
    expect(steps.at(-1)).toBe('typecheck');
  });

  it('counts a failure when a test file could not be loaded', async () => {
    const { last } = await ci('test --silent', {
      numPassedTests: 800,
      numFailedTests: 0,
      numPendingTests: 0,
      success: false,
    });
    expect(last).toBe('800 passed, 1 failed, 0 skipped');
  });
});
