import type { ChatRow } from '../../chatdb/types.ts';
import { composed } from '../../util/composed.ts';

/** What a body consists of that is files alone. */
const FILES_ALONE = /^\ufffc+$/;

/**
 * The row among `rows` that proves a bubble which is the file `name`. The file is joined to its row some ms later; on
 * the last look a row of the thread that is a file, and of which nobody says which, counts: better than sending it twice.
 */
export function fileReceipt(name: string, rows: readonly ChatRow[], lastLook: boolean): ChatRow | undefined {
  const named = rows.find((row) => carriesFile(row, name));
  if (named || !lastLook) return named;
  return rows.find((row) => row.attachments.length === 0 && FILES_ALONE.test(row.text));
}

/** Whether a file of this name hangs on the row (attachment.transfer_name). */
export function carriesFile(row: ChatRow, name: string): boolean {
  const wanted = composed(name);
  return row.attachments.some((attachment) => composed(attachment.name) === wanted);
}
