import type { Config } from './schema.ts';

/** The keys that uploads go by, in their words. */
export function uploadSettings({ attachments, imessage }: Config) {
  return {
    mode: attachments.upload,
    attachmentsPath: imessage.attachments_path,
    uploadPath: attachments.upload_path,
    waitSeconds: attachments.upload_wait_seconds,
    maxBytes: attachments.max_upload_bytes,
  };
}
