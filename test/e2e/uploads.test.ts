import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AGENT_ID, type Rig } from '../../scripts/rig/Rig.ts';
import { Front } from '../faults/harness/Front.ts';
import { passes, says, type Treatment } from '../faults/harness/treatments.ts';
import { startRig } from '../support/startRig.ts';
import { waitFor } from '../support/waitFor.ts';

const ANN = '+15550100002';
const BEN = '+15550100003';
const image = (name = 'a.heic') => ({ name, mimeType: 'image/heic', content: `content of ${name}` });
const sha256 = (content: string) => createHash('sha256').update(content).digest('hex');

/** What happens to an upload: it passes, gets this status, or is held until the promise resolves. */
type UploadFate = 'pass' | number | Promise<unknown>;

interface Setup {
  fateOf?: (guid: string) => UploadFate;
  attachments?: Record<string, unknown>;
  config?: Record<string, Record<string, unknown>>;
}

const UPLOAD = '/photo/upload';

function treatmentOf(fate: UploadFate): Treatment {
  if (typeof fate === 'number') return says(fate, '{"error":"as told"}');
  return async (...exchange) => {
    await fate;
    await passes(...exchange);
  };
}

/** A rig that uploads images, with a door before the hub, and what the hub heard, in order. */
async function setUp({ fateOf = () => 'pass', attachments = {}, config = {} }: Setup = {}) {
  const door = await new Front().start();
  onTestFinished(() => door.stop());
  door.treat = ({ path, key }) => (path === UPLOAD ? treatmentOf(fateOf(String(key))) : passes);
  const heard: string[] = [];
  const observe = {
    messageReceived: ({ body }: { body: { guid: string | undefined } }) => void heard.push(`message ${body.guid}`),
    uploadReceived: ({ guid, known }: { guid: string; known: boolean }) =>
      void heard.push(`${known ? 'again' : 'upload'} ${guid}`),
  };
  const rig = await startRig({
    agent: false,
    hub: { observe, responder: { respond: async () => ({ should_respond: false, bubbles: [] }) } },
    config: { backend: { url: door.url }, attachments: { upload: 'images', ...attachments }, ...config },
  });
  door.target = rig.hub.port;
  await rig.startAgent();
  /** Idempotency keys of the uploads that came, in order. */
  const tried = () => door.knocks.filter(({ path }) => path === UPLOAD).map(({ key }) => key);
  return { rig, tried, heard };
}

const stored = (rig: Rig) => rig.hub.store.uploads(AGENT_ID, 100);
const queues = async (rig: Rig) => ((await rig.agent.status()) as { queues?: Record<string, number> }).queues!;
const fileOf = (rig: Rig, guid: string, name: string) =>
  join(rig.mac.attachmentsPath, guid.slice(-2).toLowerCase(), guid.slice(-4, -2).toLowerCase(), guid, name);

