import type { Telemetry } from '../util/Telemetry.ts';
import { maskHandle, maskIn } from './mask.ts';
import type { TelemetryParts } from './telemetry.ts';

type SendingEvents =
  | 'sendCorrected'
  | 'ghostSeen'
  | 'fileStaged'
  | 'fileRetried'
  | 'uploaded'
  | 'uploadRetried'
  | 'uploadFailed'
  | 'scheduleFired'
  | 'scheduleExpired'
  | 'messagesLaunched'
  | 'messagesRestarted';

/** What goes on around a send: files, schedules, Messages itself. */
export function sendingTelemetry({ logger, metrics }: TelemetryParts): Pick<Telemetry, SendingEvents> {
  return {
    sendCorrected({ sendId, threadId, guid, ms }) {
      metrics.count('sends_corrected');
      logger.info(
        `Send ${sendId} to ${maskHandle(threadId)} went out after all: ${guid}, ${duration(ms)} after it was queued`,
      );
    },
    ghostSeen({ sendId, threadId, guid }) {
      metrics.count('ghosts_seen');
      metrics.error('EDGE_SEND_GHOST');
      logger.warn(
        `EDGE_SEND_GHOST: send ${sendId} to ${maskHandle(threadId)} left the empty row ${guid}; nobody got it`,
      );
    },
    fileStaged({ fileId, threadId, bytes, ms }) {
      metrics.count('files_staged');
      logger.info(`File ${fileId} for ${maskHandle(threadId)} is ready: ${bytes} bytes in ${duration(ms)}`);
    },
    fileRetried({ fileId, threadId, code, detail, retryInMs }) {
      metrics.count('file_retries');
      metrics.error(code);
      const again = `tried again in ${duration(retryInMs)}`;
      logger.warn(`${code}: file ${fileId} for ${maskHandle(threadId)} ${again}: ${maskIn(detail)}`);
    },
    uploaded({ attachmentGuid, messageGuid, bytes, ms }) {
      metrics.count('uploads');
      metrics.count('upload_bytes', bytes);
      logger.info(`File ${attachmentGuid} of message ${messageGuid} uploaded: ${bytes} bytes in ${duration(ms)}`);
    },
    uploadRetried({ attachmentGuid, code, detail, retryInMs }) {
      metrics.count('upload_retries');
      metrics.error(code);
      logger.warn(`${code}: file ${attachmentGuid} is uploaded again in ${duration(retryInMs)}: ${maskIn(detail)}`);
    },
    uploadFailed({ attachmentGuid, code, detail }) {
      metrics.count('uploads_failed');
      metrics.error(code);
      logger.error(`${code}: file ${attachmentGuid} is not uploaded: ${maskIn(detail)}`);
    },
    scheduleFired({ scheduleId, threadId, lateMs, nextAt }) {
      metrics.count('schedules_fired');
      const late = lateMs >= 1000 ? `, ${duration(lateMs)} late` : '';
      logger.info(`Schedule ${scheduleId} to ${maskHandle(threadId)} is due${late}${next(nextAt)}`);
    },
    scheduleExpired({ scheduleId, threadId, lateMs, occurrences, nextAt }) {
      metrics.count('schedules_expired', occurrences);
      metrics.error('EDGE_SCHEDULE_EXPIRED');
      logger.error(
        `EDGE_SCHEDULE_EXPIRED: schedule ${scheduleId} to ${maskHandle(threadId)} was due ${duration(lateMs)} ago${more(occurrences)} and is not sent${next(nextAt)}`,
      );
    },
    messagesLaunched() {
      metrics.count('messages_launches');
      logger.warn('Messages was not running and was started');
    },
    messagesRestarted(reason) {
      metrics.count('messages_restarts');
      metrics.error('EDGE_MESSAGES_RESTARTED');
      logger.error(`EDGE_MESSAGES_RESTARTED: ${maskIn(reason)}`);
    },
  };
}

function more(occurrences: number): string {
  return occurrences > 1 ? ` for the first of ${occurrences} times` : '';
}

function next(at: number | undefined): string {
  return at === undefined ? '' : `; next ${new Date(at).toISOString()}`;
}

function duration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
