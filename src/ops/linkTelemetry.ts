import type { Telemetry } from '../util/Telemetry.ts';
import { maskIn } from './mask.ts';
import { count } from './plural.ts';
import type { TelemetryParts } from './telemetry.ts';

type LinkEvents =
  | 'networkUsed'
  | 'websocketConnecting'
  | 'websocketDialed'
  | 'websocketDraining'
  | 'websocketConnected'
  | 'websocketClosed'
  | 'websocketError'
  | 'websocketRefused'
  | 'websocketRetryIn'
  | 'websocketPong'
  | 'deliveryByPolling'
  | 'synced'
  | 'syncFailed'
  | 'frameRefused'
  | 'frameIgnored'
  | 'commandsPaused'
  | 'commandsResumed'
  | 'commandReceived'
  | 'commandRepeated'
  | 'commandCompleted'
  | 'commandFailed'
  | 'acksHandedOver'
  | 'configUpdated';

/**
 * The link to the backend and the commands that come over it. Operators grep for the lines that begin with
 * "Connecting", a symbol, "WebSocket closed", "WebSocket error" or "Command delivery": their text is fixed.
 */
export function linkTelemetry({ logger, metrics, health }: TelemetryParts): Pick<Telemetry, LinkEvents> {
  /** A sync stands for the whole link: without a message to post, nothing else would tell that the secret is wrong. */
  let isSyncRefused = false;
  return {
    networkUsed(description) {
      logger.info(`The backend is reached with ${description}`);
    },
    websocketConnecting(url) {
      logger.info(`Connecting to WebSocket: ${url}`);
    },
    websocketDialed(result) {
      logger.debug(`Dial of the WebSocket: ${result}`);
    },
    websocketDraining(retryAfterMs) {
      logger.info(`The backend drains its connections; back in ${(retryAfterMs / 1000).toFixed(1)} s`);
    },
    websocketConnected() {
      metrics.count('websocket_connects');
      logger.info('✅ WebSocket connected - real-time mode enabled');
      logger.info('🔌 WebSocket connected - real-time command delivery enabled');
      logger.info('Command delivery: Real-time via WebSocket 🚀');
    },
    websocketClosed(code, reason) {
      metrics.count('websocket_closes');
      logger.warn(`WebSocket closed: code=${code}, reason=${maskIn(reason) || 'Unknown'}`);
    },
    websocketError(message) {
      metrics.count('websocket_errors');
      logger.error('WebSocket error:', maskIn(message));
    },
    websocketRefused({ status, body, likelyCause, check }) {
      metrics.count('websocket_refusals');
      const said = body ? `; it said: ${maskIn(body)}` : '';
      logger.error(`The backend refused the WebSocket with ${status}: ${likelyCause} ${check}${said}`);
    },
    websocketRetryIn(ms) {
      logger.debug(`Next try of the WebSocket in ${(ms / 1000).toFixed(1)} s`);
    },
    websocketPong(ms) {
      logger.debug(`Pong after ${Math.round(ms)} ms`);
    },
    deliveryByPolling({ everySeconds, wasUp }) {
      if (wasUp) logger.warn('🔌 WebSocket disconnected - falling back to HTTP polling');
      logger.info(`Command delivery: HTTP polling every ${everySeconds}s`);
    },
    synced({ commands, events, ms }) {
      metrics.count('syncs');
      if (isSyncRefused && health.clear('EDGE_BACKEND_AUTH')) logger.info('EDGE_BACKEND_AUTH is over');
      isSyncRefused = false;
      const line = `Sync in ${Math.round(ms)} ms: ${count(commands, 'command')} received, ${count(events, 'event')} taken`;
      if (commands + events > 0) logger.info(line);
      else logger.debug(line);
    },
    syncFailed(code, detail) {
      metrics.count('sync_failures');
      metrics.error(code);
      logger.warn(`${code}: sync failed: ${maskIn(detail)}`);
      if (code !== 'EDGE_BACKEND_AUTH') return;
      isSyncRefused = true;
      health.raise(code, detail);
    },
    frameRefused(code, detail) {
      metrics.count('frames_refused');
      metrics.error(code);
      logger.warn(`${code}: ${maskIn(detail)}`);
    },
    frameIgnored(type) {
      logger.debug(`Frame ignored: ${type}`);
    },
    commandsPaused(waiting) {
      logger.warn(`EDGE_COMMANDS_FULL: ${count(waiting, 'command')} wait; no more are read until some are done`);
    },
    commandsResumed() {
      logger.info('Commands are read again');
    },
    commandReceived({ commandId, commandType, channel }) {
      metrics.count('commands_received');
      const via = channel === 'websocket' ? 'WebSocket' : channel === 'sync' ? 'HTTP polling' : 'HTTP response';
      logger.info(`📥 Received command via ${via}: ${commandId}`);
      logger.debug(`Command ${commandId} is a ${commandType}`);
    },
    commandRepeated(commandId) {
      metrics.count('commands_repeated');
      logger.info(`Command ${commandId} came again; it is not executed again`);
    },
    commandCompleted(commandId) {
      metrics.count('commands_completed');
      logger.info(`✅ Command ${commandId} executed successfully`);
    },
    commandFailed(commandId, reason) {
      metrics.count('commands_failed');
      logger.error(`❌ Command ${commandId} failed: ${maskIn(reason)}`);
    },
    acksHandedOver(acks, channel) {
      metrics.count('acks_handed_over', acks);
      logger.debug(`${count(acks, 'ack')} handed over by ${channel}`);
    },
    configUpdated({ syncIntervalSeconds, logLevel, refused }) {
      const changes = [
        ...(syncIntervalSeconds === undefined ? [] : [`sync interval ${syncIntervalSeconds} s`]),
        ...(logLevel === undefined ? [] : [`log level ${logLevel}`]),
      ];
      if (changes.length > 0) logger.info(`The backend set ${changes.join(' and ')}`);
      if (refused.length > 0) {
        logger.warn(`The backend may set sync_interval and log_level only; refused: ${maskIn(refused.join(', '))}`);
      }
    },
  };
}
