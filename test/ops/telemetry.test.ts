import { describe, expect, it } from 'vitest';
import { Health } from '../../src/ops/Health.ts';
import { maskIn } from '../../src/ops/mask.ts';
import { Metrics } from '../../src/ops/metrics.ts';
import { createTelemetry } from '../../src/ops/telemetry.ts';
import type { Logger, LogLevel } from '../../src/util/Logger.ts';
import type { Telemetry } from '../../src/util/Telemetry.ts';
import { FakeClock } from '../support/FakeClock.ts';

const HANDLE = '+15550100002';
const TEXT = 'a text nobody else may read';

function telemetry() {
  const lines: { level: LogLevel; line: string }[] = [];
  const at =
    (level: LogLevel) =>
    (message: string, ...args: unknown[]) =>
      lines.push({
        level,
        line: `[${level.toUpperCase()}] ${message}${args.length ? ` ${JSON.stringify(args)}` : ''}`,
      });
  const logger: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  const metrics = new Metrics();
  const clock = new FakeClock();
  const health = new Health({ clock });
  return {
    telemetry: createTelemetry({ logger, metrics, health, clock }),
    metrics,
    health,
    lines,
    shown: () => lines.filter(({ level }) => level !== 'debug').map(({ line }) => line),
  };
}

/** One call of every method; `detail` is what a careless caller might hand over. */
const detail = `chat id "iMessage;-;${HANDLE}" of someone@example.com or 15550100003`;
const CALLS: { [K in keyof Telemetry]: Parameters<Telemetry[K]> } = {
  chatdbOpened: [{ path: '/x/chat.db', epoch: 1, rowid: 5, isNew: false }],
  rowsRead: [3],
  rowParked: ['GUID-1', detail],
  rowSkipped: [{ guid: 'GUID-1', threadId: HANDLE, reason: 'echo' }],
  eventNoted: [{ eventType: 'reaction_added', threadId: HANDLE, detail }],
  chatdbLacks: [['edits (message.date_edited)']],
  bodyUndecodable: ['GUID-1', detail, 12],
  messageReceived: [{ guid: 'GUID-1', threadId: HANDLE, backfill: false, text: TEXT }],
  blockTaken: [
    {
      messages: [{ guid: 'GUID-1', threadId: HANDLE, backfill: true, text: TEXT }],
      skipped: [{ guid: 'GUID-2', threadId: HANDLE, reason: 'duplicate' }],
      events: 1,
    },
  ],
  messageHandedOver: [
    { guid: 'GUID-1', threadId: HANDLE, ms: 12.4, bubbles: 2, blocked: 1, attempts: 1, backfill: false },
  ],
  backfillHandedOver: [3],
  messageRetried: [{ guid: 'GUID-1', threadId: HANDLE, code: 'EDGE_BACKEND_BUSY', detail, retryInMs: 1500 }],
  lettersDropped: [2, undefined],
  messageSetAside: [{ guid: 'GUID-1', threadId: HANDLE, code: 'EDGE_BACKEND_REJECTED', detail }],
  sendStarted: [{ sendId: 7, threadId: HANDLE, attempt: 2, text: TEXT }],
  sendAccepted: [{ sendId: 7, threadId: HANDLE, ms: 3 }],
  sendConfirmed: [{ sendId: 7, threadId: HANDLE, guid: 'GUID-2', ms: 9 }],
  sendDelivered: [{ sendId: 7, threadId: HANDLE, ms: 9 }],
  sendRetried: [{ sendId: 7, threadId: HANDLE, code: 'EDGE_SEND_MESSAGES_DOWN', detail, how: 'once more' }],
  sendFailed: [{ sendId: 7, threadId: HANDLE, code: 'EDGE_SEND_REFUSED', detail }],
  sendUnknown: [{ sendId: 7, threadId: HANDLE, detail }],
  sendCorrected: [{ sendId: 7, threadId: HANDLE, guid: 'GUID-2', ms: 90_000 }],
  ghostSeen: [{ sendId: 7, threadId: HANDLE, guid: 'GUID-3' }],
  fileStaged: [{ fileId: 2, threadId: HANDLE, bytes: 4096, ms: 120 }],
  fileRetried: [{ fileId: 2, threadId: HANDLE, code: 'EDGE_FILE_FETCH', detail, retryInMs: 1500 }],
  uploaded: [{ attachmentGuid: 'GUID-4', messageGuid: 'GUID-1', bytes: 4096, ms: 30 }],
  uploadRetried: [{ attachmentGuid: 'GUID-4', code: 'EDGE_UPLOAD_RETRIED', detail, retryInMs: 1500 }],
  uploadFailed: [{ attachmentGuid: 'GUID-4', code: 'EDGE_UPLOAD_FAILED', detail }],
  scheduleFired: [{ scheduleId: 'c2', threadId: HANDLE, lateMs: 2000, nextAt: 1_800_000_000_000 }],
  scheduleExpired: [{ scheduleId: 'c2', threadId: HANDLE, lateMs: 7_200_000, occurrences: 1, nextAt: undefined }],
  messagesLaunched: [],
  messagesRestarted: [detail],
  reflexMatched: [{ commandId: 'c1', threadId: HANDLE, kept: 'reflex' }],
  websocketDialed: ['open'],
  websocketDraining: [2000],
  commandsPaused: [10_000],
  commandsResumed: [],
  networkUsed: ['proxy http://proxy.example.com:3128'],
  websocketConnecting: ['wss://HOST/edge/ws?edge_agent_id=edge_1'],
  websocketConnected: [],
  websocketClosed: [4000, detail],
  websocketError: [detail],
  websocketRefused: [{ status: 403, body: detail, likelyCause: 'wrong secret', check: 'Check it.' }],
  websocketRetryIn: [1000],
  websocketPong: [4],
  deliveryByPolling: [{ everySeconds: 30, wasUp: true }],
  synced: [{ commands: 1, events: 0, ms: 4 }],
  syncFailed: ['EDGE_BACKEND_UNREACHABLE', detail],
  frameIgnored: ['typing'],
  frameRefused: ['EDGE_FRAME_INVALID', detail],
  commandReceived: [{ commandId: 'test_001', commandType: 'send_message_now', channel: 'websocket' }],
  commandRepeated: ['test_001'],
  commandCompleted: ['test_001'],
  commandFailed: ['test_001', detail],
  acksHandedOver: [2, 'http'],
  configUpdated: [{ syncIntervalSeconds: 10, logLevel: 'debug', refused: ['colour', detail] }],
  conditionRaised: ['EDGE_CHATDB_MISSING', detail],
  conditionCleared: ['EDGE_CHATDB_MISSING'],
  woke: [61_000],
  notKeptAwake: [detail],
  failure: ['EDGE_INTERNAL', detail],
};

