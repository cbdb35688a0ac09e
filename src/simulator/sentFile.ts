import { readFileSync, realpathSync } from 'node:fs';
import { basename, join, sep } from 'node:path';
import type { AttachmentRow } from './ChatRows.ts';
import { TRANSFER } from './placeAttachment.ts';

/** attachment.transfer_state of a file that could not be read. */
const FAILED = 6;
/** What the sandbox of Messages lets it read in the home folder. */
const READABLE = ['Library/Messages', 'Pictures', 'Downloads', 'Documents'] as const;

/** A file as Messages took it. */
export interface SentFile {
  /** What the recipient sees. */
  readonly name: string;
  readonly path: string;
  /** Undefined when Messages may not read it, or it is not there: osascript ends with 0, the row with error 25. */
  readonly content: Buffer | undefined;
}

export function takeFile(home: string, path: string): SentFile {
  return { name: basename(path).normalize('NFC'), path, content: readInSandbox(home, path) };
}

function readInSandbox(home: string, path: string): Buffer | undefined {
  try {
    const real = realpathSync(path);
    const isAllowed = READABLE.some((folder) => real.startsWith(join(realpathSync(home), folder) + sep));
    return isAllowed ? readFileSync(real) : undefined;
  } catch {
    return undefined; // not there, a folder, or not this user's
  }
}

/** Its row: Messages refers to the file where it lies, with a literal tilde. */
export function sentFileRow(home: string, guid: string, file: SentFile, dateAt: number): AttachmentRow {
  const inHome = file.path.startsWith(home + sep);
  return {
    guid,
    name: file.name,
    mimeType: 'application/octet-stream',
    uti: null,
    sizeBytes: file.content?.length ?? 0,
    filename: inHome ? `~${file.path.slice(home.length)}` : file.path,
    transferState: file.content ? TRANSFER.finished : FAILED,
    isSticker: false,
    isHidden: false,
    isOutgoing: true,
    dateAt,
  };
}
