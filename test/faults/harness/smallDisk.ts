import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const BALLAST_CHUNK = Buffer.alloc(4096);

/** A disk of its own at `dir` until the test is over, with options of tmpfs (`size=2m`, `ro`). Needs root. */
export function mountSmallDisk(dir: string, options: string): void {
  mkdirSync(dir, { recursive: true });
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `${options},mode=0700`, 'none', dir]);
  if (status !== 0) throw new Error(`mount: ${stderr}`);
  onTestFinished(() => void spawnSync('umount', ['-l', dir]));
}

/** Fills the disk at `dir` to its last page; what is returned frees it. */
export function fill(dir: string): () => void {
  const path = join(dir, 'ballast');
  const file = openSync(path, 'w');
  try {
    for (;;) writeSync(file, BALLAST_CHUNK);
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(file);
  }
  return () => rmSync(path);
}
