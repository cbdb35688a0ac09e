import { lstatSync, type Stats } from 'node:fs';
import type { SendRow } from '../state/SendRow.ts';
import type { ErrorCode } from '../util/errors.ts';
import { type AddressForm, addressForms, type Service, serviceOf } from './address.ts';
import { MAX_TEXT_CHARS } from './queueText.ts';
import type { ReceiptSource } from './ReceiptSource.ts';
import { scriptText } from './receipts.ts';
import { sendArguments, sendFileArguments } from './sendScript.ts';

/** Longest text, bytes: Linux takes 128 KiB an argument, macOS 1 MiB with the environment. */
const MAX_TEXT_BYTES = 120_000;

const NO_FORM =
  'chat.db has no such chat, and it is neither a number nor an e-mail address, so that nobody can be meant';

export type Prepared =
  | {
      readonly kind: 'ready';
      readonly args: string[];
      /** MAX(ROWID) of chat.db: the receipt lies past it. */
      readonly rowid: number;
      /** The form of address to try after this one. */
      readonly nextForm: number | undefined;
      /** What the thread goes by, or this bubble instead. */
      readonly service: Service;
      /** What osascript gets differs from what was asked for. */
      readonly altered: boolean;
      /** chat.db has no such chat: the bubble would be the first. */
      readonly opensThread: boolean;
    }
  | { readonly kind: 'impossible'; readonly code: ErrorCode; readonly detail: string };
export type Ready = Extract<Prepared, { kind: 'ready' }>;

/** All that must be known before osascript starts. @throws EdgeError EDGE_CHATDB_* */
export function prepareSend(send: SendRow, db: ReceiptSource): Prepared {
  const text = scriptText(send.text);
  const path = send.fileId === null ? undefined : (send.filePath ?? '');
  const flaw = path === undefined ? textFlaw(text) : fileFlaw(path, send.fileBytes);
  if (flaw)
    return { kind: 'impossible', code: path === undefined ? 'EDGE_SEND_TEXT' : 'EDGE_FILE_STAGE', detail: flaw };
  const chat = db.chatOf(send.threadId);
  const forms = send.smsFallback ? [bySms(send)] : addressForms(send.threadId, chat);
  const index = Math.min(send.addressForm, forms.length - 1);
  const form = forms[index];
  if (!form) return { kind: 'impossible', code: 'EDGE_SEND_NO_SUCH_CHAT', detail: NO_FORM };
  return {
    kind: 'ready',
    args: path === undefined ? sendArguments(form, text) : sendFileArguments(form, path),
    rowid: db.maxRowid(),
    nextForm: index + 1 < forms.length ? index + 1 : undefined,
    service: send.smsFallback ? 'SMS' : serviceOf(chat),
    altered: text !== send.text,
    opensThread: chat === undefined,
  };
}

/** A bubble that was refused as iMessage goes by SMS and by nothing else. */
function bySms({ threadId }: SendRow): AddressForm {
  return { kind: 'participant', handle: threadId, service: 'SMS' };
}

/**
 * Messages says of a file that is not there that it took it, and marks the row failed seconds later. What was checked
 * is what goes: no link in its place leads elsewhere.
 */
function fileFlaw(path: string, bytes: number | null): string | undefined {
  let found: Stats | undefined;
  try {
    found = lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // Thrown, it would be tried again for ever, and its thread wait. The path stays out of it: it holds the name.
    return `the file cannot be looked at where it was staged: ${(error as NodeJS.ErrnoException).code}`;
  }
  if (!found?.isFile()) return 'the file is no longer where it was staged';
  return found.size === bytes ? undefined : 'the file has changed since it was staged';
}

function textFlaw(text: string): string | undefined {
  if (text.trim() === '') return 'the text is empty';
  if (text.length > MAX_TEXT_CHARS) return `the text has ${text.length} characters, the limit is ${MAX_TEXT_CHARS}`;
  const bytes = Buffer.byteLength(text);
  return bytes > MAX_TEXT_BYTES ? `the text has ${bytes} bytes, the limit is ${MAX_TEXT_BYTES}` : undefined;
}
