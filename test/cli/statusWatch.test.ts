import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { StateStore } from '../../src/state/StateStore.ts';
import { waitFor } from '../support/waitFor.ts';
import { edgeAgent, home, start } from './edgeAgent.ts';

const T = Date.UTC(2026, 0, 1);
const program = resolve(import.meta.dirname, '../../src/index.ts');
/** util-linux's `script` runs a command on a terminal of its own; that of macOS takes other options. */
const hasTerminal = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') ?? false;
/** What decides about colours besides the terminal. Where CI is set, Node takes every terminal for one without. */
const DECIDES = ['FORCE_COLOR', 'NO_COLOR', 'CI'];

function withStore() {
  const place = home();
  const store = StateStore.open(join(place.state, 'state.db'), T);
  store.transaction(() => store.meta.set('started_at', String(T)));
  onTestFinished(() => store.close());
  return { ...place, store };
}

/** `edge-agent ARGS` on a terminal of 20 lines. */
function onTerminal(args: readonly string[], env: Record<string, string | undefined> = {}) {
  const quoted = [process.execPath, program, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qefc', `stty rows 20 cols 100; ${quoted}`, '/dev/null'], {
    env: {
      ...process.env,
      TERM: 'xterm-256color',
      ...Object.fromEntries(DECIDES.map((name) => [name, undefined])),
      ...env,
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const shown = { text: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    shown.text += chunk;
  });
  return { child, shown, ended: once(child, 'close').then(([code]) => code as number) };
}

describe('edge-agent status --watch', () => {
  it('prints a block at each change where there is no terminal', async () => {
    const { config, store } = withStore();
    const { child, ended } = start(['status', '--watch', '--config', config]);
    let out = '';
    child.stdout!.on('data', (chunk: Buffer) => {
      out += chunk;
    });
    await waitFor('the first block', () => out.includes('ended without stopping'));
    store.transaction(() => store.meta.set('stopped_at', String(T + 60_000)));
    await waitFor('the second block', () => out.includes('stopped 2026-01-01T00:01:00.000Z'));
    child.kill('SIGINT');
    expect((await ended).code).toBe(0);
    expect(out.match(/^edge-agent does not run/gm)).toHaveLength(2);
    expect(out).not.toContain('\u001b');
  });

  it.skipIf(!hasTerminal)(
    'fills a terminal, goes with what changes, and leaves it as it was (util-linux’s script)',
    async () => {
      const { config, store, log } = withStore();
      writeFileSync(
        log,
        Array.from({ length: 50 }, (_, n) => `[${new Date(T).toISOString()}] [WARN] line ${n}\n`).join(''),
      );
      const { child, shown, ended } = onTerminal(['status', '--watch', '--config', config]);
      await waitFor('the first screen', () => shown.text.includes('q or Ctrl-C ends'));
      expect(shown.text.startsWith('\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[H')).toBe(true);
      const screen = shown.text.split('\u001b[H')[1]!.split('\u001b[J')[0]!;
      expect(screen.split('\r\n')).toHaveLength(20);
      expect(screen).toContain('line 49');
      expect(screen).toContain('\u001b[33m'); // a warning
      store.transaction(() => store.meta.set('stopped_at', String(T + 60_000)));
      await waitFor('another screen', () => shown.text.includes('stopped 2026-01-01T00:01:00.000Z'));
      child.stdin.write('q');
      expect(await ended).toBe(0);
      expect(shown.text.trimEnd().endsWith('\u001b[?7h\u001b[?25h\u001b[?1049l')).toBe(true);
    },
  );
});

describe('the colours of edge-agent status', () => {
  it.skipIf(!hasTerminal)('are for a terminal that wants them (util-linux’s script)', async () => {
    const { config } = withStore();
    const args = ['status', '--config', config];
    const [plain, coloured, refused, dumb] = [
      (await edgeAgent(args)).out,
      ...(await Promise.all(
        [{}, { NO_COLOR: '1' }, { TERM: 'dumb' }].map(async (env) => {
          const { shown, ended } = onTerminal(args, env);
          expect(await ended).toBe(3);
          return shown.text;
        }),
      )),
    ] as [string, string, string, string];
    expect(plain).not.toContain('\u001b');
    expect(coloured.startsWith('\u001b[31m')).toBe(true);
    expect(refused).not.toContain('\u001b');
    expect(dumb).not.toContain('\u001b');
  });
});
