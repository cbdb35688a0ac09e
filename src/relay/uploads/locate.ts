import type { AttachmentInfo, ChatRow } from '../../chatdb/types.ts';
import type { MessageRequest } from '../../protocol/wire.ts';
import type { StateStore } from '../../state/StateStore.ts';
import type { UploadPlace, UploadRow } from '../../state/Uploads.ts';
import { aboutOf } from '../aboutRow.ts';
import type { PrivacyFilter } from '../privacy.ts';
import { threadOf, toRequest } from '../toRequest.ts';
import { refused } from './openAttachment.ts';

/** Which files of messages that come in the backend gets. */
export type UploadMode = 'off' | 'images' | 'all';

/** What finding a file in chat.db needs of it. */
export interface AttachmentSource {
  messageOfAttachment(attachmentGuid: string): ChatRow | undefined;
}

export type Located = UploadPlace & { path: string };

/** Stands for a name that the message does not tell. */
const NAMELESS = 'attachment';

export function isWanted(mode: UploadMode, mimeType: string): boolean {
  return mode === 'all' || (mode === 'images' && /^image\//i.test(mimeType));
}

/** The files of a message that the backend gets, with their names as the message tells them. */
export function wantedOf(row: ChatRow, body: MessageRequest, mode: UploadMode): AttachmentInfo[] {
  const told = new Map(body.attachments?.map(({ guid, name }) => [guid, name]));
  return row.attachments
    .filter(({ guid, mimeType }) => guid !== '' && told.has(guid) && isWanted(mode, mimeType))
    .map((attachment) => ({ ...attachment, name: told.get(attachment.guid)! }));
}

/**
 * Where a file is now. `pending`: Messages has not downloaded it yet; `unknown`: chat.db has no such attachment, and
 * never had as far as is known. The privacy settings are asked anew: they may have changed since the message came.
 * @throws EdgeError EDGE_UPLOAD_FAILED: it is not to be had; EDGE_CHATDB_*
 */
export function locate(
  upload: UploadRow,
  o: { source: AttachmentSource; store: StateStore; privacy: PrivacyFilter; mode: UploadMode; now: number },
): Located | 'pending' | 'unknown' {
  const { attachmentGuid, commandId, path } = upload;
  const message = o.source.messageOfAttachment(attachmentGuid);
  const attachment = message?.attachments.find(({ guid }) => guid === attachmentGuid);
  if (!message || !attachment) {
    if (upload.messageGuid === '') return 'unknown';
    if (path === null) throw refused('chat.db does not have it any more');
    check(upload, { threadId: upload.threadId, sender: undefined, service: '', text: '' });
    return { ...upload, path };
  }
  const threadId = threadOf(message);
  if (threadId === undefined) throw refused('its message belongs to no conversation');
  if (message.isFromMe) throw refused('it is not a file of a message that came in');
  check({ mimeType: attachment.mimeType, commandId }, aboutOf(message, threadId));
  if (attachment.transferState === 'pending') return 'pending';
  if (attachment.transferState === 'failed') throw refused('Messages could not download it');
  if (attachment.path === undefined) return 'pending';
  if (upload.messageGuid !== '') return { ...upload, path: attachment.path };
  const { mimeType, sizeBytes } = attachment;
  const body = toRequest(message, threadId, { privacy: o.privacy, backfill: false, now: o.now });
  const name = body.attachments?.find(({ guid }) => guid === attachmentGuid)?.name ?? NAMELESS;
  const messageGuid = o.store.changes.guidOf(message.guid);
  return { messageGuid, threadId, path: attachment.path, name, mimeType, sizeBytes };

  function check(file: { mimeType: string; commandId: string | null }, about: ReturnType<typeof aboutOf>): void {
    const reason = o.privacy.refuses(about);
    if (reason !== undefined) throw refused(`its message is kept back: ${reason}`);
    if (file.commandId === null && !isWanted(o.mode, file.mimeType)) {
      throw refused(`attachments.upload is ${o.mode} by now`);
    }
  }
}
