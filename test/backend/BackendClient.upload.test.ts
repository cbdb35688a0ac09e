import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { UploadFile } from '../../src/backend/multipart.ts';
import { waitFor } from '../support/waitFor.ts';
import { AGENT_ID, backendClient, errorOf, httpBackend, listen, SECRET } from './httpServer.ts';

const file = (content: string, change: Partial<UploadFile> = {}): UploadFile => ({
  attachmentGuid: 'at_0_A',
  messageGuid: 'M1',
  threadId: '+15550100002',
  name: 'ü "x".heic',
  mimeType: 'image/heic',
  sizeBytes: Buffer.byteLength(content),
  open: () => Readable.from([Buffer.from(content)]),
  ...change,
});

/** Parses what came as a web server would. */
async function formOf({ headers, body }: { headers: Record<string, unknown>; body: string }) {
  const form = await new Response(body, { headers: { 'content-type': String(headers['content-type']) } }).formData();
  return Object.fromEntries(form.entries());
}

describe('an upload', () => {
  it('is a form with the fields before the file, its length told and its guid as key', async () => {
    const backend = await httpBackend((_request, response) => response.writeHead(200).end('anything'));
    const { client } = backendClient(backend.url);
    await client.upload('/photo/upload', file('the file'));
    const [posted] = backend.received;
    expect(posted).toMatchObject({
      path: '/photo/upload',
      headers: { authorization: `Bearer ${SECRET}`, 'x-edge-agent-id': AGENT_ID, 'idempotency-key': 'at_0_A' },
    });
    expect(Number(posted!.headers['content-length'])).toBe(Buffer.byteLength(posted!.body));
    const { file: sent, ...fields } = await formOf(posted!);
    expect(fields).toEqual({
      attachment_guid: 'at_0_A',
      message_guid: 'M1',
      thread_id: '+15550100002',
      name: 'ü "x".heic',
      mime_type: 'image/heic',
      size_bytes: '8',
    });
    expect(await (sent as File).text()).toBe('the file');
    expect((sent as File).type).toBe('image/heic');
  });

  it('takes nothing of a name or type as a header of its own', async () => {
    const backend = await httpBackend((_request, response) => response.writeHead(200).end());
    const { client } = backendClient(backend.url);
    const hostile = { name: 'a"\r\nX-Evil: 1\r\n\r\n', mimeType: 'text/html\r\nX-Evil: 2' };
    await client.upload('/photo/upload', file('', hostile));
    expect(backend.received[0]!.body).toContain(
      'filename="a%22%0D%0AX-Evil: 1%0D%0A%0D%0A"\r\nContent-Type: application/octet-stream',
    );
  });

  it('is done with a 409 and fails with the code of any other refusal', async () => {
    const statuses = [409, 404, 413, 503];
    const backend = await httpBackend((_request, response) => response.writeHead(statuses.shift()!).end());
    const { client } = backendClient(backend.url);
    const post = () => client.upload('/photo/upload', file('x'));
    expect(await post()).toBeUndefined();
    expect(await errorOf(post())).toMatchObject({ code: 'EDGE_BACKEND_NOT_FOUND' });
    expect(await errorOf(post())).toMatchObject({ code: 'EDGE_BACKEND_REJECTED', status: 413 });
    expect(await errorOf(post())).toMatchObject({ code: 'EDGE_BACKEND_BUSY' });
  });

  it.each([3, 20])('fails when the file has not the %i bytes it had when it was opened', async (sizeBytes) => {
    const server = createServer((request) => request.on('error', () => {}).resume());
    const { client } = backendClient(`http://127.0.0.1:${await listen(server)}`);
    expect(await errorOf(client.upload('/photo/upload', file('12345678', { sizeBytes })))).toMatchObject({
      code: 'EDGE_BACKEND_UNREACHABLE',
      message: expect.stringContaining('changed while it was read'),
    });
  });

  it('reads no more of a large file than the backend takes', async () => {
    const server = createServer((request) => request.on('error', () => {}).pause());
    const { client } = backendClient(`http://127.0.0.1:${await listen(server)}`);
    const chunk = Buffer.alloc(65_536);
    const total = 4_096;
    let read = 0;
    const open = () =>
      Readable.from(
        (function* () {
          for (; read < total; read++) yield chunk;
        })(),
      );
    const posting = errorOf(client.upload('/photo/upload', file('', { sizeBytes: total * chunk.length, open })));
    await waitFor('the file to be begun', () => read > 0);
    for (let turn = 0; turn < 500; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(read).toBeLessThan(total / 2);
    client.close();
    expect(await posting).toMatchObject({ code: 'EDGE_BACKEND_UNREACHABLE' });
  });
});
