import { constants } from 'node:fs';
import { type FileHandle, lstat, open, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { EdgeError } from '../../util/EdgeError.ts';

/** What paths in chat.db begin with; that folder is where imessage.attachments_path says. */
const MESSAGES_FOLDER = '~/Library/Messages/Attachments/';
/** What the system says of a path that leads nowhere whenever it is tried. */
const NO_FILE: ReadonlySet<unknown> = new Set(['ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'ERR_INVALID_ARG_VALUE']);

export interface OpenedFile {
  readonly sizeBytes: number;
  /** From the beginning, each time. */
  read(): Readable;
  close(): Promise<void>;
}

/**
 * Opens a file for an upload. A path comes from chat.db, and what is there may come from whoever wrote the message: only
 * a regular file that lies in `root` once every link is resolved is opened.
 * @throws EdgeError EDGE_UPLOAD_FAILED: it is none, or too large; Error with the `code` of the file system, ENOENT among
 * them, and without the path: the file's name is as private as the message
 */
export async function openAttachment(path: string, o: { root: string; maxBytes: number }): Promise<OpenedFile> {
  const place = placeOf(path, o.root);
  if (!isAbsolute(place)) throw refused('its path in chat.db is not a whole one');
  const real = await placeInside(o.root, place);
  if (!(await lstat(real).catch(unnamed)).isFile()) throw refused('it is not a regular file');
  // It may have been replaced since: without following a link, and without waiting for the writer of a pipe. A folder on
  // the way may have been, too, but only by who may write among Messages' files, and so may read whatever we may.
  const handle = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(unnamed);
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw refused('it is not a regular file');
    if (stat.size > o.maxBytes) {
      throw refused(`it has ${stat.size} bytes, and attachments.max_upload_bytes is ${o.maxBytes}`);
    }
    return opened(handle, stat.size);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function placeInside(root: string, place: string): Promise<string> {
  const [realRoot, real] = await Promise.all([realpath(root).catch(unnamed), realpath(place).catch(unnamed)]);
  const inside = relative(realRoot, real);
  if (inside === '' || inside === '..' || inside.startsWith('../') || isAbsolute(inside)) {
    throw refused('it lies outside imessage.attachments_path');
  }
  return real;
}

export function refused(why: string, cause?: unknown): EdgeError {
  return new EdgeError('EDGE_UPLOAD_FAILED', why, { cause });
}

function opened(handle: FileHandle, sizeBytes: number): OpenedFile {
  return {
    sizeBytes,
    read: () =>
      sizeBytes === 0 ? Readable.from([]) : handle.createReadStream({ start: 0, end: sizeBytes - 1, autoClose: false }),
    close: () => handle.close(),
  };
}

function placeOf(path: string, root: string): string {
  if (path.startsWith(MESSAGES_FOLDER)) return join(root, path.slice(MESSAGES_FOLDER.length));
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : path;
}

function unnamed(error: unknown): never {
  const { code } = error as NodeJS.ErrnoException;
  if (NO_FILE.has(code)) throw refused('its path in chat.db leads to no file', error);
  throw Object.assign(new Error(`the file cannot be opened: ${code}`), { code });
}
