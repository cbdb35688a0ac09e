import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ChatDb } from '../chatdb/ChatDb.ts';
import { ChatDbFeed } from '../chatdb/ChatDbFeed.ts';
import type { ChatRow, FileIdentity } from '../chatdb/types.ts';
import { findConfig, loadConfig } from '../config/loadConfig.ts';
import { type Clock, systemClock } from '../util/Clock.ts';
import { codeOf, messageOf } from '../util/EdgeError.ts';
import { ERRORS } from '../util/errors.ts';
import { partialTelemetry, type Telemetry } from '../util/Telemetry.ts';
import { EXIT } from './exitCodes.ts';
import type { CommonOptions, Io } from './Io.ts';

/** Rows read at a time. */
const BATCH = 200;
/** A row without its chat or text is shown as it is after this time, ms: most are completed within half a second. */
const INCOMPLETE_MS = 2000;
/** Incomplete rows waited for at a time; with more, the oldest is shown as it is. */
const MAX_INCOMPLETE = 200;

export interface WatchOptions extends CommonOptions {
  readonly db?: string;
  readonly since?: number;
}

/** `edge-agent watch`: shows inbound messages as they come, until interrupted; needs no backend and keeps no state. */
export async function watch(options: WatchOptions, io: Io): Promise<number> {
  const abort = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => abort.abort());
  await watchMessages({
    path: databaseOf(options, io),
    since: options.since,
    print: (row) => io.out(options.json ? `${JSON.stringify(shown(row))}\n` : described(row)),
    signal: abort.signal,
    clock: systemClock,
    telemetry: conditionsTo(io),
  });
  return EXIT.ok;
}

/** --db, else that of the configuration, if there is one, else the one of Messages. */
function databaseOf(options: WatchOptions, io: Io): string {
  if (options.db !== undefined) return options.db;
  const file = findConfig(options.config, io.cwd, existsSync);
  if (options.config === undefined && !existsSync(file)) return join(homedir(), 'Library/Messages/chat.db');
  return loadConfig(file).imessage.db_path;
}

/** What keeps chat.db from being read is said; everything else would be noise between the messages. */
function conditionsTo(io: Io): Telemetry {
  return partialTelemetry({
    conditionRaised: (code, detail) =>
      io.err(
        `edge-agent: ${code}: ${detail}\n  ${ERRORS[code].fix}\n  This goes on as soon as it can; Ctrl-C ends it.\n`,
      ),
    conditionCleared: (code) => io.err(`edge-agent: ${code} is over\n`),
    chatdbLacks: (features) => io.err(`edge-agent: this chat.db does not tell: ${features.join('; ')}\n`),
    failure: (code, detail) => io.err(`edge-agent: ${code}: ${detail}\n`),
  });
}

/** The watching itself, with its ports; exported for the tests. */
export async function watchMessages(o: {
  path: string;
  since: number | undefined;
  print(row: ChatRow): void;
  signal: AbortSignal;
  clock: Clock;
  telemetry: Telemetry;
}): Promise<void> {
  if (o.signal.aborted) return;
  let cursor = o.since;
  let file: FileIdentity | undefined;
  /** Guids of rows that are not whole yet, with the time to stop waiting. */
  const incomplete = new Map<string, number>();

  const take = (db: ChatDb) => {
    for (const row of incomplete.size > 0 ? db.rowsByGuid([...incomplete.keys()]) : []) {
      const isDue = o.clock.monotonic() >= (incomplete.get(row.guid) ?? 0);
      if (!isComplete(row) && !isDue && incomplete.size <= MAX_INCOMPLETE) continue;
      incomplete.delete(row.guid);
      if (isInbound(row)) o.print(row);
    }
    for (;;) {
      const rows = db.rowsAfter(cursor ?? 0, BATCH);
      for (const row of rows) {
        cursor = row.rowid;
        if (!isInbound(row)) continue;
        if (isComplete(row)) o.print(row);
        else incomplete.set(row.guid, o.clock.monotonic() + INCOMPLETE_MS);
      }
      if (rows.length === 0) return;
    }
  };

  const feed = new ChatDbFeed({
    ...o,
    onOpen: (db, identity) => {
      const isOther = file !== undefined && (file.ino !== identity.ino || file.dev !== identity.dev);
      // Another file numbers its rows anew: what it holds already is not news.
      if (cursor === undefined || isOther) cursor = db.maxRowid();
      file = identity;
    },
    onChange: take,
  });
  feed.start();
  const sweep = o.clock.every(INCOMPLETE_MS, () => {
    if (incomplete.size === 0 || !feed.db) return;
    try {
      take(feed.db);
    } catch (error) {
      o.telemetry.failure(codeOf(error, 'EDGE_CHATDB_READ'), messageOf(error));
    }
  });
  await new Promise((resolve) => o.signal.addEventListener('abort', resolve, { once: true }));
  sweep.cancel();
  feed.stop();
}

function isInbound(row: ChatRow): boolean {
  return !row.isFromMe && !row.action && !row.association;
}

function isComplete(row: ChatRow): boolean {
  return row.chat !== undefined && row.handle !== undefined && (row.text !== '' || row.attachments.length > 0);
}

function threadOf(row: ChatRow): string | undefined {
  return row.chat?.isGroup ? row.chat.identifier : row.handle;
}

/** What --json prints of a row. */
export function shown(row: ChatRow): Record<string, unknown> {
  return {
    rowid: row.rowid,
    guid: row.guid,
    date: row.dateAt === undefined ? undefined : new Date(row.dateAt).toISOString(),
    thread_id: threadOf(row),
    sender: row.handle,
    is_group: row.chat?.isGroup,
    service: row.service,
    text: row.text,
    attachments: row.attachments.map((a) => ({
      guid: a.guid,
      name: a.name,
      mime_type: a.mimeType,
      size_bytes: a.sizeBytes,
    })),
    reply_to_guid: row.replyToGuid,
    decode_error: row.decodeError,
  };
}

/** The line printed for a row. */
export function described(row: ChatRow): string {
  const time = row.dateAt === undefined ? '--:--:--' : new Date(row.dateAt).toTimeString().slice(0, 8);
  const thread = threadOf(row) ?? 'unknown thread';
  const sender = row.chat?.isGroup ? `  ${row.handle ?? 'unknown sender'}` : '';
  const files = row.attachments.map((attachment) => `  [${attachment.name || attachment.mimeType}]`).join('');
  const flaw = row.decodeError === undefined ? '' : `  (body: ${row.decodeError})`;
  return `${time}  ${thread}${sender}  ${JSON.stringify(row.text.replaceAll('\ufffc', ''))}${files}${flaw}\n`;
}
