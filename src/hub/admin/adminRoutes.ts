import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { describeIssues, MAX_COMMAND_ID_LENGTH, threadIdSchema } from '../../protocol/wire.ts';
import type { Clock } from '../../util/Clock.ts';
import { EdgeError } from '../../util/EdgeError.ts';
import type { CommandStore, NewCommand } from '../commands/CommandStore.ts';
import { bearerToken, type Credentials, digest, isOneOf } from '../edge/Credentials.ts';
import type { Dispatcher } from '../edge/Dispatcher.ts';
import type { EdgeSockets } from '../edge/EdgeSockets.ts';
import type { UploadFiles } from '../edge/UploadFiles.ts';
import { uploadViews } from './uploadViews.ts';

/** Largest payload, bytes of JSON: well inside the 1 MiB frame an agent reads, and Messages takes 120,000. */
const MAX_PAYLOAD_BYTES = 512 * 1024;

const sendMessageSchema = z.object({
  edge_agent_id: z.string(),
  thread_id: threadIdSchema,
  message: z
    .string()
    .min(1)
    .max(MAX_PAYLOAD_BYTES / 4),
});
const payloadSchema = z
  .record(z.string(), z.unknown())
  .refine(
    (payload) => Buffer.byteLength(JSON.stringify(payload)) <= MAX_PAYLOAD_BYTES,
    `larger than ${MAX_PAYLOAD_BYTES} bytes`,
  );
const commandSchema = z.object({
  edge_agent_id: z.string(),
  command_type: z.string().min(1).max(100),
  payload: payloadSchema.optional(),
  /** Names of the payload in older documents. */
  parameters: payloadSchema.optional(),
  params: payloadSchema.optional(),
  priority: z.enum(['normal', 'immediate']).default('normal'),
  command_id: z.string().min(1).max(MAX_COMMAND_ID_LENGTH).optional(),
});

/** The endpoints for the hub's operator. Without an admin token they refuse everybody. */
export function adminRoutes(
  app: FastifyInstance,
  o: {
    adminToken: string | undefined;
    credentials: Credentials;
    store: CommandStore;
    dispatcher: Dispatcher;
    sockets: EdgeSockets;
    clock: Clock;
    files: UploadFiles;
  },
): void {
  const digests = o.adminToken ? [digest(o.adminToken)] : [];
  const onRequest = async (request: FastifyRequest, reply: FastifyReply) => {
    const token = bearerToken(request.headers.authorization);
    if (token === undefined) return reply.code(401).send({ error: 'Missing or invalid Authorization header' });
    if (!isOneOf(token, digests)) return reply.code(403).send({ error: 'Invalid token' });
  };

  uploadViews(app, { onRequest, store: o.store, files: o.files });

  const submit = async (reply: FastifyReply, command: NewCommand) => {
    try {
      await o.dispatcher.submit(command);
      return { success: true, command_id: command.commandId };
    } catch (error) {
      if (!(error instanceof EdgeError)) throw error;
      const status = error.code === 'EDGE_COMMANDS_FULL' ? 503 : 409;
      return reply.code(status).send({ success: false, error: error.message });
    }
  };

  app.post('/api/send-message', { onRequest }, async (request, reply) => {
    const body = sendMessageSchema.safeParse(request.body);
    if (!body.success) return reply.code(400).send({ success: false, error: describeIssues(body.error) });
    const { edge_agent_id: agentId, thread_id, message } = body.data;
    if (!o.credentials.isRegistered(agentId)) return unknownAgent(reply);
    return submit(reply, {
      commandId: randomUUID(),
      agentId,
      commandType: 'schedule_message',
      payload: { thread_id, message_text: message, send_at: new Date(o.clock.now()).toISOString() },
      priority: 'normal',
    });
  });

  app.post('/api/commands', { onRequest }, async (request, reply) => {
    const body = commandSchema.safeParse(request.body);
    if (!body.success) return reply.code(400).send({ success: false, error: describeIssues(body.error) });
    const { edge_agent_id: agentId, command_type, priority, payload, parameters, params } = body.data;
    if (!o.credentials.isRegistered(agentId)) return unknownAgent(reply);
    return submit(reply, {
      commandId: body.data.command_id ?? randomUUID(),
      agentId,
      commandType: command_type,
      payload: payload ?? parameters ?? params ?? {},
      priority,
    });
  });

  app.get<{ Params: { id: string } }>('/api/commands/:id', { onRequest }, async (request, reply) => {
    const found = await o.store.command(request.params.id);
    if (!found) return reply.code(404).send({ error: 'No such command' });
    const { command, acks } = found;
    return {
      command_id: command.commandId,
      edge_agent_id: command.agentId,
      command_type: command.commandType,
      payload: command.payload,
      priority: command.priority,
      state: command.state,
      error: command.error ?? null,
      deliveries: command.deliveries,
      created_at: iso(command.createdAt),
      delivered_at: iso(command.deliveredAt),
      finished_at: iso(command.finishedAt),
      acks: acks.map(({ status, body, times, receivedAt }) => ({ status, body, times, received_at: iso(receivedAt) })),
    };
  });

  app.get<{ Params: { id: string } }>('/edge/agents/:id', { onRequest }, async (request, reply) => {
    const agentId = request.params.id;
    const record = await o.store.agent(agentId);
    const connected = o.sockets.isUp(agentId);
    if (!record && !connected) return reply.code(404).send({ error: 'No such agent' });
    return {
      edge_agent_id: agentId,
      connected,
      first_seen_at: iso(record?.firstSeenAt),
      last_seen_at: iso(record?.lastSeenAt),
      last_command_id: record?.lastCommandId ?? null,
      status: record?.status ?? {},
      commands: await o.store.commandCounts(agentId),
    };
  });
}

function unknownAgent(reply: FastifyReply): FastifyReply {
  return reply.code(404).send({ success: false, error: 'edge_agent_id: no such agent' });
}

function iso(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}
