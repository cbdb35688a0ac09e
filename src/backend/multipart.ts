import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';

/** A file to be posted. `open` may be called again when a request is repeated, and gives its `sizeBytes` bytes each time. */
export interface UploadFile {
  readonly attachmentGuid: string;
  readonly messageGuid: string;
  readonly threadId: string;
  readonly name: string;
  readonly mimeType: string;
  readonly sizeBytes: number;
  open(): Readable;
}

/** A body that is written while it is read from disk. */
export interface StreamedBody {
  readonly contentType: string;
  readonly contentLength: number;
  open(): Readable;
}

/** The file as multipart/form-data (RFC 7578), its fields first, so that a backend knows what comes before it comes. */
export function multipartBody(file: UploadFile): StreamedBody {
  const boundary = `edge-${randomBytes(16).toString('hex')}`;
  const fields = {
    attachment_guid: file.attachmentGuid,
    message_guid: file.messageGuid,
    thread_id: file.threadId,
    name: file.name,
    mime_type: file.mimeType,
    size_bytes: String(file.sizeBytes),
  };
  const parts = Object.entries(fields).map(
    ([name, value]) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${value}\r\n`,
  );
  const mimeType = /^[\w.+-]+\/[\w.+-]+$/.test(file.mimeType) ? file.mimeType : 'application/octet-stream';
  const head = Buffer.from(
    `${parts.join('')}--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${quoted(file.name)}"\r\nContent-Type: ${mimeType}\r\n\r\n`,
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    contentLength: head.length + file.sizeBytes + tail.length,
    open: () => Readable.from(whole(head, file, tail), { objectMode: false }),
  };
}

/** Never more or less than was promised: the next request on the connection would be read as part of this one. */
async function* whole(head: Buffer, file: UploadFile, tail: Buffer): AsyncGenerator<Buffer> {
  yield head;
  let bytes = 0;
  for await (const chunk of file.open() as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > file.sizeBytes) break;
    yield chunk;
  }
  if (bytes !== file.sizeBytes) throw new Error('the file changed while it was read');
  yield tail;
}

/** As browsers do it (HTML, multipart/form-data encoding). */
function quoted(name: string): string {
  return name.toWellFormed().replace(/\r/g, '%0D').replace(/\n/g, '%0A').replace(/"/g, '%22').replace(/\0/g, '');
}
