import { createReadStream } from 'node:fs';
import type { Command } from 'commander';
import type { DecodedBody } from '../chatdb/DecodedBody.ts';
import { decodeBody } from '../chatdb/typedstream/decodeBody.ts';
import { MAX_BODY_BYTES } from '../chatdb/typedstream/limits.ts';
import { EdgeError, messageOf } from '../util/EdgeError.ts';

/** sysexits: the input was not what it should be. */
const EX_DATAERR = 65;

const EXAMPLE = `
Example:
  $ sqlite3 -readonly ~/Library/Messages/chat.db \\
      "SELECT writefile('body.bin', attributedBody) FROM message ORDER BY ROWID DESC LIMIT 1"
  $ edge-agent decode body.bin`;

/** `decode`: shows what an attributedBody says. */
export function registerDecode(program: Command): void {
  program
    .command('decode')
    .summary('show the text, parts, mentions, links and attachments of attributedBody blobs')
    .description(
      'Shows the text, parts, mentions, links and attachments of attributedBody blobs, one per FILE.\n' +
        'Exits with 65 when one of them could not be read or decoded; the others are shown all the same.',
    )
    .argument('<file...>', 'files holding one attributedBody each; - is standard input')
    .option('--json', 'one JSON object for each file')
    .addHelpText('after', EXAMPLE)
    .action(async (files: string[], options: { json?: true }) => {
      const { writeOut = () => {}, writeErr = () => {} } = program.configureOutput();
      for (const file of files) {
        try {
          const body = decodeBody(await read(file));
          writeOut(options.json ? `${JSON.stringify(shown(file, body))}\n` : described(file, body));
        } catch (error) {
          process.exitCode = EX_DATAERR;
          const code = error instanceof EdgeError ? { code: error.code } : {};
          if (options.json) writeOut(`${JSON.stringify({ file, error: messageOf(error), ...code })}\n`);
          else writeErr(`${file}: ${messageOf(error)}\n`);
        }
      }
    });
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
