import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type RunOptions, runProgram } from '../packaging/runProgram.ts';
import { tempDir } from '../support/tempDir.ts';

const root = resolve(import.meta.dirname, '../..');

/** Runs the demo with a folder for temporary files of its own. */
async function demo(args: string[], options: RunOptions = {}) {
  const tmp = tempDir();
  const env = { ...process.env, TMPDIR: tmp };
  const ended = await runProgram(process.execPath, ['scripts/demo/index.ts', ...args], { cwd: root, env, ...options });
  return { ...ended, tmp, left: readdirSync(tmp).filter((name) => name.startsWith('edge-relay-demo-')) };
}

/** The processes that have `text` in their command line. */
const running = (text: string) =>
  execFileSync('ps', ['-Ao', 'args'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(text));

describe('the demo', () => {
  it('says how it is used', async () => {
    const { code, stdout, stderr, left } = await demo(['--help']);
    expect({ code, stderr, left }).toEqual({ code: 0, stderr: '', left: [] });
    expect(stdout).toContain('--interactive');
  });

  it('refuses an option it does not know, and starts nothing', async () => {
    const { code, stdout, stderr, left } = await demo(['--kep']);
    expect({ code, stdout, left }).toEqual({ code: 64, stdout: '', left: [] });
    expect(stderr).toContain("Unknown option '--kep'");
    expect(stderr).not.toContain('    at ');
  });

  it('shows every answer to what is piped into it, in order, before it ends', async () => {
    const { code, stdout, left } = await demo(['--interactive'], { input: 'who are you?\n\ntell me a story\n' });
    const shown = stdout.split('\n').flatMap((line) => /Ann ← {4}(.+)/.exec(line)?.[1] ?? []);
    const first = ['hm, let me think', 'You said: who are you?', 'That is all this demo knows.'];
    const second = [
      'There was a daemon on a Mac.',
      'It was killed in mid-sentence.',
      'It went on where it had stopped.',
    ];
    expect({ code, left, count: shown.length }).toEqual({ code: 0, left: [], count: 6 });
    expect(shown.filter((text) => first.includes(text))).toEqual(first);
    expect(shown.filter((text) => second.includes(text))).toEqual(second);
  });

  it('keeps the folder with an agent in it that stopped in order', async () => {
    const { code, stdout, tmp, left } = await demo(['--interactive', '--keep'], { input: '' });
    expect(code).toBe(0);
    expect(left).toHaveLength(1);
    const folder = join(tmp, left[0]!);
    expect(stdout).toContain(`Kept: ${folder}\n`);
    for (const name of ['config.yaml', 'edge-agent.log', 'state/state.db', 'hub.db', 'mac/Library/Messages/chat.db']) {
      expect(existsSync(join(folder, name)), name).toBe(true);
    }
    const args = ['src/index.ts', 'status', '--json', '--config', join(folder, 'config.yaml')];
    const status = await runProgram(process.execPath, args, { cwd: root, env: process.env });
    expect(JSON.parse(status.stdout)).toMatchObject({ running: false, stopped_at: expect.any(String) });
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('leaves no folder and no agent behind when %s ends it', async (signal) => {
    let sent = false;
    const { code, tmp, left } = await demo([], {
      onStdout: (pid, soFar) => {
        if (sent || !soFar.includes('Ann ←')) return;
        sent = true;
        process.kill(pid, signal);
      },
    });
    expect({ code, left }).toEqual({ code: signal === 'SIGINT' ? 130 : 143, left: [] });
    expect(running(tmp)).toEqual([]);
  });
});
