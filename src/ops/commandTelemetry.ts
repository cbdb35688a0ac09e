import type { Telemetry } from '../util/Telemetry.ts';
import { maskIn, maskInId } from './mask.ts';
import { count } from './plural.ts';
import type { TelemetryParts } from './telemetry.ts';

type CommandEvents =
  | 'commandsPaused'
  | 'commandsResumed'
  | 'commandReceived'
  | 'commandRepeated'
  | 'commandCompleted'
  | 'commandFailed'
  | 'acksHandedOver'
  | 'configUpdated';

/** Commands, their acks, and what the backend sets. Operators grep for the lines of a command: their text is fixed. */
export function commandTelemetry({ logger, metrics }: TelemetryParts): Pick<Telemetry, CommandEvents> {
  /** Lines about what the backend set: it may send the same with every answer. */
  let toldSettings = '';
  let toldRefused = '';
  return {
    commandsPaused(waiting) {
      metrics.count('command_pauses');
      logger.warn(`EDGE_COMMANDS_FULL: ${count(waiting, 'command')} wait; no more are read until some are done`);
    },
    commandsResumed() {
      logger.info('Commands are read again');
    },
    commandReceived({ commandId, commandType, channel }) {
      metrics.count('commands_received');
      const via = channel === 'websocket' ? 'WebSocket' : channel === 'sync' ? 'HTTP polling' : 'HTTP response';
      logger.info(`📥 Received command via ${via}: ${maskInId(commandId)}`);
      logger.debug(`Command ${maskInId(commandId)} is a ${commandType}`);
    },
    commandRepeated(commandId) {
      metrics.count('commands_repeated');
      logger.info(`Command ${maskInId(commandId)} came again; it is not executed again`);
    },
    commandCompleted(commandId) {
      metrics.count('commands_completed');
      logger.info(`✅ Command ${maskInId(commandId)} executed successfully`);
    },
    commandFailed(commandId, reason) {
      metrics.count('commands_failed');
      logger.error(`❌ Command ${maskInId(commandId)} failed: ${maskIn(reason)}`);
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
      if (changes.length > 0) {
        const line = `The backend set ${changes.join(' and ')}`;
        logger[line === toldSettings ? 'debug' : 'info'](line);
        toldSettings = line;
      }
      if (refused.length > 0) {
        const line = `The backend may set sync_interval and log_level only; refused: ${maskIn(refused.join(', '))}`;
        logger[line === toldRefused ? 'debug' : 'warn'](line);
        toldRefused = line;
      }
    },
  };
}