describe('a picture that comes in', () => {
  it('is with the backend, byte for byte, before its message', async () => {
    const { rig, heard } = await setUp();
    const guid = rig.mac.people.receive({ from: ANN, text: 'look', attachments: [image('a.heic'), image('b.heic')] });
    await waitFor('the message', () => heard.length === 3);
    expect(heard.slice(0, 2).sort()).toEqual([`upload at_0_${guid}`, `upload at_1_${guid}`]);
    expect(heard[2]).toBe(`message ${guid}`);
    const uploads = await stored(rig);
    const found = uploads.map(({ name, sha256, mimeType, messageGuid }) => [name, sha256, mimeType, messageGuid]);
    expect(found.sort()).toEqual([
      ['a.heic', sha256('content of a.heic'), 'image/heic', guid],
      ['b.heic', sha256('content of b.heic'), 'image/heic', guid],
    ]);
  });

  it('to a group comes with the group’s thread', async () => {
    const { rig, heard } = await setUp();
    const group = { id: 'chat831', participants: [ANN, BEN] };
    const guid = rig.mac.people.receive({ from: ANN, group, attachments: [{ ...image(), isSticker: true }] });
    await waitFor('both', () => heard.length === 2);
    expect(heard).toEqual([`upload at_0_${guid}`, `message ${guid}`]);
    expect(await stored(rig)).toMatchObject([{ threadId: 'chat831' }]);
  });

  it('holds up its own thread, in order, and no other', async () => {
    const taken = Promise.withResolvers<void>();
    const { rig, heard } = await setUp({ fateOf: () => taken.promise, attachments: { upload_wait_seconds: 600 } });
    const first = rig.mac.people.receive({ from: ANN, attachments: [image()] });
    const second = rig.mac.people.receive({ from: ANN, text: 'did you see it?' });
    const other = rig.mac.people.receive({ from: BEN, text: 'hi' });
    await waitFor('the other thread', () => heard.includes(`message ${other}`));
    expect(heard).toEqual([`message ${other}`]);
    taken.resolve();
    await waitFor('the thread', () => heard.length === 4);
    expect(heard.slice(1)).toEqual([`upload at_0_${first}`, `message ${first}`, `message ${second}`]);
  });

  it('does not hold its message for longer than it may, and follows it', async () => {
    const taken = Promise.withResolvers<void>();
    const { rig, heard } = await setUp({ fateOf: () => taken.promise, attachments: { upload_wait_seconds: 1 } });
    const guid = rig.mac.people.receive({ from: ANN, attachments: [image()] });
    await waitFor('the message', () => heard.length > 0);
    expect(heard).toEqual([`message ${guid}`]);
    expect((await queues(rig)).uploads).toBe(1);
    taken.resolve();
    await waitFor('the upload', () => heard.includes(`upload at_0_${guid}`));
  });

  it('is posted again under its key after a crash in the middle, and stored once', async () => {
    const held = Promise.withResolvers<void>();
    const { rig, heard, tried } = await setUp({ fateOf: () => (tried().length === 1 ? held.promise : 'pass') });
    const guid = rig.mac.people.receive({ from: ANN, attachments: [image()] });
    await waitFor('the upload to begin', () => tried().length === 1);
    await rig.agent.kill('SIGKILL');
    held.resolve();
    await rig.startAgent();
    await waitFor('the message', () => heard.includes(`message ${guid}`));
    expect(tried()).toEqual([`at_0_${guid}`, `at_0_${guid}`]);
    expect(await stored(rig)).toHaveLength(1);
  });

  it('waits for a backend that is down', async () => {
    const { rig, heard } = await setUp();
    await rig.stopHub();
    const guid = rig.mac.people.receive({ from: ANN, attachments: [image()] });
    await waitFor('it to be wanted', async () => (await queues(rig)).uploads === 1);
    await rig.startHub();
    await waitFor('both', () => heard.length === 2);
    expect(heard.toSorted()).toEqual([`message ${guid}`, `upload at_0_${guid}`]);
  });

  it('is tried again after a 503, and given up after a 400, which its message does not wait for', async () => {
    const statuses = [503, 400];
    const { rig, heard, tried } = await setUp({ fateOf: () => statuses.shift()! });
    const guid = rig.mac.people.receive({ from: ANN, attachments: [image()] });
    await waitFor('the message', () => heard.length > 0);
    expect(tried()).toHaveLength(2);
    expect(heard).toEqual([`message ${guid}`]);
    expect(await queues(rig)).toMatchObject({ uploads: 0, uploads_failed: 1 });
    expect(rig.agent.log).toContain('EDGE_UPLOAD_RETRIED');
    expect(rig.agent.log).toContain('EDGE_UPLOAD_FAILED');
  });

  it('is not waited for where the backend has no such endpoint, which is said once', async () => {
    const { rig, heard } = await setUp({ fateOf: () => 404, attachments: { upload_wait_seconds: 600 } });
    const guids = [1, 2, 3].map((n) => rig.mac.people.receive({ from: ANN, text: `${n}`, attachments: [image()] }));
    await waitFor('the messages', () => heard.length === 3);
    expect(heard).toEqual(guids.map((guid) => `message ${guid}`));
    expect(rig.agent.log.match(/EDGE_UPLOAD_RETRIED/g)).toHaveLength(1);
  });

  it('that is downloaded late is uploaded when it is there', async () => {
    const { rig, heard } = await setUp({ config: { imessage: { attachment_wait_seconds: 0 } } });
    const guid = rig.mac.people.receive({ from: ANN, attachments: [{ ...image(), downloadMs: 1_500 }] });
    await waitFor('both', () => heard.length === 2);
    expect(heard).toEqual([`message ${guid}`, `upload at_0_${guid}`]);
  });
});

