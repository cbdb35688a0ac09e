import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { freePort } from '../../scripts/rig/freePort.ts';
import { readConfigUpdate } from '../../src/backend/configUpdate.ts';
import { dispatchFrame } from '../../src/backend/dispatchFrame.ts';
import { meaningOf } from '../../src/backend/statusPolicy.ts';
import type { CommandType } from '../../src/commands/CommandType.ts';
import { cancelScheduled } from '../../src/commands/cancelScheduled.ts';
import { listScheduled } from '../../src/commands/listScheduled.ts';
import { readCommand } from '../../src/commands/readCommand.ts';
import { scheduleMessage } from '../../src/commands/scheduleMessage.ts';
import { sendAttachment } from '../../src/commands/sendAttachment.ts';
import { sendMessageNow } from '../../src/commands/sendMessageNow.ts';
import { uploadRetry } from '../../src/commands/uploadRetry.ts';
import { checkConfigText } from '../../src/config/loadConfig.ts';
import { MAX_BURST_DELAY_MS } from '../../src/messaging/pauses.ts';
import { MAX_TEXT_CHARS } from '../../src/messaging/queueText.ts';
import { syncRequest } from '../../src/ops/syncRequest.ts';
import { completedAck, failedAck, receivedAck } from '../../src/protocol/ack.ts';
import * as wire from '../../src/protocol/wire.ts';
import { DEFAULT_BURST_DELAY_MS, MAX_BUBBLES } from '../../src/relay/answer.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { strictRequest } from '../relay/strictRequest.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';
import { startRig } from '../support/startRig.ts';
import { tempDir } from '../support/tempDir.ts';
import { waitFor } from '../support/waitFor.ts';

type Json = Record<string, unknown>;

const repository = resolve(import.meta.dirname, '../..');
const page = readFileSync(join(repository, 'docs/BACKEND.md'), 'utf8');

const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, code]) => code!);
/** A block is one example, or one a line. */
const examples = blocks('json').flatMap((code): Json[] => {
  const isOneALine = code.startsWith('{ ') && /\}$/.test(code.split('\n')[0]!);
  return (isOneALine ? code.trim().split('\n') : [code]).map((text) => JSON.parse(text));
});

const COMMANDS: Record<string, { type: CommandType; fields: object }> = {
  send_message_now: { type: sendMessageNow, fields: wire.sendMessageNowSchema.shape },
  send_attachment: { type: sendAttachment, fields: wire.sendAttachmentSchema.shape },
  schedule_message: { type: scheduleMessage, fields: wire.scheduleMessageSchema.shape },
  cancel_scheduled: { type: cancelScheduled, fields: wire.cancelScheduledSchema.shape },
  list_scheduled: { type: listScheduled, fields: wire.listScheduledSchema.shape },
  upload_retry: { type: uploadRetry, fields: wire.uploadRetrySchema.shape },
};

/** What is wrong with an example goes unseen where readers are liberal: it may have no field that nobody reads. */
function onlyHas(example: unknown, fields: object): void {
  expect(Object.keys(fields)).toEqual(expect.arrayContaining(Object.keys(example as object)));
}

function isCommand(raw: unknown): void {
  const read = readCommand(raw);
  if (read.kind !== 'command') throw new Error(read.detail);
  const { type, fields } = COMMANDS[read.command.command_type]!;
  onlyHas(raw, wire.commandSchema.shape);
  onlyHas((raw as Json).payload, fields);
  expect(type(read.command.payload)).toMatchObject({ ok: true });
}

function isFrame(raw: Json): void {
  const { telemetry, calls } = recordingTelemetry();
  const heard: string[] = [];
  dispatchFrame(Buffer.from(JSON.stringify(raw)), false, telemetry, {
    command(data) {
      isCommand(data);
      heard.push('command');
    },
    configUpdate(data) {
      expect(readConfigUpdate(data).refused).toEqual([]);
      heard.push('config_update');
    },
    pong: () => heard.push('pong'),
    drain(ms) {
      expect(raw.data).toEqual({ retry_after_ms: ms });
      heard.push('drain');
    },
    greeted(ms) {
      expect(raw.data).toEqual({ reconnect_spread_ms: ms });
      heard.push('connected');
    },
  });
  expect(heard).toEqual([raw.type]);
  expect(calls.filter(({ event }) => event === 'frameRefused')).toEqual([]);
}

