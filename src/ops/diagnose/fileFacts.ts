import { lstatSync, readdirSync, type Stats, statfsSync } from 'node:fs';
import { join } from 'node:path';

/** More than an agent leaves in its folders. */
const MAX_IN_FOLDER = 100;

interface FileFacts {
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'link' | 'socket' | 'other' | 'missing' | 'unreadable';
  /** In octal, such as 0600. */
  readonly mode?: string;
  readonly bytes?: number;
  readonly changed?: string;
  /** Whether it belongs to the user who asks. */
  readonly is_own?: boolean;
  readonly code?: string;
}

/** Size, mode and age of each file; of a folder also of what is in it. Nothing is opened. */
export function fileFacts(paths: readonly string[]): FileFacts[] {
  return paths.flatMap((path) => {
    const facts = factsOf(path);
    return facts.kind === 'folder' ? [facts, ...inFolder(path).map(factsOf)] : [facts];
  });
}

/** Bytes free to this user on the volume of a folder. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

function inFolder(path: string): string[] {
  try {
    return readdirSync(path)
      .slice(0, MAX_IN_FOLDER)
      .map((name) => join(path, name));
  } catch {
    return []; // its mode is in the line before
  }
}

function factsOf(path: string): FileFacts {
  try {
    const stat = lstatSync(path);
    return {
      path,
      kind: kindOf(stat),
      mode: (stat.mode & 0o7777).toString(8).padStart(4, '0'),
      bytes: stat.size,
      changed: stat.mtime.toISOString(),
      is_own: stat.uid === process.getuid?.(),
    };
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    return { path, kind: code === 'ENOENT' ? 'missing' : 'unreadable', code };
  }
}

function kindOf(stat: Stats): FileFacts['kind'] {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'folder';
  if (stat.isSymbolicLink()) return 'link';
  return stat.isSocket() ? 'socket' : 'other';
}
