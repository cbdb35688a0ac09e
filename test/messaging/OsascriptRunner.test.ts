import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { OsascriptRunner } from '../../src/messaging/OsascriptRunner.ts';
import { sendScript } from '../../src/messaging/sendScript.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { tempDir } from '../support/tempDir.ts';
import { waitFor } from '../support/waitFor.ts';

/** An executable that stands for osascript. */
function executable(body: string, mode = 0o755): { dir: string; path: string } {
  const dir = tempDir();
  const path = join(dir, 'osascript');
  writeFileSync(path, `#!/bin/bash\n${body}\n`);
  chmodSync(path, mode);
  return { dir, path };
}

const PATIENT = { timeoutMs: 60_000 };

describe('OsascriptRunner', () => {
  it('hands over the script on stdin and every argument byte for byte', async () => {
    const { dir, path } = executable(`cd "$(dirname "$0")"; cat > script; printf '%s\\0' "$@" > args`);
    const texts = [
      `"quotes" 'single' \`back\` \\ $HOME $(touch pwned); & display dialog "x"`,
      'line\nline\r\nline\ttab',
      'emoji 👩‍👩‍👧 RTL שלום U+2028 \u2028 U+2029 \u2029',
      '-e',
      '',
      'x'.repeat(100_000),
    ];
    const script = sendScript(30);
    const result = await new OsascriptRunner({ path }).run(script, texts, PATIENT);
    expect(result).toMatchObject({ exitCode: 0, stdout: '', timedOut: false });
    expect(readFileSync(join(dir, 'script'), 'utf8')).toBe(script);
    const args = readFileSync(join(dir, 'args'), 'utf8').split('\0').slice(0, -1);
    expect(args).toEqual(['-l', 'AppleScript', '-', ...texts]);
    expect(existsSync(join(dir, 'pwned'))).toBe(false);
  });

  it('gives the child a UTF-8 locale and nothing of ours that it need not know', async () => {
    process.env.EDGE_SECRET = 'canary';
    onTestFinished(() => {
      delete process.env.EDGE_SECRET;
    });
    const { path } = executable('env');
    const { stdout } = await new OsascriptRunner({ path }).run('', [], PATIENT);
    expect(stdout).toContain('LC_ALL=en_US.UTF-8');
    expect(stdout).toContain(`PATH=${process.env.PATH}`);
    expect(stdout).not.toContain('canary');
  });

  it('reports the exit code and the error line', async () => {
    const { path } = executable('echo "execution error: no (-1728)" >&2; exit 1');
    const result = await new OsascriptRunner({ path }).run('', [], PATIENT);
    expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('error: no (-1728)\n') });
  });

  it('keeps the first 16 KiB of the output and lets the rest run by', async () => {
    const { path } = executable('head -c 300000 /dev/zero | tr "\\0" x');
    const result = await new OsascriptRunner({ path }).run('', [], PATIENT);
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toHaveLength(16 * 1024);
  });

  it('is not held up by a grandchild that keeps the pipe open', async () => {
    const { path } = executable('echo early; sleep 60 & exit 0');
    const result = await new OsascriptRunner({ path }).run('', [], PATIENT);
    expect(result).toMatchObject({ exitCode: 0, stdout: 'early\n' });
  });

  it('does not mind a child that ends without reading the script', async () => {
    const { path } = executable('exec <&-; exit 0');
    const result = await new OsascriptRunner({ path }).run('x'.repeat(1_000_000), [], PATIENT);
    expect(result.exitCode).toBe(0);
  });

  it('ends a child whose time is over with SIGTERM, and all that it started', async () => {
    const { dir, path } = executable(
      'cd "$(dirname "$0")"; trap "touch termed; exit 3" TERM; touch up; sleep 60 & wait',
    );
    const clock = new FakeClock();
    const running = new OsascriptRunner({ path, clock }).run('', [], { timeoutMs: 1000 });
    await waitFor('the child', () => existsSync(join(dir, 'up')));
    await clock.advance(1000);
    await waitFor('the trap', () => existsSync(join(dir, 'termed')));
    const result = await finished(running, clock);
    expect(result).toMatchObject({ exitCode: null, timedOut: true });
  });

  it('kills a child that ignores SIGTERM two seconds later', async () => {
    const { dir, path } = executable(
      'cd "$(dirname "$0")"; trap "touch deaf" TERM; touch up; while :; do sleep 0.05; done',
    );
    const clock = new FakeClock();
    const running = new OsascriptRunner({ path, clock }).run('', [], { timeoutMs: 1000 });
    await waitFor('the child', () => existsSync(join(dir, 'up')));
    await clock.advance(1000);
    await waitFor('the trap', () => existsSync(join(dir, 'deaf')));
    await clock.advance(2000);
    expect(await finished(running, clock)).toMatchObject({ exitCode: null, timedOut: true });
  });

  it.each([
    ['is missing', () => join(tempDir(), 'none')],
    ['may not be executed', () => executable('exit 0', 0o644).path],
  ])('says that nothing was started when the program %s', async (_name, path) => {
    const runner = new OsascriptRunner({ path: path() });
    await expect(runner.run('', [], PATIENT)).rejects.toMatchObject({ code: 'EDGE_SEND_SPAWN' });
    await runner.idle();
  });

  it('says that nothing was started when the arguments are too large', async () => {
    const { path } = executable('exit 0');
    const runner = new OsascriptRunner({ path });
    await expect(runner.run('', ['x'.repeat(200_000)], PATIENT)).rejects.toMatchObject({ code: 'EDGE_SEND_SPAWN' });
  });

  it('refuses a second run while one goes on', async () => {
    const { path } = executable('read -r line');
    const runner = new OsascriptRunner({ path });
    const first = runner.run('go\n', [], PATIENT);
    await expect(runner.run('', [], PATIENT)).rejects.toMatchObject({ code: 'EDGE_INTERNAL' });
    await first;
    await runner.idle();
    await expect(runner.run('go\n', [], PATIENT)).resolves.toMatchObject({ exitCode: 0 });
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'leaves a send to its end when %s hits our process group',
    async (signal) => {
      const { dir, path } = executable(
        'cd "$(dirname "$0")"; touch up; while [ ! -e go ]; do sleep 0.02; done; touch sent',
      );
      const main = join(dir, 'main.ts');
      const module = join(import.meta.dirname, '../../src/messaging/OsascriptRunner.ts');
      writeFileSync(
        main,
        `import { OsascriptRunner } from ${JSON.stringify(module)};
       await new OsascriptRunner({ path: ${JSON.stringify(path)} }).run('', [], { timeoutMs: 60000 });`,
      );
      const agent = spawn(process.execPath, [main], { detached: true, stdio: 'ignore' });
      const ended = new Promise((resolve) => agent.once('exit', resolve));
      await waitFor('the script', () => existsSync(join(dir, 'up')));
      process.kill(-agent.pid!, signal);
      await ended;
      writeFileSync(join(dir, 'go'), '');
      await waitFor('the end of the script', () => existsSync(join(dir, 'sent')));
    },
  );
});

/** The output may end a moment after the exit; the clock that bounds the wait is the test's. */
async function finished<T>(running: Promise<T>, clock: FakeClock): Promise<T> {
  let result: T | undefined;
  void running.then((value) => {
    result = value;
  });
  return waitFor('the result', async () => {
    await clock.advance(200);
    return result;
  });
}
