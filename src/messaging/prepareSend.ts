import type { SendRow } from '../state/SendRow.ts';
import type { ErrorCode } from '../util/errors.ts';
import { addressForms } from './address.ts';
import { MAX_TEXT_CHARS } from './queueText.ts';
import type { ReceiptSource } from './ReceiptSource.ts';
import { scriptText } from './receipts.ts';
import { sendArguments } from './sendScript.ts';

/** Longest text, bytes: Linux takes 128 KiB an argument, macOS 1 MiB with the environment. */
const MAX_TEXT_BYTES = 120_000;

export type Prepared =
  | {
      readonly kind: 'ready';
      readonly args: string[];
      /** MAX(ROWID) of chat.db: the receipt lies past it. */
      readonly rowid: number;
      /** The form of address to try after this one. */
      readonly nextForm: number | undefined;
      /** What osascript gets differs from what was asked for. */
      readonly altered: boolean;
    }
  | { readonly kind: 'impossible'; readonly code: ErrorCode; readonly detail: string };

/** All that must be known before osascript starts. @throws EdgeError EDGE_CHATDB_* */
export function prepareSend(send: SendRow, db: ReceiptSource): Prepared {
  const text = scriptText(send.text);
  const flaw = textFlaw(text);
  if (flaw) return { kind: 'impossible', code: 'EDGE_SEND_TEXT', detail: flaw };
  const forms = addressForms(send.threadId, db.chatOf(send.threadId));
  const index = Math.min(send.addressForm, forms.length - 1);
  const form = forms[index];
  if (!form) return { kind: 'impossible', code: 'EDGE_SEND_NO_SUCH_CHAT', detail: 'no such chat, and not a handle' };
  return {
    kind: 'ready',
    args: sendArguments(form, text),
    rowid: db.maxRowid(),
    nextForm: index + 1 < forms.length ? index + 1 : undefined,
    altered: text !== send.text,
  };
}

function textFlaw(text: string): string | undefined {
  if (text.trim() === '') return 'the text is empty';
  if (text.length > MAX_TEXT_CHARS) return `the text has ${text.length} characters, the limit is ${MAX_TEXT_CHARS}`;
  const bytes = Buffer.byteLength(text);
  return bytes > MAX_TEXT_BYTES ? `the text has ${bytes} bytes, the limit is ${MAX_TEXT_BYTES}` : undefined;
}