function isAck(example: Json): void {
  const { command_id, error, result, status, timestamp } = example as unknown as wire.CommandAck;
  const at = Date.parse(timestamp);
  const made = {
    received: () => receivedAck(command_id, at),
    completed: () => completedAck(command_id, at, result),
    failed: () => failedAck(command_id, at, error!),
  };
  expect(example).toEqual(made[status]());
}

function isSyncRequest(example: Json): void {
  const store = StateStore.open(join(tempDir(), 'state.db'), 0);
  onTestFinished(() => store.close());
  const made = syncRequest(store, { agentId: 'edge_15550100001', uptimeMs: 0 });
  expect(Object.keys(example)).toEqual(Object.keys(made));
  expect(Object.keys(example.status as Json)).toEqual(Object.keys(made.status));
  for (const event of example.pending_events as Json[]) {
    expect(Object.keys(event)).toEqual(['event_id', 'event_type', 'thread_id', 'details']);
  }
}

function isSyncAnswer(example: Json): void {
  const { commands, config_updates, flaws } = wire.syncResponseSchema.parse(example);
  expect(flaws).toEqual([]);
  expect(readConfigUpdate(config_updates).refused).toEqual([]);
  for (const command of commands) isCommand(command);
  onlyHas(example, { commands, ack_events: 0, config_updates });
}

function isAnswer(example: Json): void {
  const { commands } = wire.messageResponseSchema.parse(example);
  for (const command of commands ?? []) isCommand(command);
  onlyHas(example, wire.messageResponseSchema.shape);
}

/** By a field that only this kind has. */
const KINDS: readonly [field: string, check: (example: Json) => void][] = [
  ['filtered_text', (example) => strictRequest.parse(example)],
  ['should_respond', isAnswer],
  ['command_type', isCommand],
  ['success', isAck],
  ['pending_events', isSyncRequest],
  ['ack_events', isSyncAnswer],
  ['type', isFrame],
];

describe('the examples of docs/BACKEND.md', () => {
  it.each(examples)('are what the wire has: %j', (example) => {
    const checks = KINDS.filter(([field]) => field in example);
    expect(checks).toHaveLength(1);
    checks[0]![1](example);
  });

  it('are right within a line, too', () => {
    const inline = [...page.matchAll(/`(\{[^`\n]*\})`/g)].map(([, text]) => text!);
    const ping: wire.AgentFrame = { type: 'ping' };
    const whole = inline.filter((text) => !/…|\?/.test(text)).map((text): Json => JSON.parse(text));
    expect(whole.length).toBeGreaterThan(2);
    for (const example of whole) 'type' in example ? expect(example).toEqual(ping) : isAnswer(example);
  });

  it('show every kind, every command, every ack and every frame', () => {
    const handled = readFileSync(join(repository, 'src/commands/CommandHandler.ts'), 'utf8');
    const values = (field: string) => new Set(examples.map((example) => example[field]));
    expect(KINDS.filter(([field]) => !examples.some((example) => field in example))).toEqual([]);
    expect(Object.keys(COMMANDS)).toEqual([...handled.matchAll(/^ {2}\['(\w+)', \w+\],$/gm)].map(([, type]) => type));
    expect([...values('command_type')]).toEqual(expect.arrayContaining(Object.keys(COMMANDS)));
    expect([...values('status')]).toEqual(expect.arrayContaining(['received', 'completed', 'failed']));
    const frames = ['connected', 'command', 'pong', 'config_update', 'drain'];
    expect([...values('type')]).toEqual(expect.arrayContaining(frames));
  });
});

describe('docs/BACKEND.md', () => {
  it('has every field of the wire', () => {
    const fields = [
      strictRequest.shape,
      wire.messageResponseSchema.shape,
      wire.commandSchema.shape,
      ...Object.values(COMMANDS).map((command) => command.fields),
      wire.configUpdateSchema.shape,
    ].flatMap((shape) => Object.keys(shape));
    expect(fields.length).toBeGreaterThan(40);
    expect(fields.filter((field) => !page.includes(`\`${field}\``))).toEqual([]);
  });

  it('has the limits as they are', () => {
    const limits = [
      `1 to ${wire.MAX_COMMAND_ID_LENGTH} characters`,
      `more than ${MAX_BUBBLES} bubbles`,
      `${MAX_TEXT_CHARS.toLocaleString('en')} characters`,
      `${DEFAULT_BURST_DELAY_MS} where it is missing`,
      `${MAX_BURST_DELAY_MS.toLocaleString('en')} at most`,
    ];
    expect(limits.filter((limit) => !page.includes(limit))).toEqual([]);
  });

  it('says of each status what it leads to', () => {
    const [, table = ''] = page.split('\n## What each status leads to\n');
    const rows = [...table.matchAll(/^\| ([^|]*\d[^|]*) \| \**([a-z]+)[^|]*\| ([a-z]+)[^|]*\| ([a-z]+)/gm)].slice(0, 7);
    expect(rows).toHaveLength(7);
    const word = (status: number, endpoint: '/edge/message' | '/edge/sync' | '/edge/command/ack') => {
      const meaning = meaningOf(status, endpoint);
      if (meaning === 'taken' || meaning === 'known') return 'done';
      return meaning === 'EDGE_BACKEND_REJECTED' && endpoint === '/edge/message' ? 'set' : 'again';
    };
    for (const [, statuses, message, sync, ack] of rows) {
      const isOther = statuses!.startsWith('any other');
      const numbers = isOther
        ? [400, 413, 422]
        : [...statuses!.matchAll(/\b\d(?:\d\d|xx)\b/g)].map(([s]) => +s.replaceAll('x', '0'));
      for (const status of numbers) {
        if (statuses!.startsWith('3xx') && status === 200) continue; // its body cannot be used
        const said = [message, sync === 'as' || sync === 'same' ? 'again' : sync, ack];
        const meant = [word(status, '/edge/message'), word(status, '/edge/sync'), word(status, '/edge/command/ack')];
        expect([status, ...said]).toEqual([status, ...meant]);
      }
    }
  });
});

