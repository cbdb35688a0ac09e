import { safeFileName } from '../messaging/files/fileName.ts';
import { bareType, nameFlaw } from '../messaging/files/fileType.ts';
import { urlFlaw } from '../messaging/files/fileUrl.ts';
import { partTexts, queueParts } from '../messaging/queueText.ts';
import { sendAttachmentSchema } from '../protocol/wire.ts';
import { EdgeError } from '../util/EdgeError.ts';
import { type CommandType, commandType } from './CommandType.ts';

/** Files that came with their commands and are not staged yet, bytes: while the disk takes none, state.db holds them. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

const schema = sendAttachmentSchema.superRefine((payload, context) => {
  const flaw = (field: string, message: string) => context.addIssue({ code: 'custom', path: [field], message });
  if ((payload.url === undefined) === (payload.data_base64 === undefined)) {
    flaw('url', 'exactly one of url and data_base64 is needed');
    return;
  }
  const badUrl = payload.url === undefined ? undefined : urlFlaw(payload.url);
  if (badUrl !== undefined) flaw('url', badUrl);
  if (payload.data_base64 !== undefined && !isBase64(payload.data_base64)) flaw('data_base64', 'is not base64');
  const name = safeFileName(payload.name);
  const badName = name === undefined ? 'has no character that may stand in a name' : nameFlaw(name);
  if (badName !== undefined) flaw('name', badName);
  if (bareType(payload.mime_type) === undefined) flaw('mime_type', 'is not of the form type/subtype');
});

const checkPayload = commandType(schema, (payload, { store, commandId, immediate, now, maxBubbleChars }) => {
  const { thread_id: threadId, url, data_base64: data, name, mime_type: mimeType } = payload;
  if (data !== undefined && store.outgoingFiles.waitingBytes() > MAX_WAITING_BYTES) {
    const detail = `files of more than ${MAX_WAITING_BYTES} bytes wait to be staged`;
    // Each of them has its turn in a moment. A disk that took none may stay so for long, and the commands behind this
    // one, reflexes among them, would wait for it.
    if (store.outgoingFiles.hasUntriedBytes()) throw new EdgeError('EDGE_COMMANDS_FULL', detail);
    return { outcome: 'failed', reason: `EDGE_FILE_STAGE: ${detail}, and none could be` };
  }
  const fileId = store.outgoingFiles.insert({
    commandId,
    name: safeFileName(name)!,
    mimeType,
    url,
    data: data === undefined ? undefined : Buffer.from(data, 'base64'),
    now,
  });
  const caption = payload.caption?.trim() ?? '';
  const captions = caption === '' ? [] : partTexts(caption, maxBubbleChars).map((text) => ({ text }));
  const bubble = {
    key: `command:${commandId}`,
    threadId,
    bubbleType: 'normal' as const,
    immediate,
    commandId,
    fileId,
    now,
  };
  const [file] = queueParts(store, bubble, [{ text: '', state: 'held' }, ...captions]);
  store.commands.setSend(commandId, file!.sendId);
  return { outcome: 'pending', wake: 'sends', threadId };
});

/**
 * `send_attachment`: a file, and its caption behind it. The file's send is held until the file is staged. What is kept
 * of the payload is without the bytes: they are in `outgoing_files`, until they are staged.
 */
export const sendAttachment: CommandType = (raw) => {
  const checked = checkPayload(raw);
  if (!checked.ok) return checked;
  const { data_base64: _, ...payload } = checked.payload;
  return { ...checked, payload };
};

/** With padding or without; nothing else in between, because what is skipped silently may be what was meant. */
function isBase64(text: string): boolean {
  return BASE64.test(text) && text.replace(/=+$/, '').length % 4 !== 1;
}
