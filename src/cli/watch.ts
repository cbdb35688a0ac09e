import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ChatDbFeed } from '../chatdb/ChatDbFeed.ts';
import type { FileIdentity } from '../chatdb/types.ts';
import { findConfig, loadConfig } from '../config/loadConfig.ts';
import { type Clock, systemClock } from '../util/Clock.ts';
import { codeOf, messageOf } from '../util/EdgeError.ts';
import { ERRORS } from '../util/errors.ts';
import { printable } from '../util/printable.ts';
import { partialTelemetry, type Telemetry } from '../util/Telemetry.ts';
import { EXIT } from './exitCodes.ts';
import type { CommonOptions, Io } from './Io.ts';
import { INCOMPLETE_MS, RowWatch, type Seen } from './RowWatch.ts';
import { described, shown } from './seenRow.ts';

export interface WatchOptions extends CommonOptions {
  readonly db?: string;
  readonly since?: number;
}

/**
 * `edge-agent watch`: shows messages, reactions, edits and changes of groups as they come, until interrupted; needs no
 * backend and keeps no state.
 */
export async function watch(options: WatchOptions, io: Io): Promise<number> {
  const abort = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => abort.abort());
  await watchMessages({
    path: databaseOf(options, io),
    since: options.since,
    print: (seen) => io.out(`${printable(options.json ? JSON.stringify(shown(seen)) : described(seen))}\n`),
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
  print(seen: Seen): void;
  signal: AbortSignal;
  clock: Clock;
  telemetry: Telemetry;
}): Promise<void> {
  if (o.signal.aborted) return;
  let file: FileIdentity | undefined;
  const rows = new RowWatch(o);

  const feed = new ChatDbFeed({
    ...o,
    onOpen: (db, identity) => {
      const isOther = file !== undefined && (file.ino !== identity.ino || file.dev !== identity.dev);
      rows.opened(db, isOther);
      file = identity;
    },
    onChange: (db) => rows.look(db),
  });
  feed.start();
  const sweep = o.clock.every(INCOMPLETE_MS, () => {
    if (!rows.isWaiting || !feed.db) return;
    try {
      rows.look(feed.db);
    } catch (error) {
      o.telemetry.failure(codeOf(error, 'EDGE_CHATDB_READ'), messageOf(error));
    }
  });
  await new Promise((resolve) => o.signal.addEventListener('abort', resolve, { once: true }));
  sweep.cancel();
  feed.stop();
}
