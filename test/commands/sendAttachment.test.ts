import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CommandHandler } from '../../src/commands/CommandHandler.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { silentTelemetry } from '../../src/util/Telemetry.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { tempDir } from '../support/tempDir.ts';

const ANNA = '+15550100001';
const DATA = Buffer.from('hello').toString('base64');
const FILE = { thread_id: ANNA, data_base64: DATA, name: 'hello.txt', mime_type: 'text/plain' };

function rig() {
  const clock = new FakeClock();
  const store = StateStore.open(join(tempDir(), 'state.db'), clock.now());
  onTestFinished(() => store.close());
  let wakes = 0;
  const none = () => {};
  const onSends = () => void wakes++;
  const options = { store, clock, telemetry: silentTelemetry, onSends, onSchedules: none, onAcks: none };
  const handler = new CommandHandler(options);
  const send = (payload: unknown, change: object = {}) =>
    handler.handle({ command_id: 'c1', command_type: 'send_attachment', payload, ...change }, 'sync');
  const ack = () => store.commands.acksWaiting(0, 10)[0]?.body;
  return { store, send, ack, wakes: () => wakes };
}

describe('send_attachment', () => {
  it('keeps the file and holds its bubble, in one transaction, and no byte of it in the command', () => {
    const { store, send, ack, wakes } = rig();
    send(FILE);
    const bubble = store.sends.byKey('command:c1')!;
    expect(bubble).toMatchObject({ state: 'held', waitsFor: null, text: '', fileName: 'hello.txt', commandId: 'c1' });
    expect(store.outgoingFiles.byId(bubble.fileId!)).toMatchObject({
      state: 'wanted',
      url: null,
      mimeType: 'text/plain',
    });
    expect(store.outgoingFiles.data(bubble.fileId!)?.toString()).toBe('hello');
    const command = store.commands.byId('c1')!;
    expect(JSON.parse(command.payload)).toEqual({ thread_id: ANNA, name: 'hello.txt', mime_type: 'text/plain' });
    expect(command).toMatchObject({ state: 'received', sendId: bubble.sendId });
    expect(ack()).toBeUndefined();
    expect(wakes()).toBe(1);
    send(FILE);
    expect(store.sends.openOf(ANNA)).toHaveLength(1);
  });

  it('waits while more bytes are to be staged than state.db is to hold, and fails when the disk took none of them', () => {
    const { store, send, ack } = rig();
    const data = Buffer.alloc(64 * 1024 * 1024 + 1);
    const file = { name: 'a', mimeType: 'text/plain', url: undefined, now: 1 };
    const fileId = store.outgoingFiles.insert({ ...file, commandId: 'c0', data });
    expect(() => send(FILE)).toThrow(expect.objectContaining({ code: 'EDGE_COMMANDS_FULL' }));
    expect(store.commands.byId('c1')).toBeUndefined();
    store.outgoingFiles.retry(fileId, { nextAttemptAt: 15_000, code: 'EDGE_FILE_STAGE', detail: 'no space is left' });
    send(FILE, { command_id: 'c2' });
    expect(ack()).toMatchObject({
      command_id: 'c2',
      status: 'failed',
      error: expect.stringContaining('EDGE_FILE_STAGE'),
    });
    expect(store.sends.byKey('command:c2')).toBeUndefined();
    store.outgoingFiles.markStaged(fileId, { sizeBytes: data.length, now: 1 });
    send(FILE);
    expect(store.commands.byId('c1')).toMatchObject({ state: 'received' });
  });

  it('puts the caption behind the file, as a part of it, ahead of what comes later', () => {
    const { store, send } = rig();
    const { data_base64: _, ...rest } = FILE;
    send({ ...rest, url: 'https://files.example.com/a.txt?t=1', caption: ' look ' }, { priority: 'immediate' });
    store.sends.insert({ key: 'cli:1', threadId: ANNA, text: 'later', bubbleType: 'normal', now: 1 });
    const [file, caption, later] = store.sends.openOf(ANNA);
    expect(file).toMatchObject({ state: 'held', immediate: 1, partOf: null });
    expect(caption).toMatchObject({ text: 'look', state: 'queued', immediate: 1, partOf: file!.sendId });
    expect(caption).toMatchObject({ groupKey: file!.groupKey, position: file!.position, fileName: null });
    expect(later).toMatchObject({ text: 'later' });
    expect(store.outgoingFiles.byId(file!.fileId!)).toMatchObject({ url: 'https://files.example.com/a.txt?t=1' });
  });

  it('makes the name one that may be written', () => {
    const { store, send } = rig();
    send({ ...FILE, name: '../../.ssh/authorized_keys.txt' });
    expect(store.sends.byKey('command:c1')?.fileName).toBe('_.._.ssh_authorized_keys.txt');
  });

  it.each([
    ['thread_id', { thread_id: '' }],
    ['url', { url: 'https://files.example.com/a' }], // beside the data
    ['url', { data_base64: undefined }],
    ['url', { data_base64: undefined, url: 'http://files.example.com/a' }],
    ['url', { data_base64: undefined, url: 'https://me:pw@files.example.com/a' }],
    ['url', { data_base64: undefined, url: 'https://localhost/a' }],
    ['data_base64', { data_base64: 'no base64!' }],
    ['data_base64', { data_base64: 'AAAAA' }],
    ['data_base64', { data_base64: '' }],
    ['name', { name: undefined }],
    ['name', { name: '..' }],
    ['name', { name: 'Setup.pkg' }],
    ['mime_type', { mime_type: 'png' }],
    ['mime_type', { mime_type: 7 }],
  ])('is answered with a failed ack that names the field: %s %j', (field, change) => {
    const { store, send, ack } = rig();
    send({ ...FILE, ...change });
    expect(ack()).toMatchObject({ status: 'failed', error: expect.stringMatching(new RegExp(`^${field}: `)) });
    expect(store.sends.byKey('command:c1')).toBeUndefined();
  });
});
