import { createReadStream } from 'node:fs';
import type { DecodedBody } from '../chatdb/DecodedBody.ts';
import { detectedType } from '../chatdb/detectedType.ts';
import type { MessageSummary } from '../chatdb/MessageSummary.ts';
import { archiveIn, isPlist, readPlist } from '../chatdb/plist/readPlist.ts';
import { readBalloon } from '../chatdb/readBalloon.ts';
import { summaryOf } from '../chatdb/readSummary.ts';
import { decodeBody } from '../chatdb/typedstream/decodeBody.ts';
import { MAX_BODY_BYTES } from '../chatdb/typedstream/limits.ts';
import { EdgeError, messageOf } from '../util/EdgeError.ts';
import { printable } from '../util/printable.ts';
import { EXIT } from './exitCodes.ts';
import type { CommonOptions, Io } from './Io.ts';
import { JsonSafe } from './jsonSafe.ts';

/** What message_summary_info may hold; any of them tells it from other plists. */
const SUMMARY_KEYS = ['ec', 'ep', 'rp', 'otr', 'ams', 'amc', 'ust', 'euh'];
/** A payload does not say which app it is of: the bundle ids whose payloads hold words, most particular first. */
const BALLOONS = ['com.apple.messages.URLBalloonProvider', 'com.apple.messages.Polls', ''];

/** What a blob says: for JSON (see JsonSafe), and as lines for people. */
interface Shown {
  readonly json: Record<string, unknown>;
  readonly lines: readonly string[];
}

/**
 * `edge-agent decode`: shows what the blobs of chat.db say, told apart by their first bytes: attributedBody,
 * message_summary_info, payload_data. A bad one does not keep the others back.
 */
export async function decode(files: readonly string[], options: CommonOptions, io: Io): Promise<number> {
  let exitCode: number = EXIT.ok;
  for (const file of files) {
    try {
      const bytes = await read(file);
      const { json, lines } = isPlist(bytes) ? plistShown(bytes) : bodyShown(decodeBody(bytes));
      if (options.json) io.out(`${printable(JSON.stringify(new JsonSafe().of({ file, ...json })))}\n`);
      else io.out(`${file}\n${lines.map((line) => `  ${line}\n`).join('')}`);
    } catch (error) {
      exitCode = EXIT.data;
      const code = error instanceof EdgeError ? { code: error.code } : {};
      if (options.json) io.out(`${JSON.stringify({ file, error: messageOf(error), ...code })}\n`);
      else io.err(`${file}: ${messageOf(error)}\n`);
    }
  }
  return exitCode;
}

/** At most one chunk more than the decoder accepts, so that it can say that it is too much. */
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

/** Runs that share a dictionary name the same entry of `attributes`: written out for each it could be enormous. */
function bodyShown(body: DecodedBody): Shown {
  const dictionaries = [...new Set(body.runs.map(({ attributes }) => attributes))];
  const numbers = new Map(dictionaries.map((dictionary, index) => [dictionary, index]));
  const detections = body.detections.map(({ kind, start, length, archive }) => {
    const type = detectedType(archive);
    return { kind, ...(type !== undefined && { type }), start, length };
  });
  const at = (start: number, length: number) => `${start}–${start + length}`;
  const { runs: _runs, detections: _detections, ...rest } = body;
  return {
    json: {
      kind: 'body',
      ...rest,
      detections,
      runs: body.runs.map(({ start, length, attributes }) => ({ start, length, attributes: numbers.get(attributes) })),
      attributes: dictionaries,
    },
    lines: [
      line('text', JSON.stringify(body.text)),
      ...body.parts.map(({ index, start, length }) => line(`part ${index}`, at(start, length))),
      ...body.mentions.map(({ handle, text, start }) =>
        line('mention', `${at(start, text.length)} ${handle} as ${text}`),
      ),
      ...body.links.map(({ url, start, length, isRich }) =>
        line('link', `${at(start, length)} ${url}${isRich ? ' (preview)' : ''}`),
      ),
      ...body.attachments.map(({ guid, start }) => line('attachment', `${at(start, 1)} ${guid}`)),
      ...body.transcripts.map(({ text, start }) => line('transcript', `${at(start, 1)} ${JSON.stringify(text)}`)),
      ...body.codes.map(({ code, start, length }) => line('code', `${at(start, length)} ${code}`)),
      ...body.styles.map(({ style, start, length }) => line('style', `${at(start, length)} ${style}`)),
      ...body.effects.map(({ effect, start, length }) => line('effect', `${at(start, length)} ${effect}`)),
      ...detections.map(({ kind, type, start, length }) =>
        line('detected', `${at(start, length)} ${kind}${type === undefined ? '' : ` ${type}`}`),
      ),
      ...(body.damage === undefined ? [] : [line('damaged', body.damage)]),
    ],
  };
}

function plistShown(bytes: Buffer): Shown {
  const plist = readPlist(bytes);
  const archive = archiveIn(plist);
  if (archive) return payloadShown(bytes, archive);
  if (plist instanceof Map && SUMMARY_KEYS.some((key) => plist.has(key))) return summaryShown(summaryOf(plist), plist);
  return { json: { kind: 'plist', plist }, lines: [line('plist', JSON.stringify(new JsonSafe().of(plist)))] };
}

function summaryShown(summary: MessageSummary, plist: ReadonlyMap<string, unknown>): Shown {
  const edits = [...summary.edits].map(([part, versions]) => ({
    part,
    versions: versions.map(({ text, writtenAt }) => ({
      text,
      at: writtenAt === undefined ? undefined : new Date(writtenAt).toISOString(),
    })),
  }));
  const { editedParts = [], unsentParts, associatedText } = summary;
  const ranges = [...summary.originalRanges].map(([part, range]) => ({ part, ...range }));
  return {
    json: {
      kind: 'summary',
      edits,
      edited_parts: editedParts,
      unsent_parts: unsentParts,
      original_ranges: ranges,
      associated_text: associatedText,
      plist,
    },
    lines: [
      ...edits.flatMap(({ part, versions }) =>
        versions.map(({ text, at }) => line(`part ${part}`, `${at ?? 'undated'} ${JSON.stringify(text)}`)),
      ),
      ...(editedParts.length > 0 ? [line('edited', `parts ${editedParts.join(', ')}`)] : []),
      ...(unsentParts.length > 0 ? [line('unsent', `parts ${unsentParts.join(', ')}`)] : []),
      ...ranges.map(({ part, start, length }) => line('originally', `part ${part} at ${start}–${start + length}`)),
      ...(associatedText === undefined ? [] : [line('about', JSON.stringify(associatedText))]),
    ],
  };
}

function payloadShown(bytes: Buffer, archive: ReadonlyMap<string, unknown>): Shown {
  const balloons = BALLOONS.map((bundleId) => readBalloon(bundleId, bytes));
  const balloon = balloons.find(({ kind, url, options }) => kind === 'app' || options || (kind === 'link' && url));
  const { bundleId: _bundleId, kind: _kind, ...words } = balloon!;
  return {
    json: { kind: 'payload', balloon: words, archive },
    lines: Object.entries(words)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => line(name, Array.isArray(value) ? value.join(' / ') : String(value))),
  };
}

function line(name: string, value: string): string {
  return printable(`${name.padEnd(12)} ${value}`);
}