describe('what is uploaded', () => {
  const document = { name: 'a.pdf', mimeType: 'application/pdf', content: 'words' };

  it.each([
    ['images', ['a.heic']],
    ['all', ['a.heic', 'a.pdf']],
    ['off', []],
  ])('with attachments.upload %s is %j', async (upload, names) => {
    const { rig, heard } = await setUp({ attachments: { upload } });
    rig.mac.people.receive({ from: ANN, attachments: [image(), document] });
    await waitFor('the message', () => heard.some((line) => line.startsWith('message')));
    expect((await stored(rig)).map(({ name }) => name).sort()).toEqual(names);
    expect((await queues(rig)).uploads).toBe(0);
  });

  it('is nothing that privacy keeps back, not even when the backend asks for it', async () => {
    const { rig, heard } = await setUp({ config: { privacy: { threads: { deny: [ANN] } } } });
    const denied = rig.mac.people.receive({ from: ANN, attachments: [image('secret.heic')] });
    const guid = rig.mac.people.receive({ from: BEN, attachments: [image()] });
    await waitFor('the other message', () => heard.length === 2);
    const id = await rig.command('upload_retry', { attachment_guid: `at_0_${denied}` });
    await waitFor('the ack', async () => (await rig.commandState(id)).state === 'failed');
    expect((await rig.commandState(id)).error).toContain('thread_denied');
    expect(heard).toEqual([`upload at_0_${guid}`, `message ${guid}`]);
  });

  it('has the name that the message tells, without what is redacted', async () => {
    const { rig, heard } = await setUp({ config: { privacy: { redact: ['payment_card'] } } });
    rig.mac.people.receive({ from: ANN, attachments: [image('card 4111 1111 1111 1111.heic')] });
    await waitFor('both', () => heard.length === 2);
    expect((await stored(rig))[0]!.name).not.toContain('4111');
  });

  it('is no file that is too large, and none outside the folder of attachments, whatever leads there', async () => {
    const { rig, heard } = await setUp({ attachments: { max_upload_bytes: 10 } });
    await rig.agent.kill('SIGTERM');
    writeFileSync(rig.path('outside.heic'), 'secret');
    const linked = rig.mac.people.receive({ from: ANN, attachments: [{ ...image('l.heic'), content: 'x' }] });
    await waitFor('the file', () => readFileSync(fileOf(rig, `at_0_${linked}`, 'l.heic')));
    unlinkSync(fileOf(rig, `at_0_${linked}`, 'l.heic'));
    symlinkSync(rig.path('outside.heic'), fileOf(rig, `at_0_${linked}`, 'l.heic'));
    const wayOut = relative(dirname(fileOf(rig, 'at_0_any', 'a')), rig.path('outside.heic'));
    const dotted = rig.mac.people.receive({
      from: ANN,
      attachments: [{ ...image(wayOut), downloadMs: 'never', transferState: 5 }],
    });
    const large = rig.mac.people.receive({ from: ANN, attachments: [{ ...image(), content: 'x'.repeat(11) }] });
    await rig.startAgent();
    const last = rig.mac.people.receive({ from: ANN, attachments: [{ ...image(), content: 'small' }] });
    await waitFor('the last message', () => heard.includes(`message ${last}`));
    expect(heard.filter((line) => line.startsWith('upload'))).toEqual([`upload at_0_${last}`]);
    const messages = [linked, dotted, large, last].map((guid) => `message ${guid}`);
    expect(heard.filter((line) => line.startsWith('message'))).toEqual(messages);
    await waitFor('all to be given up', async () => (await queues(rig)).uploads_failed === 3);
  });
});

describe('upload_retry', () => {
  it('uploads a file that failed, and tells when it is there', async () => {
    const { rig, heard } = await setUp();
    const guid = rig.mac.people.receive({ from: ANN, text: 'one', attachments: [image()] });
    await waitFor('the message', () => heard.length === 2);
    const file = fileOf(rig, `at_0_${guid}`, 'a.heic');
    const content = readFileSync(file);
    rmSync(file);
    mkdirSync(file);
    const failing = await rig.command('upload_retry', { attachment_guid: `at_0_${guid}` });
    await waitFor('the failure', async () => (await rig.commandState(failing)).state === 'failed');
    expect((await rig.commandState(failing)).error).toContain('not a regular file');
    rmSync(file, { recursive: true });
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    const id = await rig.command('upload_retry', { attachment_guid: `at_0_${guid}` });
    await waitFor('the ack', async () => (await rig.commandState(id)).state === 'completed');
    expect((await rig.commandState(id)).acks).toMatchObject([
      { body: { result: { attachment_guid: `at_0_${guid}`, size_bytes: content.length } } },
    ]);
    expect(heard.at(-1)).toBe(`again at_0_${guid}`);
  });

  it('finds in chat.db what was never wanted, and says what is not there', async () => {
    const { rig, heard } = await setUp({ attachments: { upload: 'off' } });
    const guid = rig.mac.people.receive({ from: ANN, attachments: [image()] });
    await waitFor('the message', () => heard.length === 1);
    const id = await rig.command('upload_retry', { attachment_guid: `at_0_${guid}` });
    await waitFor('the ack', async () => (await rig.commandState(id)).state === 'completed');
    expect(await stored(rig)).toMatchObject([{ messageGuid: guid, threadId: ANN, name: 'a.heic' }]);
    const unknown = await rig.command('upload_retry', { attachment_guid: 'at_0_NONE' });
    await waitFor('the ack', async () => (await rig.commandState(unknown)).state === 'failed');
    expect((await rig.commandState(unknown)).error).toContain('at_0_NONE');
    expect(await queues(rig)).toMatchObject({ uploads: 0, uploads_failed: 0, commands_open: 0 });
  });

  it('answers every command that asked for the file', async () => {
    const taken = Promise.withResolvers<void>();
    const { rig, heard, tried } = await setUp({ attachments: { upload: 'off' }, fateOf: () => taken.promise });
    const guid = rig.mac.people.receive({ from: ANN, attachments: [image()] });
    await waitFor('the message', () => heard.length === 1);
    const payload = { attachment_guid: `at_0_${guid}` };
    const ids = [await rig.command('upload_retry', payload), await rig.command('upload_retry', payload)];
    await waitFor('both to be known', async () => (await queues(rig)).commands_open === 2 && tried().length > 0);
    taken.resolve();
    for (const id of ids) {
      await waitFor('the ack', async () => (await rig.commandState(id)).state === 'completed');
    }
    expect(tried()).toHaveLength(1);
  });
});
