import type { SendRow } from '../state/SendRow.ts';

/** Messages writes the row first and learns 1–2 s later, at times more, that the service refuses it (message.error 22, 25). */
const TEXT_MS = 10_000;
/** A file is uploaded before that: 100 MB over a slow line take some minutes. */
const FILE_MS = 5 * 60_000;

/** How long the row of a bubble may be neither sent nor failed before it is taken for a success, ms. */
export function undecidedMs(send: SendRow): number {
  return send.fileId === null ? TEXT_MS : FILE_MS;
}
