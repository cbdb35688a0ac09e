import { createHash } from 'node:crypto';
import type { Clock } from '../../util/Clock.ts';
import type { Logger } from '../../util/Logger.ts';
import type { EdgeAck } from '../commands/ack.ts';
import type { DeliveryChannel, StoredCommand, StoredEvent } from '../commands/CommandStore.ts';
import type { Refusal } from './Credentials.ts';
import type { EdgeMessage } from './edgeMessage.ts';
import type { HubObserver, Moment } from './HubObserver.ts';

/**
 * What happens on the edge side, one method an event: each writes its log line, with the facts as fields beside it,
 * and tells the observer. Operators grep for the lines that stand in docs/HUB.md; they do not change.
 */
export class EdgeTelemetry {
  readonly #logger: Logger;
  readonly #observer: HubObserver;
  readonly #clock: Clock;
  readonly #showContent: boolean;

  constructor(o: { logger: Logger; observer: HubObserver; clock: Clock; showContent: boolean }) {
    this.#logger = o.logger;
    this.#observer = o.observer;
    this.#clock = o.clock;
    this.#showContent = o.showContent;
  }

  now(): Moment {
    return { monotonic: this.#clock.monotonic(), wall: this.#clock.now() };
  }

  upgradeRequested(path: string, edgeAgentId: string | null): void {
    const query = edgeAgentId === null ? '' : `?edge_agent_id=${encodeURIComponent(edgeAgentId.slice(0, 100))}`;
    this.#logger.info(`WebSocket upgrade requested for: ${path.slice(0, 100)}${query}`);
  }

  upgradeToNowhere(path: string): void {
    this.#logger.warn(`❌ Endpoint not found: ${path.slice(0, 100)}`);
  }

  upgradeRefused(refusal: Refusal): void {
    const lines: Record<Refusal, string> = {
      'Missing or invalid Authorization header': '❌ WebSocket connection rejected: missing auth header',
      'Invalid token': '❌ Token verification failed',
      'Invalid edge_agent_id': '❌ Invalid edge_agent_id',
      'Edge agent not registered': '❌ WebSocket connection rejected: edge agent not registered',
    };
    this.#logger.warn(lines[refusal], { event: 'upgrade_refused', refusal });
  }

  rateLimited(what: string, who: string, seconds: number): void {
    this.#logger.warn(`Rate limit reached: ${what} of ${who}, again in ${seconds} s`, { event: 'rate_limited', what });
  }

  socketUp(agentId: string, connections: number): void {
    const fields = { event: 'socket_up', agentId, connections };
    this.#logger.info(`✅ WebSocket connection established for ${agentId}`, fields);
    this.#logger.info('✅ Edge agent registered with WebSocket manager', fields);
    this.#logger.info(`[WebSocket] Connected: ${agentId} (total connections: ${connections})`, fields);
    this.#logger.info(`Edge agent ${agentId} connected`, fields);
    this.#logger.info(`Active connections: ${connections}`, fields);
    this.#observer.socketUp?.({ agentId, at: this.now() });
  }

  socketDown(agentId: string, code: number, connections: number): void {
    const fields = { event: 'socket_down', agentId, code, connections };
    this.#logger.info(`Edge agent ${agentId} disconnected`, fields);
    this.#logger.info(`Active connections: ${connections}`, fields);
    this.#observer.socketDown?.({ agentId, code, at: this.now() });
  }

  probed(agentId: string): void {
    this.#logger.info(`Probed by the doctor of ${agentId}`, { event: 'probed', agentId });
  }

  leaveTaken(connections: number, ms: number): void {
    const line = `Taking leave of ${connections} agents over ${(ms / 1_000).toFixed(1)} s`;
    this.#logger.info(line, { event: 'leave_taken', connections, ms });
  }

  frameIgnored(agentId: string, reason: string): void {
    this.#logger.warn(`Frame ignored from ${agentId}: ${reason}`, { event: 'frame_ignored', agentId });
  }

  frameUnknown(agentId: string, type: string): void {
    this.#logger.debug(`Frame of type ${JSON.stringify(type.slice(0, 50))} from ${agentId} has no use here`);
  }

  messageReceived(agentId: string, body: EdgeMessage, at: Moment): void {
    this.#logger.info(`[HTTP POST] Received from ${agentId}`, { event: 'message_received', agentId, guid: body.guid });
    this.#observer.messageReceived?.({ agentId, body, at });
  }

  messageAnswered(agentId: string, guid: string, answer: string, repeated: boolean): void {
    this.#logger.debug(`Answered ${guid} of ${agentId}`, { event: 'message_answered', agentId, guid, repeated });
    this.#observer.messageAnswered?.({ agentId, guid, answer, repeated, at: this.now() });
  }

  answerFailed(agentId: string, guid: string, reason: string): void {
    this.#logger.error(`No answer to ${guid} of ${agentId}: ${reason}`, { event: 'answer_failed', agentId, guid });
  }

  reflexPushed(command: StoredCommand): void {
    const { agentId, commandId } = command;
    const fields = { event: 'reflex_pushed', agentId, commandId };
    this.#logger.info(`[Reflex] WebSocket found for ${agentId} ✅`, fields);
    this.#logger.info(
      `[Reflex] Sent ${this.#content(String(command.payload.text))} via WebSocket to ${agentId}`,
      fields,
    );
    this.#observer.commandSent?.({ agentId, command, channel: 'websocket', at: this.now() });
  }

