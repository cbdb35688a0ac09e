import { spawn } from 'node:child_process';
import { once } from 'node:events';
import Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import { SimulatedMac, type SimulatedMacOptions } from '../../src/simulator/SimulatedMac.ts';
import { tempDir } from '../support/tempDir.ts';

/** A simulated Mac of the test's own. */
export async function simulatedMac(o: Partial<SimulatedMacOptions> = {}): Promise<SimulatedMac> {
  const mac = await SimulatedMac.create({ dir: tempDir(), ...o });
  onTestFinished(() => mac.close());
  return mac;
}

/** What another program sees in chat.db: a query through a connection of its own. */
export function query<T = Record<string, unknown>>(path: string, sql: string, ...values: unknown[]): T[] {
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare(sql).all(...values) as T[];
  } finally {
    db.close();
  }
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs an executable to its end. */
export async function run(path: string, args: readonly string[], o: { input?: string; signal?: AbortSignal } = {}) {
  const child = spawn(path, args, { stdio: 'pipe' });
  o.signal?.addEventListener('abort', () => child.kill('SIGTERM'));
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  child.stdin.on('error', () => {}); // it may end without reading
  child.stdin.end(o.input ?? '');
  const [code, signal] = await once(child, 'close');
  return { code, signal, stdout, stderr } as Ended;
}

/** Asks the simulated Messages to send, as a program does: a fixed script on stdin, the rest as arguments. */
export function send(
  mac: Pick<SimulatedMac, 'osascriptPath'>,
  o: { form?: 'participant' | 'chat'; target?: string; service?: string; text?: string; signal?: AbortSignal } = {},
): Promise<Ended> {
  const { form = 'participant', target = '+15550100001', service = 'iMessage', text = 'hello', signal } = o;
  return run(mac.osascriptPath, ['-', form, target, service, text], {
    input: 'on run argv\n  tell application "Messages" to send item 4 of argv\nend run\n',
    ...(signal && { signal }),
  });
}
