import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tempDir } from '../support/tempDir.ts';
import { waitFor } from '../support/waitFor.ts';
import { ADMIN, AGENT, identity, startHub, type TestHub } from './testHub.ts';

const FIELDS = { message_guid: 'm1', thread_id: '+15550100002', name: 'a.heic', mime_type: 'image/heic' };

async function upload(
  { hub }: TestHub,
  guid: string,
  content: string | undefined,
  o: { path?: string; agentId?: string; headers?: Record<string, string>; fields?: Record<string, string> } = {},
) {
  const form = new FormData();
  const fields = { attachment_guid: guid, ...FIELDS, ...o.fields };
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  if (content !== undefined) form.append('file', new Blob([content]), '../../evil.heic');
  const response = await fetch(hub.url + (o.path ?? '/photo/upload'), {
    method: 'POST',
    headers: { ...identity(o.agentId ?? AGENT), 'Idempotency-Key': guid, ...o.headers },
    body: form,
  });
  return { status: response.status, json: (await response.json()) as Record<string, unknown>, response };
}

const onDisk = ({ dbPath }: TestHub) => readdirSync(`${dbPath}.uploads`);
const asAdmin = { headers: { Authorization: `Bearer ${ADMIN}` } };

describe('a file that is posted', () => {
  it('is stored once for an agent, whichever path it comes by, under a name that is no sender’s', async () => {
    const hub = await startHub();
    const stored = { success: true, attachment_guid: 'at_0_A', size_bytes: 5 };
    expect(await upload(hub, 'at_0_A', 'hello')).toMatchObject({ status: 200, json: stored });
    expect((await upload(hub, 'at_0_A', 'hello', { path: '/photos/upload' })).json).toEqual({
      ...stored,
      duplicate: true,
    });
    expect((await upload(hub, 'at_0_A', 'other', { agentId: 'edge_other' })).json).toEqual(stored);
    expect(onDisk(hub)).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/), expect.stringMatching(/^[0-9a-f]{64}$/)]);
  });

  it('is listed for the operator and comes back as a download', async () => {
    const hub = await startHub();
    await upload(hub, 'at 0/☂', '<script>', {
      fields: { name: 'a "b" ü.html' },
      headers: { 'Idempotency-Key': 'at%200%2F%E2%98%82' },
    });
    const list = await fetch(`${hub.hub.url}/api/uploads?agent=${AGENT}`, asAdmin);
    expect(((await list.json()) as { uploads: unknown[] }).uploads).toEqual([
      {
        ...FIELDS,
        name: 'a "b" ü.html',
        edge_agent_id: AGENT,
        attachment_guid: 'at 0/☂',
        size_bytes: 8,
        sha256: createHash('sha256').update('<script>').digest('hex'),
        received_at: expect.any(String),
      },
    ]);
    const file = await fetch(`${hub.hub.url}/api/uploads/${encodeURIComponent('at 0/☂')}`, asAdmin);
    expect(await file.text()).toBe('<script>');
    expect(file.headers.get('content-type')).toBe('application/octet-stream');
    expect(file.headers.get('content-disposition')).toBe("attachment; filename*=UTF-8''a%20%22b%22%20%C3%BC.html");
    expect(file.headers.get('x-content-type-options')).toBe('nosniff');
    expect((await fetch(`${hub.hub.url}/api/uploads/none`, asAdmin)).status).toBe(404);
    expect((await fetch(`${hub.hub.url}/api/uploads`)).status).toBe(401);
  });

  it('is refused without credentials, without a file, under another key, or with another size', async () => {
    const hub = await startHub();
    expect((await upload(hub, 'a', 'x', { headers: { Authorization: 'Bearer wrong' } })).status).toBe(403);
    expect(await upload(hub, 'a', undefined)).toMatchObject({ status: 400, json: { error: 'file: there is none' } });
    expect(await upload(hub, 'a', 'x', { headers: { 'Idempotency-Key': 'b' } })).toMatchObject({ status: 400 });
    expect(await upload(hub, 'a', 'x', { fields: { size_bytes: '2' } })).toMatchObject({ status: 400 });
    expect(await hub.post('/photo/upload', {})).toMatchObject({ status: 400 });
    await waitFor('what came to be gone', () => onDisk(hub).length === 0);
  });

  it('is refused when it is too large, whether its length was told or not, and leaves nothing', async () => {
    const hub = await startHub({ uploads: { maxFileBytes: 1_000 } });
    expect((await upload(hub, 'a', 'x'.repeat(2_000))).status).toBe(413);
    expect((await upload(hub, 'a', 'x'.repeat(200_000))).status).toBe(413);
    expect((await upload(hub, 'a', 'x'.repeat(1_000))).status).toBe(200);
    expect(onDisk(hub)).toHaveLength(1);
  });

  it('counts against a limit of its own', async () => {
    const hub = await startHub({ limits: { uploads: 1 } });
    expect((await upload(hub, 'a', 'x')).status).toBe(200);
    const { status, response } = await upload(hub, 'b', 'x');
    expect(status).toBe(429);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await hub.post('/edge/sync', {})).status).toBe(200);
  });

  it('comes back as it is told of when several with one guid came at once', async () => {
    const hub = await startHub();
    const contents = ['1', '22', '333', '4444', '55555', '666666'];
    const answers = await Promise.all(contents.map((content) => upload(hub, 'at_0_A', content)));
    expect(answers.filter(({ json }) => json.duplicate === undefined)).toHaveLength(1);
    const list = await fetch(`${hub.hub.url}/api/uploads`, asAdmin);
    const [{ sha256 }] = ((await list.json()) as { uploads: [{ sha256: string }] }).uploads;
    const content = await (await fetch(`${hub.hub.url}/api/uploads/at_0_A`, asAdmin)).text();
    expect(createHash('sha256').update(content).digest('hex')).toBe(sha256);
    await waitFor('the others to be gone', () => onDisk(hub).length === 1);
  });

  it.each([
    [
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nno end',
    ],
    ['multipart/form-data; boundary=b', '--b\r\nContent-Disposition: form-da'],
    ['multipart/form-data', 'without a boundary'],
  ])('is refused for good when its form is broken: %s %j', async (type, body) => {
    const hub = await startHub();
    const headers = { ...identity(AGENT), 'Content-Type': type };
    const { status } = await fetch(`${hub.hub.url}/photo/upload`, { method: 'POST', headers, body });
    expect(status).toBe(400);
    await waitFor('the file to be gone', () => onDisk(hub).length === 0);
  });

  it('leaves nothing when it breaks off', async () => {
    const hub = await startHub();
    const headers = { ...identity(AGENT), 'Content-Type': 'multipart/form-data; boundary=b', 'Content-Length': 10_000 };
    const sent = request(`${hub.hub.url}/photo/upload`, { method: 'POST', headers }).on('error', () => {});
    sent.write('--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nsome of it');
    await waitFor('the file to be begun', () => onDisk(hub).length === 1);
    sent.destroy();
    await waitFor('the file to be gone', () => onDisk(hub).length === 0);
  });
});

describe('the folder of uploads', () => {
  it('loses the oldest files first when it is full', async () => {
    const hub = await startHub({ uploads: { maxTotalBytes: 10 } });
    for (const guid of ['a', 'b', 'c']) await upload(hub, guid, '12345');
    expect(onDisk(hub)).toHaveLength(2);
    const left = await hub.hub.store.uploads(undefined, 10);
    expect(left.map(({ attachmentGuid }) => attachmentGuid)).toEqual(['c', 'b']);
  });

  it('is rid of what a crash left when the hub starts, and of nothing else', async () => {
    const dbPath = join(tempDir(), 'hub.db');
    const first = await startHub({ dbPath });
    await upload(first, 'a', 'kept');
    const [kept] = onDisk(first);
    await first.hub.stop();
    const dir = `${dbPath}.uploads`;
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, '00000000-0000-4000-8000-000000000000.part'), 'half');
    writeFileSync(join(dir, 'f'.repeat(64)), 'renamed, and no row yet');
    writeFileSync(join(dir, 'notes.txt'), 'the operator’s');
    const second = await startHub({ dbPath });
    expect(onDisk(second).sort()).toEqual([kept, 'notes.txt'].sort());
  });
});
