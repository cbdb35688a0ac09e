import { maskHandle, maskInId } from '../ops/mask.ts';
import type { MessageRequest } from '../protocol/wire.ts';
import { History, type PastMessage, type PastSend } from '../state/History.ts';
import { KEEP_DAYS } from '../state/StateStore.ts';
import { systemClock } from '../util/Clock.ts';
import { printable } from '../util/printable.ts';
import { drained } from './drained.ts';
import { EXIT } from './exitCodes.ts';
import type { ExportOptions } from './exported.ts';
import type { Io } from './Io.ts';
import { openConfig } from './openConfig.ts';
import { openStore } from './openStore.ts';

const DAY_MS = 86_400_000;

/** `edge-agent export`: docs/EXPORT.md has the lines. What is no longer kept is said on stderr. */
export async function exportRows(options: ExportOptions, io: Io): Promise<number> {
  const { since = 0, until, thread, what, text: withText = false } = options;
  if (until !== undefined && until <= since) {
    io.err('edge-agent export: --until is not after --since\n');
    return EXIT.usage;
  }
  const { config } = openConfig(options, io);
  const history = openStore(config.state.dir, (path) => History.open(path));
  if (!history) {
    io.err(`edge-agent: there is no state.db in ${config.state.dir}: no agent ever ran with it\n`);
    return EXIT.ok;
  }
  let withoutText = 0;
  try {
    const which = { messages: what.includes('messages'), receipts: what.includes('receipts') };
    for (const row of history.rows({ since, until, threadId: thread, ...which })) {
      if (withText && isForgotten(row)) withoutText += 1;
      io.out(
        `${printable(JSON.stringify(row.kind === 'message' ? message(row, withText) : receipt(row, withText)))}\n`,
      );
      await drained();
    }
  } finally {
    history.close();
  }
  const kept = systemClock.now() - KEEP_DAYS.rows * DAY_MS;
  if (since < kept) {
    const day = new Date(kept).toISOString();
    io.err(
      `edge-agent export: what was done with before ${day} is deleted after ${KEEP_DAYS.rows} days and not here\n`,
    );
  }
  if (withoutText > 0) {
    const rows = withoutText === 1 ? '1 line has' : `${withoutText} lines have`;
    io.err(`edge-agent export: ${rows} no text any more: texts are kept ${KEEP_DAYS.texts} days\n`);
  }
  return EXIT.ok;
}

function message(row: PastMessage, withText: boolean) {
  const body = row.body === null ? undefined : (JSON.parse(row.body) as MessageRequest);
  return {
    kind: 'message',
    at: iso(row.at),
    guid: row.guid,
    thread: shown(row.threadId, withText),
    sender: shown(body?.sender ?? null, withText),
    service: body?.service ?? null,
    is_group: body?.is_group ?? null,
    state: row.state,
    not_handed_over: row.skipped,
    backfill: row.backfill === 1,
    attachments: body ? (body.attachments?.length ?? 0) : null,
    attempts: row.attempts,
    code: row.errorCode,
    received_at: iso(row.createdAt),
    done_at: iso(row.doneAt),
    ...(withText ? { text: body?.filtered_text ?? null } : {}),
  };
}

function receipt(row: PastSend, withText: boolean) {
  return {
    kind: 'receipt',
    at: iso(row.at),
    send_id: row.sendId,
    guid: row.receiptGuid,
    thread: shown(row.threadId, withText),
    state: row.state,
    bubble_type: row.bubbleType,
    answers: row.answers,
    command_id: row.commandId === null || withText ? row.commandId : maskInId(row.commandId),
    is_file: row.fileName !== null,
    attempts: row.attempts,
    code: row.errorCode,
    queued_at: iso(row.createdAt),
    sent_at: iso(row.sendingAt),
    confirmed_at: iso(row.confirmedAt),
    delivered_at: iso(row.deliveredAt),
    read_at: iso(row.readAt),
    finished_at: iso(row.finishedAt),
    ...(withText ? { text: row.text === '' ? null : row.text, file: row.fileName } : {}),
  };
}

/** It had a text, as far as the row tells, and retention took it. */
function isForgotten(row: PastMessage | PastSend): boolean {
  if (row.kind === 'receipt') return row.text === '' && row.fileName === null;
  return row.state === 'done' && row.body === null && row.skipped === null;
}

function shown(handle: string | null, isWhole: boolean): string | null {
  return handle === null || isWhole ? handle : maskHandle(handle);
}

function iso(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
