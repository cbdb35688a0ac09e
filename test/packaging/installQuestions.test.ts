import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type PreparedMac, preparedMac } from './preparedMac.ts';
import { runProgram } from './runProgram.ts';

const program = resolve(import.meta.dirname, '../../src/index.ts');
const hasPython = spawnSync('python3', ['-c', 'import pty']).status === 0;

/** Runs `edge-agent service install` on a terminal, where a person answers. */
async function answered(
  mac: PreparedMac,
  answers: readonly (readonly [prompt: string, answer: string])[],
  args: readonly string[],
) {
  const steps = answers.map(([prompt, answer]) => `${prompt}=${answer}`);
  const driver = join(import.meta.dirname, 'questions.py');
  const { code, stdout, stderr } = await runProgram(
    'python3',
    [driver, ...steps, '--', process.execPath, program, 'service', 'install', ...args],
    { env: { ...mac.env, TERM: 'xterm-256color', COLUMNS: '200', LINES: '50' } },
  );
  return { code, screen: stripVTControlCharacters(stdout).replaceAll('\r', ''), stderr };
}
function freshMac(): PreparedMac {
  const mac = preparedMac();
  onTestFinished(() => mac.remove());
  return mac;
}

// A pseudo-terminal takes python3, which macOS's developer tools and most Linux systems have.
describe.skipIf(!hasPython)('edge-agent service install on a terminal', () => {
  it('asks for what it does not know, again where an answer will not do, and never shows the secret', async () => {
    const mac = freshMac();
    const { code, screen } = await answered(
      mac,
      [
        ['Under which id', 'a b'],
        ['Expected 1 to 64 letters', '\b\b\bmini-1'],
        ['Where is the backend', 'http://127.0.0.1:9'],
        ['secret', 'tr0ub4dor'],
        ['Install', 'y'],
      ],
      ['--no-start', ...mac.smallNode],
    );
    expect({ code, screen }).toMatchObject({ code: 0 });
    expect(screen).not.toContain('tr0ub4dor');
    expect(readFileSync(join(mac.standIns, 'keychain/edge-agent/mini-1'), 'utf8').trim()).toBe('tr0ub4dor');
    expect(readFileSync(mac.config, 'utf8')).toContain('  agent_id: mini-1\n');
  });

  it('changes nothing when the person leaves', async () => {
    const mac = freshMac();
    const { code, screen } = await answered(mac, [['Under which id', '\x03']], []);
    expect(code).toBe(75);
    expect(screen).toContain('Nothing was changed.');
    expect(existsSync(mac.config)).toBe(false);
  });

  it('asks nothing that it was told, opens both lists of System Settings and names the file', async () => {
    const mac = freshMac();
    const { code, screen } = await answered(
      mac,
      [
        ['secret', 'tr0ub4dor'],
        ['Install', 'y'],
        ['Done?', 'y'],
        ['Done?', 'y'],
      ],
      ['--agent-id', 'mini-1', '--backend-url', 'http://127.0.0.1:9', '--wait', '30'],
    );
    expect({ code, screen }).toMatchObject({ code: 0 });
    expect(screen).not.toContain('Under which id');
    expect(screen).toContain('Cmd-Shift-G');
    const panes = mac.calls().filter((call) => call.startsWith('open '));
    expect(panes).toEqual(
      ['Privacy_AllFiles', 'Privacy_Automation'].map(
        (pane) => `open x-apple.systempreferences:com.apple.preference.security?${pane}`,
      ),
    );
    expect(await mac.status()).toMatchObject({ running: true });
  });

  it('asks nothing with --yes', async () => {
    const { code, screen } = await answered(freshMac(), [], ['--yes']);
    expect(code).toBe(64);
    expect(screen).toContain('this is missing');
  });
});
