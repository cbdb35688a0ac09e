import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { CommandStore, StoredUpload } from '../commands/CommandStore.ts';
import type { UploadFiles } from '../edge/UploadFiles.ts';

/** Uploads in one list. */
const MAX_LISTED = 1_000;

type Asked = { Querystring: { agent?: string } };

/** What agents uploaded, for the hub's operator: the list, and each file as a download that no browser runs or shows. */
export function uploadViews(
  app: FastifyInstance,
  o: {
    onRequest(request: FastifyRequest, reply: FastifyReply): Promise<unknown>;
    store: CommandStore;
    files: UploadFiles;
  },
): void {
  const { onRequest } = o;
  app.get<Asked>('/api/uploads', { onRequest }, async (request) => {
    const uploads = await o.store.uploads(request.query.agent, MAX_LISTED);
    return { uploads: uploads.map(view) };
  });

  app.get<Asked & { Params: { guid: string } }>('/api/uploads/:guid', { onRequest }, async (request, reply) => {
    const upload = await o.store.upload(request.params.guid, request.query.agent);
    const path = upload && o.files.pathOf(upload);
    const size = path && (await stat(path).catch(() => undefined))?.size;
    if (!upload || !path || size === undefined) return reply.code(404).send({ error: 'No such upload' });
    return reply
      .header('Content-Type', 'application/octet-stream')
      .header('Content-Length', size)
      .header('Content-Disposition', `attachment; filename*=UTF-8''${encoded(upload.name)}`)
      .header('X-Content-Type-Options', 'nosniff')
      .send(createReadStream(path));
  });
}

function view(upload: StoredUpload) {
  return {
    edge_agent_id: upload.agentId,
    attachment_guid: upload.attachmentGuid,
    message_guid: upload.messageGuid,
    thread_id: upload.threadId,
    name: upload.name,
    mime_type: upload.mimeType,
    size_bytes: upload.sizeBytes,
    sha256: upload.sha256,
    received_at: new Date(upload.receivedAt).toISOString(),
  };
}

/** RFC 8187. */
function encoded(name: string): string {
  return encodeURIComponent(name.toWellFormed() || 'file').replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
