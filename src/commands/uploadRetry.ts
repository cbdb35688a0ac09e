import { uploadRetrySchema } from '../protocol/wire.ts';
import { commandType } from './CommandType.ts';

/**
 * `upload_retry`: the file is uploaded, whatever became of it before and whatever attachments.upload says; one that was
 * never wanted is looked for in chat.db. The outcome of the upload is the command's.
 */
export const uploadRetry = commandType(uploadRetrySchema, ({ attachment_guid: guid }, { store, commandId, now }) => {
  store.uploads.ask(guid, commandId, now);
  return { outcome: 'pending', wake: 'uploads' };
});
