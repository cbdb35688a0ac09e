import type { ErrorCode } from './errors.ts';
import type { LogLevel } from './Logger.ts';

/** How a bubble goes on of which an attempt is over; `later` is when what stands in the way of all is gone. */
export type RetryKind = 'once more' | 'by another form' | 'by SMS' | 'later';

/**
 * What happens in the agent, one method per business event. The implementation (ops/) writes the log line and counts
 * the metric in one place, so that the two cannot drift. Handles and texts are handed over whole: the implementation
 * shows the last four characters of a handle above DEBUG and no text at all.
 */
export interface Telemetry {
  // chat.db
  chatdbOpened(info: { path: string; epoch: number; rowid: number; isNew: boolean }): void;
  rowsRead(count: number): void;
  rowParked(guid: string, reason: string): void;
  /** A row that is no message to hand over, and why: an echo, a duplicate, a preview, filtered … */
  rowSkipped(info: { guid: string; threadId: string; reason: string }): void;
  /** An event was written that the backend will be told: an edit, a reaction, a group change … */
  eventNoted(info: { eventType: string; threadId: string; detail: string }): void;
  /** This chat.db has not all columns; what does not work without them. Once for each set of them. */
  chatdbLacks(features: readonly string[]): void;
  bodyUndecodable(guid: string, reason: string, bytes: number): void;
  // In
  messageReceived(info: { guid: string; threadId: string; backfill: boolean; text: string }): void;
  /** What a large batch of rows was, in place of one call for each row of it. */
  blockTaken(block: {
    messages: readonly { guid: string; threadId: string; backfill: boolean; text: string }[];
    skipped: readonly { guid: string; threadId: string; reason: string }[];
    events: number;
  }): void;
  /** `blocked`: bubbles of the answer that the loop guard stopped, beside those of `bubbles`. */
  messageHandedOver(info: {
    guid: string;
    threadId: string;
    ms: number;
    bubbles: number;
    blocked: number;
    attempts: number;
    backfill: boolean;
  }): void;
  /** All backfill that had come was handed over. */
  backfillHandedOver(messages: number): void;
  messageRetried(info: { guid: string; threadId: string; code: ErrorCode; detail: string; retryInMs: number }): void;
  messageSetAside(info: { guid: string; threadId: string; code: ErrorCode; detail: string }): void;
  /** Somebody gave dead letters up: this one, or all there were. */
  lettersDropped(count: number, guid: string | undefined): void;
  // Out
  sendStarted(info: { sendId: number; threadId: string; attempt: number; text: string }): void;
  sendAccepted(info: { sendId: number; threadId: string; ms: number }): void;
  sendConfirmed(info: { sendId: number; threadId: string; guid: string; ms: number }): void;
  sendDelivered(info: { sendId: number; threadId: string; ms: number }): void;
  sendRetried(info: { sendId: number; threadId: string; code: ErrorCode; detail: string; how: RetryKind }): void;
  sendFailed(info: { sendId: number; threadId: string; code: ErrorCode; detail: string }): void;
  sendUnknown(info: { sendId: number; threadId: string; detail: string }): void;
  /** A receipt proves a send that was reported as unknown. */
  sendCorrected(info: { sendId: number; threadId: string; guid: string; ms: number }): void;
  /** An empty row of ours that belongs to no chat: nobody got the bubble. */
  ghostSeen(info: { sendId: number; threadId: string; guid: string }): void;
  /** A file to be sent is where Messages can read it. */
  fileStaged(info: { fileId: number; threadId: string; bytes: number; ms: number }): void;
  fileRetried(info: { fileId: number; threadId: string; code: ErrorCode; detail: string; retryInMs: number }): void;
  /** A file that came in was taken by the backend. */
  uploaded(info: { attachmentGuid: string; messageGuid: string; bytes: number; ms: number }): void;
  uploadRetried(info: { attachmentGuid: string; code: ErrorCode; detail: string; retryInMs: number }): void;
  uploadFailed(info: { attachmentGuid: string; code: ErrorCode; detail: string }): void;
  scheduleFired(info: { scheduleId: string; threadId: string; lateMs: number; nextAt: number | undefined }): void;
  /**
   * Due for too long: not sent. `occurrences`: how many of a recurrence, 1 otherwise; `lateMs` is that of the first.
   * `nextAt`: it goes on then, ms since 1970.
   */
  scheduleExpired(info: {
    scheduleId: string;
    threadId: string;
    lateMs: number;
    occurrences: number;
    nextAt: number | undefined;
  }): void;
  /** Messages was not running, and was started. */
  messagesLaunched(): void;
  messagesRestarted(reason: string): void;
  /** An answer's first bubble was not sent because the reflex had said it, or the other way round. */
  reflexMatched(info: { commandId: string; threadId: string; kept: 'reflex' | 'answer' }): void;
  // WebSocket and HTTP (the texts of these lines are fixed by the protocol)
  /** At start, where connections are not made in the plainest way: proxy, authorities, pins; no credentials. */
  networkUsed(description: string): void;
  websocketConnecting(url: string): void;
  /** How a dial ended: `open`, `status_403`, or the code of an error. Few values: it is the label of a metric. */
  websocketDialed(result: string): void;
  /** The backend asked to leave and to come back after so long. */
  websocketDraining(retryAfterMs: number): void;
  websocketConnected(): void;
  websocketClosed(code: number, reason: string): void;
  websocketError(message: string): void;
  websocketRefused(info: { status: number; body: string; likelyCause: string; check: string }): void;
  websocketRetryIn(ms: number): void;
  websocketPong(ms: number): void;
  /** Commands come by polling now. `wasUp` tells the loss of a socket from a start without one. */
  deliveryByPolling(info: { everySeconds: number; wasUp: boolean }): void;
  synced(info: { commands: number; events: number; ms: number }): void;
  syncFailed(code: ErrorCode, detail: string): void;
  frameRefused(code: ErrorCode, detail: string): void;
  /** A frame with nothing to do: the greeting, or a type this version does not know. For DEBUG. */
  frameIgnored(type: string): void;
  // Commands
  /** So many commands wait that no more are read until some are done. */
  commandsPaused(waiting: number): void;
  commandsResumed(): void;
  commandReceived(info: { commandId: string; commandType: string; channel: 'websocket' | 'sync' | 'response' }): void;
  commandRepeated(commandId: string): void;
  commandCompleted(commandId: string): void;
  commandFailed(commandId: string, reason: string): void;
  acksHandedOver(count: number, channel: 'websocket' | 'http'): void;
  configUpdated(info: { syncIntervalSeconds?: number; logLevel?: LogLevel; refused: string[] }): void;
  // Conditions: raised and cleared by code, each logged once a change; health and `status` show those that stand
  conditionRaised(code: ErrorCode, detail: string): void;
  conditionCleared(code: ErrorCode): void;
  /** The machine slept, or the process was stopped, for about so long. */
  woke(gapMs: number): void;
  /** This machine may fall asleep: what would keep it awake is not there, and need not be on what is no Mac. */
  notKeptAwake(detail: string): void;
  /** Something that has no event of its own went wrong. */
  failure(code: ErrorCode, detail: string): void;
}

/** Telemetry that hears everything and acts on what `heard` names: for tools and tests. */
export function partialTelemetry(heard: Partial<Telemetry>): Telemetry {
  return new Proxy(heard as Telemetry, { get: (target, event: keyof Telemetry) => target[event] ?? (() => {}) });
}

export const silentTelemetry: Telemetry = partialTelemetry({});
