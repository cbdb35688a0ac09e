import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ControlServer, controlSocketPath } from '../../src/ops/ControlServer.ts';
import { controlRequest } from '../../src/ops/controlClient.ts';
import { MAX_BODY_BYTES, type Routes } from '../../src/ops/routes.ts';
import { EdgeError } from '../../src/util/EdgeError.ts';
import { tempDir } from '../support/tempDir.ts';

const ROUTES: Routes = {
  'GET /status': ({ query }) => ({ body: { running: true, q: query.get('q') } }),
  'POST /echo': ({ body }) => ({ body: { got: body } }),
  'POST /full': () => {
    throw new EdgeError('EDGE_STATE_FULL', 'disk full');
  },
  'POST /broken': () => {
    throw new Error('oops');
  },
};

async function serve(path = join(tempDir(), 'control.sock')): Promise<string> {
  const server = new ControlServer({ path, routes: ROUTES });
  await server.start();
  onTestFinished(() => server.stop());
  return path;
}

describe('the control socket', () => {
  it('answers JSON to this user alone', async () => {
    const socketPath = await serve();
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
    expect(await controlRequest({ socketPath, method: 'GET', path: '/status?q=1' })).toEqual({
      status: 200,
      body: { running: true, q: '1' },
    });
    const body = { text: 'Grüße 👋' };
    expect(await controlRequest({ socketPath, method: 'POST', path: '/echo', body })).toMatchObject({
      body: { got: body },
    });
  });

  it('answers what goes wrong with a code', async () => {
    const socketPath = await serve();
    const ask = async (method: 'GET' | 'POST', path: string, body?: object) =>
      controlRequest({ socketPath, method, path, ...(body && { body }) });
    expect(await ask('GET', '/nothing')).toMatchObject({ status: 404 });
    expect(await ask('POST', '/full')).toMatchObject({ status: 503, body: { error: { code: 'EDGE_STATE_FULL' } } });
    expect(await ask('POST', '/broken')).toMatchObject({ status: 500, body: { error: { code: 'EDGE_INTERNAL' } } });
    expect(await ask('POST', '/echo', { text: 'x'.repeat(MAX_BODY_BYTES) })).toMatchObject({ status: 413 });
  });

  it('frees itself from those who connect and say nothing', async () => {
    const socketPath = await serve();
    const silent = Array.from({ length: 100 }, () => connect(socketPath).on('error', () => {}));
    onTestFinished(() => silent.forEach((socket) => void socket.destroy()));
    await Promise.all(silent.map((socket) => once(socket, 'connect')));
    const status = () => controlRequest({ socketPath, method: 'GET', path: '/status' }).catch(() => undefined);
    expect(await status()).toBeUndefined();
    await vi.waitFor(async () => expect(await status()).toMatchObject({ status: 200 }), { timeout: 15_000 });
  }, 20_000);

  it('refuses what is no JSON', async () => {
    const socket = connect(await serve());
    socket.write('POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n{');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 400/);
    socket.destroy();
  });

  it('takes the place of a socket a killed agent left behind, and of nothing else', async () => {
    const path = join(tempDir(), 'control.sock');
    const leave = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', leave]);
    expect(existsSync(path)).toBe(true);
    await serve(path);
    expect((await controlRequest({ socketPath: path, method: 'GET', path: '/status' })).status).toBe(200);

    const file = join(tempDir(), 'control.sock');
    writeFileSync(file, 'not a socket');
    await expect(serve(file)).rejects.toMatchObject({ code: 'EDGE_STATE_DIR' });
    expect(existsSync(file)).toBe(true);
  });

  it('stops at once with a client still connected, and removes the socket', async () => {
    const path = join(tempDir(), 'control.sock');
    const server = new ControlServer({ path, routes: ROUTES });
    await server.start();
    const client = connect(path);
    await once(client, 'connect');
    client.on('error', () => {});
    await server.stop();
    expect(existsSync(path)).toBe(false);
    client.destroy();
  });

  it('has a name of its own elsewhere when the directory’s is too long for the system', async () => {
    const dir = join(tempDir(), 'x'.repeat(100));
    const path = controlSocketPath(dir);
    expect(Buffer.byteLength(path)).toBeLessThanOrEqual(103);
    expect(controlSocketPath(dir)).toBe(path);
    expect(controlSocketPath(`${dir}y`)).not.toBe(path);
    await serve(path);
    expect(controlSocketPath('/var/edge')).toBe('/var/edge/control.sock');
  });
});

describe('controlRequest', () => {
  it('tells nothing to a socket of another user', async () => {
    const socketPath = await serve();
    const getuid = vi.spyOn(process, 'getuid').mockReturnValue(12_345);
    onTestFinished(() => getuid.mockRestore());
    await expect(controlRequest({ socketPath, method: 'GET', path: '/status' })).rejects.toMatchObject({
      code: 'EDGE_NOT_RUNNING',
      message: `${socketPath} belongs to another user`,
    });
  });

  it('says that no agent runs when nobody listens', async () => {
    const socketPath = join(tempDir(), 'control.sock');
    await expect(controlRequest({ socketPath, method: 'GET', path: '/status' })).rejects.toMatchObject({
      code: 'EDGE_NOT_RUNNING',
    });
  });
});