describe('telemetry', () => {
  it('writes the lines operators grep for, word for word', () => {
    const { telemetry: t, shown } = telemetry();
    t.websocketConnecting('wss://HOST/edge/ws?edge_agent_id=edge_1');
    t.websocketConnected();
    t.websocketClosed(1006, '');
    t.websocketClosed(4001, 'bad secret');
    t.websocketError('Unexpected server response: 403');
    t.deliveryByPolling({ everySeconds: 30, wasUp: true });
    t.deliveryByPolling({ everySeconds: 10, wasUp: false });
    t.commandReceived({ commandId: 'test_001', commandType: 'send_message_now', channel: 'websocket' });
    t.commandCompleted('test_001');
    t.commandFailed('test_002', 'thread_id: Required');
    expect(shown()).toEqual([
      '[INFO] Connecting to WebSocket: wss://HOST/edge/ws?edge_agent_id=edge_1',
      '[INFO] ✅ WebSocket connected - real-time mode enabled',
      '[INFO] 🔌 WebSocket connected - real-time command delivery enabled',
      '[INFO] Command delivery: Real-time via WebSocket 🚀',
      '[WARN] WebSocket closed: code=1006, reason=Unknown',
      '[WARN] WebSocket closed: code=4001, reason=bad secret',
      '[ERROR] WebSocket error: ["Unexpected server response: 403"]',
      '[WARN] 🔌 WebSocket disconnected - falling back to HTTP polling',
      '[INFO] Command delivery: HTTP polling every 30s',
      '[INFO] Command delivery: HTTP polling every 10s',
      '[INFO] 📥 Received command via WebSocket: test_001',
      '[INFO] ✅ Command test_001 executed successfully',
      '[ERROR] ❌ Command test_002 failed: thread_id: Required',
    ]);
  });

  it('says how a bubble goes on, and leaves the words of what stops all to the condition', () => {
    const { telemetry: t, shown } = telemetry();
    const about = { sendId: 7, threadId: HANDLE, detail: 'why' };
    t.sendRetried({ ...about, code: 'EDGE_SEND_UNCONFIRMED', how: 'once more' });
    t.sendRetried({ ...about, code: 'EDGE_SEND_NO_SUCH_CHAT', how: 'by another form' });
    t.sendRetried({ ...about, code: 'EDGE_SEND_REFUSED', how: 'by SMS' });
    t.sendRetried({ ...about, code: 'EDGE_SEND_NOT_PERMITTED', how: 'later' });
    expect(shown().map((line) => line.replace(/…\d+/, '…'))).toEqual([
      '[WARN] EDGE_SEND_UNCONFIRMED: Send 7 to … is tried once more: why',
      '[WARN] EDGE_SEND_NO_SUCH_CHAT: Send 7 to … is tried by another form: why',
      '[WARN] EDGE_SEND_REFUSED: Send 7 to … is tried by SMS: why',
      '[INFO] Send 7 to … waits: EDGE_SEND_NOT_PERMITTED',
    ]);
  });

  it.each(Object.keys(CALLS) as (keyof Telemetry)[])('shows no handle and no text above debug in %s', (event) => {
    const { telemetry: t, lines, shown } = telemetry();
    (t[event] as (...args: unknown[]) => void)(...CALLS[event]);
    if (event === 'conditionCleared') return expect(lines).toEqual([]);
    expect(lines.length).toBeGreaterThan(0);
    const text = shown().join('\n');
    for (const canary of [HANDLE, TEXT, 'someone@example.com', '15550100003']) expect(text).not.toContain(canary);
  });

  it('shows handle and text whole at debug', () => {
    const { telemetry: t, lines } = telemetry();
    t.messageReceived(CALLS.messageReceived[0]);
    expect(lines.map(({ line }) => line)).toEqual([
      '[INFO] Message GUID-1 from …0002 received',
      `[DEBUG] Message GUID-1 from ${HANDLE} says ["${TEXT}"]`,
    ]);
  });

  it('says of an answer that the loop guard stopped that there was one', () => {
    const { telemetry: t, shown } = telemetry();
    t.messageHandedOver({ ...CALLS.messageHandedOver[0], bubbles: 0, blocked: 2 });
    t.messageHandedOver({ ...CALLS.messageHandedOver[0], blocked: 0 });
    expect(shown()).toEqual([
      '[INFO] Message GUID-1 from …0002 handed over in 12 ms, 0 bubbles back, 2 more not sent (EDGE_ANSWER_LOOP)',
      '[INFO] Message GUID-1 from …0002 handed over in 12 ms, 2 bubbles back',
    ]);
  });

  it('logs a condition once when it begins and once when it ends, with the fix', () => {
    const { telemetry: t, shown, health } = telemetry();
    t.conditionRaised('EDGE_CHATDB_MISSING', 'no file');
    t.conditionRaised('EDGE_CHATDB_MISSING', 'no file');
    t.conditionRaised('EDGE_CHATDB_MISSING', 'still no file');
    expect(health.standing()).toMatchObject([{ code: 'EDGE_CHATDB_MISSING', detail: 'still no file' }]);
    t.conditionCleared('EDGE_CHATDB_MISSING');
    t.conditionCleared('EDGE_CHATDB_MISSING');
    expect(health.standing()).toEqual([]);
    expect(shown()).toEqual([
      expect.stringMatching(/^\[ERROR\] EDGE_CHATDB_MISSING: no file\. There is no chat\.db.*Sign in to Messages/),
      '[INFO] EDGE_CHATDB_MISSING is over',
    ]);
  });

  it('counts what it logs', () => {
    const { telemetry: t, metrics } = telemetry();
    for (const [event, args] of Object.entries(CALLS)) {
      (t[event as keyof Telemetry] as (...args: unknown[]) => void)(...args);
    }
    expect(metrics.get('messages_handed_over')).toBe(1);
    expect(metrics.get('message_handover_seconds')).toBe(0.0124);
    expect(metrics.get('acks_handed_over')).toBe(2);
    expect(metrics.by('errors').get('EDGE_SEND_REFUSED')).toBe(1);
  });
});

