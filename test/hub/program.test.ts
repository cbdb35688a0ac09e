import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { tempDir } from '../support/tempDir.ts';
import { waitFor } from '../support/waitFor.ts';
import { AGENT, identity, message, SECRET } from './testHub.ts';

const PROGRAM = resolve(import.meta.dirname, '../../src/hub/index.ts');

function edgeHub(args: string[], env: Record<string, string> = {}) {
  const cwd = tempDir();
  const child: ChildProcess = spawn(process.execPath, [PROGRAM, ...args], {
    cwd,
    env: { PATH: process.env.PATH!, ...env },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const out = { text: '', code: undefined as number | null | undefined };
  const hear = (chunk: Buffer) => {
    out.text += chunk;
  };
  child.stdout!.on('data', hear);
  child.stderr!.on('data', hear);
  child.on('close', (code) => {
    out.code = code;
  });
  return {
    child,
    out,
    cwd,
    exit: () => waitFor('the exit', () => (out.code === undefined ? undefined : { code: out.code })),
  };
}

describe('edge-hub', () => {
  it('serves until SIGTERM, and exits 0', async () => {
    const { child, out, exit } = edgeHub(['--port', '0'], { EDGE_SECRET: SECRET });
    const url = await waitFor('the port', () => /Listening on (\S+)/.exec(out.text)?.[1]);
    expect(out.text).toContain('any agent id with the secret is accepted');
    const headers = { ...identity(AGENT), 'Content-Type': 'application/json' };
    const answer = await fetch(`${url}/edge/message`, { method: 'POST', headers, body: JSON.stringify(message('hi')) });
    expect(await answer.json()).toMatchObject({ reply_bubbles: ['hi'] });
    child.kill('SIGTERM');
    expect((await exit()).code).toBe(0);
    expect(out.text).toContain('Stopped');
    expect(out.text).not.toContain(SECRET);
  });

  it('shows its help with an example', async () => {
    const { out, exit } = edgeHub(['--help']);
    expect((await exit()).code).toBe(0);
    expect(out.text).toContain('Example:');
    expect(out.text).toContain('--responder');
  });

  it.each([
    ['an unknown flag', ['--prot', '1'], 64, '--prot'],
    ['a port that is none', ['--port', '99999'], 64, 'whole number'],
    ['script without a file', ['--responder', 'script'], 64, '--script FILE'],
    ['an argument too many', ['serve'], 64, 'too many arguments'],
    ['a missing script', ['--responder', 'script', '--script', 'none.yaml', '--port', '0'], 74, 'none.yaml'],
  ])('refuses %s in one line', async (_what, args, code, words) => {
    const { out, exit, cwd } = edgeHub(args, { EDGE_SECRET: SECRET });
    expect((await exit()).code).toBe(code);
    expect(out.text).toContain(words);
    expect(out.text).not.toContain('    at ');
    expect(existsSync(join(cwd, 'edge-hub.db'))).toBe(false);
  });

  it('does not start without a secret, nor with one that others can read', async () => {
    const without = edgeHub(['--port', '0']);
    expect((await without.exit()).code).toBe(78);
    const file = join(tempDir(), 'secret');
    writeFileSync(file, `${SECRET}\n`);
    chmodSync(file, 0o644);
    const open = edgeHub(['--port', '0', '--secret-file', file]);
    expect((await open.exit()).code).toBe(78);
    expect(open.out.text).toContain('chmod 600');
    chmodSync(file, 0o600);
    const good = edgeHub(['--port', '0', '--secret-file', file]);
    await waitFor('the start', () => good.out.text.includes('Listening on'));
  });

  it('says that a port is taken, and exits 69', async () => {
    const server = createServer();
    onTestFinished(() => void server.close());
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as { port: number };
    const { out, exit } = edgeHub([], { EDGE_SECRET: SECRET, PORT: String(port) });
    expect((await exit()).code).toBe(69);
    expect(out.text).toContain('EADDRINUSE');
  });
});
