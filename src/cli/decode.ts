import { createReadStream } from 'node:fs';
import type { DecodedBody } from '../chatdb/DecodedBody.ts';
import { decodeBody } from '../chatdb/typedstream/decodeBody.ts';
import { MAX_BODY_BYTES } from '../chatdb/typedstream/limits.ts';
import { EdgeError, messageOf } from '../util/EdgeError.ts';
import { EXIT } from './exitCodes.ts';
import type { CommonOptions, Io } from './Io.ts';

/** `edge-agent decode`: shows what attributedBody blobs say; a bad one does not keep the others back. */
export async function decode(files: readonly string[], options: CommonOptions, io: Io): Promise<number> {
  let exitCode: number = EXIT.ok;
  for (const file of files) {
    try {
      const body = decodeBody(await read(file));
      io.out(options.json ? `${JSON.stringify(shown(file, body))}\n` : described(file, body));
    } catch (error) {
      exitCode = EXIT.data;
      const code = error instanceof EdgeError ? { code: error.code } : {};
      if (options.json) io.out(`${JSON.stringify({ file, error: messageOf(error), ...code })}\n`);
      else io.err(`${file}: ${messageOf(error)}\n`);
    }
  }
  return exitCode;
}

/** At most one byte more than the decoder accepts, so that it can say that it is too much. */
async function read(file: string): Promise<Buffer> {
  const stream = file === '-' ? process.stdin : createReadStream(file);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length > MAX_BODY_BYTES) break;
  }
  return Buffer.concat(chunks);
}

/** The runs are left out: their attributes need not be JSON. */
function shown(file: string, body: DecodedBody): Record<string, unknown> {
  const { text, parts, mentions, links, attachments, damage } = body;
  return { file, text, parts, mentions, links, attachments, ...(damage !== undefined && { damage }) };
}

function described(file: string, body: DecodedBody): string {
  const at = (start: number, length: number) => `${start}–${start + length}`;
  const lines = [
    `text         ${JSON.stringify(body.text)}`,
    ...body.parts.map(({ index, start, length }) => `part ${index}       ${at(start, length)}`),
    ...body.mentions.map(({ handle, text, start }) => `mention      ${at(start, text.length)} ${handle} as ${text}`),
    ...body.links.map(({ url, start, length }) => `link         ${at(start, length)} ${url}`),
    ...body.attachments.map(({ guid, start }) => `attachment   ${at(start, 1)} ${guid}`),
    ...(body.damage === undefined ? [] : [`damaged      ${body.damage}`]),
  ];
  return `${file}\n${lines.map((line) => `  ${line}\n`).join('')}`;
}