describe('maskIn', () => {
  it('masks handles and leaves guids, ids and short numbers', () => {
    expect(maskIn('HTTP 400: +15550100002 me@example.com')).toBe('HTTP 400: …0002 ….com');
    const harmless = 'A1B2-1234567890123 edge_15550100001 127.0.0.1:51234 120000 bytes';
    expect(maskIn(harmless)).toBe(harmless);
  });
});

describe('a sync that the backend refuses for its secret', () => {
  it('is a condition until a sync succeeds', () => {
    const { telemetry: t, health, shown } = telemetry();
    t.syncFailed('EDGE_BACKEND_AUTH', 'POST /edge/sync was answered 403');
    t.syncFailed('EDGE_BACKEND_UNREACHABLE', 'connect ECONNREFUSED');
    expect(health.standing()).toMatchObject([{ code: 'EDGE_BACKEND_AUTH', detail: expect.stringContaining('403') }]);
    t.synced({ commands: 0, events: 0, ms: 3 });
    expect(health.standing()).toEqual([]);
    expect(shown().at(-1)).toBe('[INFO] EDGE_BACKEND_AUTH is over');
  });

  it('does not end a condition that others raised', () => {
    const { telemetry: t, health } = telemetry();
    t.conditionRaised('EDGE_BACKEND_AUTH', 'POST /edge/message was answered 403');
    t.synced({ commands: 0, events: 0, ms: 3 });
    expect(health.standing()).toHaveLength(1);
  });
});