  reflexNotPushed(agentId: string): void {
    const fields = { event: 'reflex_not_pushed', agentId };
    this.#logger.info(`[Reflex] WebSocket NOT found for ${agentId} ❌`, fields);
    this.#logger.info('[Reflex] Will return in HTTP response only (fallback mode)', fields);
  }

  commandQueued(agentId: string, commandId: string): void {
    this.#logger.info('WebSocket not available, queuing for HTTP polling', {
      event: 'command_queued',
      agentId,
      commandId,
    });
  }

  commandSent(command: StoredCommand, channel: DeliveryChannel): void {
    const { agentId, commandId } = command;
    const fields = { event: 'command_sent', agentId, commandId, channel, deliveries: command.deliveries };
    if (channel === 'websocket') this.#logger.info('Command sent via WebSocket (instant)', fields);
    else this.#logger.info(`Command sent via ${channel}`, fields);
    this.#observer.commandSent?.({ agentId, command, channel, at: this.now() });
  }

  ackReceived(agentId: string, ack: EdgeAck, known: boolean): void {
    const line = `Command ${JSON.stringify(ack.commandId)} ${ack.status} at ${agentId}`;
    const fields = { event: 'ack_received', agentId, commandId: ack.commandId, status: ack.status, known };
    if (known) this.#logger.info(line, fields);
    else this.#logger.warn(`${line}, which has no such command`, fields);
    this.#observer.ackReceived?.({ agentId, ack, known, at: this.now() });
  }

  eventReceived(agentId: string, event: Omit<StoredEvent, 'agentId' | 'receivedAt'>): void {
    this.#logger.info(`Event ${JSON.stringify(event.eventType.slice(0, 50))} from ${agentId}`, {
      event: 'event_received',
      agentId,
      eventId: event.eventId,
    });
    this.#observer.eventReceived?.({ agentId, event, at: this.now() });
  }

  uploadReceived(agentId: string, guid: string, sizeBytes: number, known: boolean): void {
    const what = `[Upload] ${known ? 'Known' : 'Stored'} ${JSON.stringify(guid)} from ${agentId}, ${sizeBytes} bytes`;
    this.#logger.info(what, { event: 'upload_received', agentId, guid, sizeBytes, known });
    this.#observer.uploadReceived?.({ agentId, guid, sizeBytes, known, at: this.now() });
  }

  failure(doing: string, reason: string): void {
    this.#logger.error(`${doing} failed: ${reason}`, { event: 'failure' });
  }

  /** Message text is the user's: shown only on request, else told apart by length and hash. */
  #content(text: string): string {
    if (this.#showContent) return JSON.stringify(text);
    return `[${text.length} characters, sha256 ${createHash('sha256').update(text).digest('hex').slice(0, 8)}]`;
  }
}
