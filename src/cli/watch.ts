import { type Command, InvalidArgumentError } from 'commander';
import type { ChatDb } from '../chatdb/ChatDb.ts';
import { ChatDbFeed } from '../chatdb/ChatDbFeed.ts';
import type { ChatRow, FileIdentity } from '../chatdb/types.ts';
import type { Clock } from '../util/Clock.ts';
import { codeOf, messageOf } from '../util/EdgeError.ts';
import type { Telemetry } from '../util/Telemetry.ts';

/** Rows read at a time. */
const BATCH = 200;
/** A row without its chat or text is shown as it is after this time, ms: most are completed within half a second. */
const INCOMPLETE_MS = 2000;
/** Incomplete rows waited for at a time; with more, the oldest is shown as it is. */
const MAX_INCOMPLETE = 200;

const EXAMPLE = `
Examples:
  $ edge-agent watch
  12:00:03  +15550100002  "are you there?"
  $ edge-agent watch --json --since 41200 | jq .text`;

export interface WatchDependencies {
  /** The chat.db to read: --db, else that of --config, else the one of Messages. */
  resolveDbPath(options: { db?: string; config?: string }): string;
  /** Ends the watching. */
  signal: AbortSignal;
  clock: Clock;
  telemetry: Telemetry;
}

interface WatchOptions {
  json?: true;
  db?: string;
  since?: number;
  config?: string;
}

/** `watch`: shows inbound messages as they come; needs no backend and keeps no state. */
export function registerWatch(program: Command, dependencies: WatchDependencies): void {
  program
    .command('watch')
    .summary('print inbound messages as they come')
    .description('Prints inbound messages as they come, until interrupted. Needs no backend and changes nothing.')
    .option('--json', 'one JSON object a line')
    .option('--db <path>', 'the chat.db to read (default: imessage.db_path, else ~/Library/Messages/chat.db)')
    .option('--since <rowid>', 'print what came after this ROWID first (default: only what comes from now on)', toRowid)
    .option('--config <file>', 'take imessage.db_path from this config.yaml')
    .addHelpText('after', EXAMPLE)
    .action(async (options: WatchOptions) => {
      const { writeOut = () => {} } = program.configureOutput();
      const print = (row: ChatRow) => writeOut(options.json ? `${JSON.stringify(shown(row))}\n` : described(row));
      await watchMessages({ ...dependencies, path: dependencies.resolveDbPath(options), since: options.since, print });
    });
}

async function watchMessages(o: {
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
      if (rows.length < BATCH) return;
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
  return !row.isFromMe && row.itemType === 0 && [0, 2, 3].includes(row.associatedType);
}

function isComplete(row: ChatRow): boolean {
  return row.chat !== undefined && row.handle !== undefined && (row.text !== '' || row.attachments.length > 0);
}

function threadOf(row: ChatRow): string | undefined {
  return row.chat?.isGroup ? row.chat.identifier : row.handle;
}

function shown(row: ChatRow): Record<string, unknown> {
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

function described(row: ChatRow): string {
  const time = row.dateAt === undefined ? '--:--:--' : new Date(row.dateAt).toTimeString().slice(0, 8);
  const thread = threadOf(row) ?? 'unknown thread';
  const sender = row.chat?.isGroup ? `  ${row.handle ?? 'unknown sender'}` : '';
  const files = row.attachments.map((attachment) => `  [${attachment.name || attachment.mimeType}]`).join('');
  const flaw = row.decodeError === undefined ? '' : `  (body: ${row.decodeError})`;
  return `${time}  ${thread}${sender}  ${JSON.stringify(row.text.replaceAll('\ufffc', ''))}${files}${flaw}\n`;
}

function toRowid(value: string): number {
  const rowid = Number(value);
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(rowid)) throw new InvalidArgumentError('It is a ROWID: 0 or more.');
  return rowid;
}
