import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { tempDir } from '../support/tempDir.ts';

const program = resolve(import.meta.dirname, '../../src/index.ts');

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  out: string;
  err: string;
}

export interface Started {
  child: ChildProcess;
  ended: Promise<Ended>;
}

/** Starts `edge-agent` as a process of its own. */
export function start(args: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}): Started {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: options.cwd ?? tempDir(),
    env: { ...process.env, NODE_NO_WARNINGS: '1', EDGE_SECRET: undefined, FORCE_COLOR: undefined, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]).then(
    ([[code, signal], out, err]) => ({ code, signal, out, err }) as Ended,
  );
  return { child, ended };
}

/** Runs `edge-agent` to its end. */
export function edgeAgent(args: readonly string[], options?: Parameters<typeof start>[1]): Promise<Ended> {
  return start(args, options).ended;
}

/** A folder with a configuration whose paths all lie in it. */
export function home(more = '', logging = ''): { dir: string; config: string; log: string; state: string } {
  const dir = tempDir();
  const config = join(dir, 'config.yaml');
  writeFileSync(
    config,
    `edge:\n  agent_id: edge_15550100001\nbackend:\n  url: http://127.0.0.1:9\nwebsocket:\n  enabled: false
imessage:\n  db_path: chat.db\nlogging:\n  file: edge-agent.log${logging}\nstate:\n  dir: state\n${more}`,
  );
  return { dir, config, log: join(dir, 'edge-agent.log'), state: join(dir, 'state') };
}
