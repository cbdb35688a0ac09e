import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { describeIssues } from '../../protocol/wire.ts';
import type { CommandStore } from '../commands/CommandStore.ts';
import { type Answers, TooManyAnswers } from './Answers.ts';
import { type Credentials, statusOf } from './Credentials.ts';
import { type Dispatcher, wireCommand } from './Dispatcher.ts';
import type { EdgeTelemetry } from './EdgeTelemetry.ts';
import { edgeMessageSchema } from './edgeMessage.ts';
import { SOCKET_PATH } from './Handshake.ts';
import type { Moment } from './HubObserver.ts';
import { isProbe } from './ProbeSockets.ts';
import type { EdgeLimits, RateLimits } from './RateLimits.ts';
import type { UploadFiles } from './UploadFiles.ts';
import { uploadRoutes } from './uploadRoutes.ts';

/** Asked of an agent that posts while too much is in hand, s. */
const BUSY_RETRY_SECONDS = 2;

const syncSchema = z.object({
  edge_agent_id: z.string().nullish(),
  last_command_id: z.string().max(200).nullish(),
  pending_events: z.array(z.unknown()).nullish(),
  status: z
    .object({
      scheduled_messages: z.number().nullish(),
      active_rules: z.number().nullish(),
      uptime_seconds: z.number().nullish(),
    })
    .nullish(),
});
const eventSchema = z.object({
  event_id: z.string().min(1).max(200),
  event_type: z.string().max(100).catch('unknown'),
  thread_id: z.string().nullish().catch(undefined),
  details: z.unknown().optional(),
});

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose request it is; set when it passed the check of credentials. */
    agentId: string;
    /** When the body was complete. */
    bodyAt: Moment | undefined;
  }
  interface FastifyContextConfig {
    /** A body that may take longer than others. */
    isUpload?: true;
  }
}

/** The HTTP endpoints agents speak to. Every refusal is `{ error }` and names the field where one is at fault. */
export function edgeRoutes(
  app: FastifyInstance,
  o: {
    credentials: Credentials;
    limits: RateLimits;
    store: CommandStore;
    answers: Answers;
    dispatcher: Dispatcher;
    telemetry: EdgeTelemetry;
    files: UploadFiles;
    maxFileBytes: number;
  },
): void {
  const admit = async (request: FastifyRequest, reply: FastifyReply, kind: keyof EdgeLimits) => {
    const verdict = o.credentials.check(request.headers);
    if (!verdict.ok) return reply.code(statusOf(verdict.refusal)).send({ error: verdict.refusal });
    const wait = await o.limits.take(kind, verdict.agentId);
    if (wait > 0) {
      o.telemetry.rateLimited(kind, verdict.agentId, wait);
      return reply
        .code(429)
        .header('Retry-After', wait)
        .send({ error: `Too many ${kind}` });
    }
    request.agentId = verdict.agentId;
  };
  const admitMessage = {
    onRequest: (request: FastifyRequest, reply: FastifyReply) => admit(request, reply, 'messages'),
  };
  const { files, maxFileBytes, telemetry } = o;
  const onUpload = (request: FastifyRequest, reply: FastifyReply) => admit(request, reply, 'uploads');
  uploadRoutes(app, { onRequest: onUpload, files, maxFileBytes, telemetry });
  const admitOther = { onRequest: (request: FastifyRequest, reply: FastifyReply) => admit(request, reply, 'requests') };

  app.post('/edge/message', admitMessage, async (request, reply) => {
    const body = edgeMessageSchema.safeParse(request.body);
    if (!body.success) return reply.code(400).send({ error: describeIssues(body.error) });
    const key = request.headers['idempotency-key'];
    const guid = body.data.guid ?? (typeof key === 'string' && key !== '' ? key : undefined);
    // A guid that no header can hold comes percent-encoded.
    if (key !== undefined && key !== guid && key !== encodeURIComponent(guid?.toWellFormed() ?? '')) {
      return reply.code(400).send({ error: 'message_guid: it differs from the Idempotency-Key header' });
    }
    try {
      const message = { ...body.data, guid };
      const answer = await o.answers.answer(request.agentId, message, request.bodyAt ?? o.telemetry.now());
      return reply.type('application/json').send(answer);
    } catch (error) {
      if (!(error instanceof TooManyAnswers)) throw error;
      return reply.code(503).header('Retry-After', BUSY_RETRY_SECONDS).send({ error: 'Too many messages in hand' });
    }
  });

  app.post('/edge/sync', admitOther, async (request, reply) => {
    const body = syncSchema.safeParse(request.body);
    if (!body.success) return reply.code(400).send({ error: describeIssues(body.error) });
    const { agentId } = request;
    const { edge_agent_id, last_command_id, pending_events, status } = body.data;
    if (edge_agent_id != null && edge_agent_id !== agentId) {
      return reply.code(400).send({ error: 'edge_agent_id: it differs from the X-Edge-Agent-Id header' });
    }
    // Commands given to a doctor would wait for an ack that it cannot give.
    if (isProbe(request.headers)) {
      o.telemetry.probed(agentId);
      return { commands: [], ack_events: [], probe: true };
    }
    const events = (pending_events ?? []).flatMap((raw) => {
      const event = eventSchema.safeParse(raw);
      if (!event.success) {
        o.telemetry.frameIgnored(agentId, `event: ${describeIssues(event.error)}`);
        return [];
      }
      const { event_id, event_type, thread_id, details } = event.data;
      return [{ eventId: event_id, eventType: event_type, threadId: thread_id ?? undefined, details }];
    });
    const lastCommandId = last_command_id ?? undefined;
    const acked = await o.store.recordSync({ agentId, lastCommandId, status: status ?? {}, events });
    for (const event of events) o.telemetry.eventReceived(agentId, event);
    const commands = await o.dispatcher.poll(agentId, lastCommandId);
    return { commands: commands.map(wireCommand), ack_events: acked };
  });

  for (const path of ['/edge/command/ack', '/edge/ack_command']) {
    app.post(path, admitOther, async (request, reply) => {
      const problem = await o.dispatcher.acknowledge(request.agentId, request.body);
      return problem === undefined ? { acknowledged: true } : reply.code(400).send({ error: problem });
    });
  }

  app.get(SOCKET_PATH, async (_request, reply) =>
    reply.code(426).header('Upgrade', 'websocket').send({ error: 'This endpoint speaks WebSocket' }),
  );
}
