import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { z } from 'zod';
import { conditionName, ERRORS, type ErrorCode } from '../util/errors.ts';

const schema = z.object({
  pid: z.int().positive(),
  code: z.string().refine((code): code is ErrorCode => code in ERRORS),
  /** What it met, in the words of who met it. */
  detail: z.string(),
  /** ISO 8601 */
  since: z.iso.datetime(),
});

/** An agent of launchd that waits for what only a person can mend, or for another agent to end. */
export type Waiting = z.infer<typeof schema>;

const fileIn = (stateDir: string) => join(stateDir, 'standby.json');

/**
 * Leaves word in state.dir, where that is there: without SQLite there is no lock, and with another agent no socket, on
 * which this one could answer. Returns what takes it back; a word that cannot be left is of no use to more than a person.
 */
export function leaveWord(stateDir: string, waiting: Omit<Waiting, 'pid'>): () => void {
  const file = fileIn(stateDir);
  try {
    if (existsSync(stateDir)) writeFileSync(file, JSON.stringify({ pid: process.pid, ...waiting }), { mode: 0o600 });
  } catch {
    // A full disk, or another user's folder: the log has it too.
  }
  return () => {
    if (read(file)?.pid === process.pid) rmSync(file, { force: true });
  };
}

/** In words, after "it waits for". */
export function waitedFor({ code }: Pick<Waiting, 'code'>): string {
  return code === 'EDGE_ALREADY_RUNNING' ? 'the other agent to end' : `${conditionName(code)} to be mended`;
}

/** Of a process that is still there. */
export function readWord(stateDir: string): Waiting | undefined {
  const word = read(fileIn(stateDir));
  return word && isThere(word.pid) ? word : undefined;
}

function read(file: string): Waiting | undefined {
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined; // there is none, or half of one
  }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
