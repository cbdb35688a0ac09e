import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { makeFolder } from '../../src/util/makeFolder.ts';
import { EarlyEnd } from './options.ts';

const root = resolve(import.meta.dirname, '../..');

/** What was measured, of which program, on what machine. */
export function tested(): Record<string, unknown> {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const git = spawnSync('git', ['describe', '--always', '--dirty', '--abbrev=40', '--exclude=*'], { cwd: root });
  return {
    version,
    /** With `-dirty` where files were changed since; null where this is no clone, or git is not there. */
    commit: git.status === 0 ? git.stdout.toString().trim() : null,
    machine: {
      node: process.versions.node,
      system: `${process.platform}-${process.arch} ${release()}`,
      processor: cpus()[0]?.model ?? 'unknown',
      processors: cpus().length,
      memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    },
  };
}

/** Makes the folder of a file that is to be written in an hour. @throws EarlyEnd where that will not do */
export function prepare(path: string): void {
  try {
    makeFolder(dirname(path));
    const isNew = !existsSync(path);
    closeSync(openSync(path, 'a'));
    if (isNew) rmSync(path);
  } catch (error) {
    throw new EarlyEnd(2, `the figures cannot be written: ${messageOf(error)}`);
  }
}

/** Whether it could be written; says so where not. */
export function write(path: string, figures: object): boolean {
  try {
    writeFileSync(path, `${JSON.stringify(figures, null, 2)}\n`);
    return true;
  } catch (error) {
    console.error(`test:faults: the figures could not be written: ${messageOf(error)}`);
    return false;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
