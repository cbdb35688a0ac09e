import multipart, { type Multipart } from '@fastify/multipart';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { describeIssues } from '../../protocol/wire.ts';
import type { EdgeTelemetry } from './EdgeTelemetry.ts';
import type { ReceivedFile, UploadFiles } from './UploadFiles.ts';

/** Longest field, bytes, and how many of them; the protocol has six. */
const MAX_FIELD_BYTES = 4096;
const MAX_FIELDS = 20;
/** Room for the fields and boundaries beside the file, bytes. */
const OVERHEAD_BYTES = MAX_FIELDS * MAX_FIELD_BYTES;
/** Asked of an agent while the disk is full, s. */
const FULL_RETRY_SECONDS = 60;

const fieldsSchema = z.object({
  attachment_guid: z.string().min(1).max(512),
  message_guid: z.string().max(512).default(''),
  thread_id: z.string().max(512).default(''),
  name: z.string().max(1024).default(''),
  mime_type: z.string().max(255).default('application/octet-stream'),
  size_bytes: z.coerce.number().int().nonnegative().optional(),
});

interface Posted {
  fields: Record<string, string>;
  file: ReceivedFile | undefined;
}

/** The endpoint for files, under both names that documents have for it. */
export function uploadRoutes(
  app: FastifyInstance,
  o: {
    onRequest(request: FastifyRequest, reply: FastifyReply): Promise<unknown>;
    files: UploadFiles;
    maxFileBytes: number;
    telemetry: EdgeTelemetry;
  },
): void {
  // In a scope of its own: no other endpoint is to take multipart.
  void app.register(async (scope) => {
    await scope.register(multipart, {
      limits: { fileSize: o.maxFileBytes, files: 1, fields: MAX_FIELDS, fieldSize: MAX_FIELD_BYTES },
    });
    const onRequest = async (request: FastifyRequest, reply: FastifyReply) => {
      await o.onRequest(request, reply);
      if (reply.sent) return reply;
      const length = Number(request.headers['content-length'] ?? 0);
      if (length > o.maxFileBytes + OVERHEAD_BYTES) return tooLarge(reply, o.maxFileBytes);
    };
    for (const path of ['/photo/upload', '/photos/upload']) {
      scope.post(path, { onRequest, config: { isUpload: true } }, (request, reply) => take(request, reply, o));
    }
  });
}

async function take(
  request: FastifyRequest,
  reply: FastifyReply,
  o: { files: UploadFiles; maxFileBytes: number; telemetry: EdgeTelemetry },
): Promise<unknown> {
  if (!request.isMultipart()) return reply.code(400).send({ error: 'the body is not multipart/form-data' });
  const posted: Posted = { fields: {}, file: undefined };
  try {
    await takeParts(request, posted, o.files);
    const fields = fieldsSchema.safeParse(posted.fields);
    if (!fields.success) return reply.code(400).send({ error: describeIssues(fields.error) });
    const problem = problemOf(request, fields.data, posted.file);
    if (problem !== undefined || !posted.file) return reply.code(400).send({ error: problem });
    const { attachment_guid: attachmentGuid, message_guid: messageGuid, thread_id: threadId, name } = fields.data;
    const { agentId } = request;
    const upload = { agentId, attachmentGuid, messageGuid, threadId, name, mimeType: fields.data.mime_type };
    const isNew = await o.files.keep(posted.file, upload);
    o.telemetry.uploadReceived(agentId, attachmentGuid, posted.file.sizeBytes, !isNew);
    const answer = { success: true, attachment_guid: attachmentGuid, size_bytes: posted.file.sizeBytes };
    return isNew ? answer : { ...answer, duplicate: true };
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === 'FST_REQ_FILE_TOO_LARGE') return tooLarge(reply, o.maxFileBytes);
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error;
    o.telemetry.failure('Storing an upload', 'the disk is full');
    return reply.code(503).header('Retry-After', FULL_RETRY_SECONDS).send({ error: 'The disk is full' });
  } finally {
    await posted.file?.discard();
  }
}

async function takeParts(request: FastifyRequest, posted: Posted, files: UploadFiles): Promise<void> {
  try {
    for await (const part of request.parts()) await takePart(part, posted, files);
  } catch (error) {
    // What the parser says of a body has no code, unlike what the disk, the connection and the limits say.
    if (!(error instanceof Error) || error.constructor !== Error || 'code' in error) throw error;
    throw Object.assign(error, { statusCode: 400 });
  }
}

async function takePart(part: Multipart, posted: Posted, files: UploadFiles): Promise<void> {
  if (part.type === 'file') posted.file = await files.receive(part.file);
  else if (typeof part.value === 'string') posted.fields[part.fieldname] = part.value;
}

function problemOf(
  request: FastifyRequest,
  fields: z.output<typeof fieldsSchema>,
  file: ReceivedFile | undefined,
): string | undefined {
  if (!file) return 'file: there is none';
  const key = request.headers['idempotency-key'];
  const guid = fields.attachment_guid;
  // A guid that no header can hold comes percent-encoded.
  if (key !== undefined && key !== guid && key !== encodeURIComponent(guid.toWellFormed())) {
    return 'attachment_guid: it differs from the Idempotency-Key header';
  }
  if (fields.size_bytes !== undefined && fields.size_bytes !== file.sizeBytes) {
    return `size_bytes: ${file.sizeBytes} bytes came`;
  }
  return undefined;
}

function tooLarge(reply: FastifyReply, maxFileBytes: number): FastifyReply {
  return reply.code(413).send({ error: `file: larger than ${maxFileBytes} bytes` });
}