/** The backend of the page, run as it stands there. */
async function startBackend(secret: string): Promise<string> {
  const path = join(tempDir(), 'backend.mjs');
  writeFileSync(path, blocks('js')[0]!);
  const port = await freePort();
  const child = spawn(process.execPath, [path], { env: { EDGE_SECRET: secret, PORT: `${port}` }, stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  await waitFor('the backend', () =>
    fetch(url).then(
      () => true,
      () => false,
    ),
  );
  return url;
}

describe('the smallest backend', () => {
  const config = blocks('yaml')[0]!;

  it('is small, and its lines of config.yaml are enough', () => {
    expect(blocks('js')[0]!.trim().split('\n').length).toBeLessThan(18);
    expect(checkConfigText('/config.yaml', config)).toMatchObject({ websocket: { enabled: false } });
  });

  it('answers what curl asks', async () => {
    const [command] = blocks('sh');
    const [, path = '', secret = ''] = /8080(\S+).*'Authorization: Bearer (\w+)'/s.exec(command!) ?? [];
    expect(page).toContain(`EDGE_SECRET=${secret} node backend.mjs`);
    const url = await startBackend(secret);
    const headers = [...command!.matchAll(/-H '([^:]+): ([^']+)'/g)].map(([, name, value]) => [name!, value!] as const);
    const [, body = ''] = /-d '([^']+)'/.exec(command!) ?? [];
    const ask = (more: Record<string, string>) =>
      fetch(url + path, { method: 'POST', headers: { ...Object.fromEntries(headers), ...more }, body });
    expect(await (await ask({})).json()).toEqual({ should_respond: true, reply_bubbles: ['pong'] });
    expect((await ask({ Authorization: 'Bearer another' })).status).toBe(401);
  });

  it('answers a person, by the real agent', async () => {
    const rig = await startRig({ agent: false });
    const url = await startBackend(rig.secret);
    const path = rig.path('config.yaml');
    const whole = parseYaml(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify({ ...whole, ...parseYaml(config), backend: { url } }));
    await rig.startAgent({ withSocket: false });
    rig.mac.people.receive({ from: '+15550100002', text: 'ping' });
    await waitFor('the bubble', () => rig.bubblesTo('+15550100002').length > 0);
    expect(rig.bubblesTo('+15550100002')).toEqual(['pong']);
    expect(await rig.agent.status()).toMatchObject({ conditions: [] });
  });
});
