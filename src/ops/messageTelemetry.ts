import { shellWord } from '../util/printable.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { maskHandle, maskIn, maskInId } from './mask.ts';
import { count } from './plural.ts';
import type { TelemetryParts } from './telemetry.ts';

type MessageEvents =
  | 'rowsRead'
  | 'rowParked'
  | 'rowSkipped'
  | 'eventNoted'
  | 'chatdbLacks'
  | 'bodyUndecodable'
  | 'messageReceived'
  | 'blockTaken'
  | 'messageHandedOver'
  | 'backfillHandedOver'
  | 'messageRetried'
  | 'messageSetAside'
  | 'lettersDropped'
  | 'sendStarted'
  | 'sendAccepted'
  | 'sendConfirmed'
  | 'sendDelivered'
  | 'sendRetried'
  | 'sendFailed'
  | 'sendUnknown'
  | 'reflexMatched';

/** Messages that come in and bubbles that go out. */
export function messageTelemetry({ logger, metrics, health }: TelemetryParts): Pick<Telemetry, MessageEvents> {
  const send = (sendId: number, threadId: string) => `Send ${sendId} to ${maskHandle(threadId)}`;
  const message = (guid: string, threadId: string) => `Message ${guid} from ${maskHandle(threadId)}`;
  return {
    rowsRead(count) {
      metrics.count('rows_read', count);
      logger.debug(`${count} rows read from chat.db`);
    },
    rowParked(guid, reason) {
      metrics.count('rows_parked');
      logger.debug(`Row ${guid} parked: ${reason}`);
    },
    rowSkipped({ guid, threadId, reason }) {
      metrics.count('rows_skipped');
      logger.info(`${message(guid, threadId)} is not handed over: ${reason}`);
    },
    eventNoted({ eventType, threadId, detail }) {
      metrics.count('events_noted');
      logger.info(`Event ${eventType} in ${maskHandle(threadId)}: ${maskIn(detail)}`);
    },
    chatdbLacks(features) {
      logger.warn(`chat.db of this macOS does not have everything; without it: ${features.join('; ')}`);
    },
    bodyUndecodable(guid, reason, bytes) {
      metrics.count('bodies_undecodable');
      metrics.error('EDGE_BODY_UNDECODABLE');
      logger.warn(`EDGE_BODY_UNDECODABLE: body of message ${guid} (${bytes} bytes): ${maskIn(reason)}`);
    },
    messageReceived({ guid, threadId, backfill, text }) {
      metrics.count('messages_received');
      logger.info(`${message(guid, threadId)} received${backfill ? ' (backfill)' : ''}`);
      logger.debug(`Message ${guid} from ${threadId} says`, text);
    },
    blockTaken({ messages, skipped, events }) {
      metrics.count('messages_received', messages.length);
      metrics.count('rows_skipped', skipped.length);
      metrics.count('events_noted', events);
      const backfill = messages.filter((each) => each.backfill).length;
      logger.info(
        `${count(messages.length, 'message')} received at once (${backfill} backfill), ` +
          `${skipped.length} not handed over, ${count(events, 'event')}`,
      );
      for (const { guid, threadId, text } of messages) logger.debug(`Message ${guid} from ${threadId} says`, text);
      for (const { guid, threadId, reason } of skipped) {
        logger.debug(`${message(guid, threadId)} is not handed over: ${reason}`);
      }
    },
    messageHandedOver({ guid, threadId, ms, bubbles, blocked, attempts, backfill }) {
      metrics.count('messages_handed_over');
      // Backfill waits for its block, and comes by the thousand.
      if (backfill) metrics.count('backfill_handed_over');
      else metrics.count('message_handover_seconds', ms / 1000);
      const stopped = blocked > 0 ? `, ${blocked} more not sent (EDGE_ANSWER_LOOP)` : '';
      const after = attempts > 1 ? ` at attempt ${attempts}` : '';
      logger[backfill ? 'debug' : 'info'](
        `${message(guid, threadId)} handed over in ${Math.round(ms)} ms${after}, ${count(bubbles, 'bubble')} back${stopped}`,
      );
    },
    backfillHandedOver(messages) {
      logger.info(`${count(messages, 'message')} of backfill handed over`);
    },
    messageRetried({ guid, threadId, code, detail, retryInMs }) {
      metrics.count('message_retries');
      metrics.error(code);
      // What all messages wait for is a condition, and the log has its words.
      logger[health.stands(code) ? 'debug' : 'warn'](
        `${code}: ${message(guid, threadId)} tried again in ${seconds(retryInMs)}: ${maskIn(detail)}`,
      );
    },
    messageSetAside({ guid, threadId, code, detail }) {
      metrics.count('messages_set_aside');
      metrics.error(code);
      const again = `\`edge-agent retry ${shellWord(guid)}\` hands it over again`;
      logger.error(`${code}: ${message(guid, threadId)} set aside: ${maskIn(detail)} (${again})`);
    },
    lettersDropped(dropped, guid) {
      metrics.count('letters_dropped', dropped);
      const which = guid === undefined ? count(dropped, 'dead letter') : `Dead letter ${guid}`;
      logger.info(`${which} dropped by hand (edge-agent drop)`);
    },
    sendStarted({ sendId, threadId, attempt, text }) {
      metrics.count('sends_started');
      logger.info(`${send(sendId, threadId)} started${attempt > 1 ? `, attempt ${attempt}` : ''}`);
      logger.debug(`Send ${sendId} to ${threadId} says`, text);
    },
    sendAccepted({ sendId, threadId, ms }) {
      metrics.count('sends_accepted');
      logger.debug(`${send(sendId, threadId)} accepted by Messages in ${Math.round(ms)} ms`);
    },
    sendConfirmed({ sendId, threadId, guid, ms }) {
      metrics.count('sends_confirmed');
      metrics.count('send_confirm_seconds', ms / 1000);
      logger.info(`${send(sendId, threadId)} confirmed as ${guid} in ${Math.round(ms)} ms`);
    },
    sendDelivered({ sendId, threadId, ms }) {
      metrics.count('sends_delivered');
      logger.info(`${send(sendId, threadId)} delivered after ${Math.round(ms)} ms`);
    },
    sendRetried({ sendId, threadId, code, detail, how }) {
      metrics.count('send_retries');
      metrics.error(code);
      // What all sends wait for is a condition, and the log has its words.
      if (how === 'later') logger.info(`${send(sendId, threadId)} waits: ${code}`);
      else logger.warn(`${code}: ${send(sendId, threadId)} is tried ${how}: ${maskIn(detail)}`);
    },
    sendFailed({ sendId, threadId, code, detail }) {
      metrics.count('sends_failed');
      metrics.error(code);
      logger.error(`${code}: ${send(sendId, threadId)} failed: ${maskIn(detail)}`);
    },
    sendUnknown({ sendId, threadId, detail }) {
      metrics.count('sends_unknown');
      metrics.error('EDGE_SEND_UNCONFIRMED');
      logger.error(`EDGE_SEND_UNCONFIRMED: ${send(sendId, threadId)} may have gone out: ${maskIn(detail)}`);
    },
    reflexMatched({ commandId, threadId, kept }) {
      metrics.count('reflexes_matched');
      logger.info(
        `Reflex ${maskInId(commandId)} to ${maskHandle(threadId)} and the answer’s first bubble are one; ${kept} kept`,
      );
    },
  };
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
