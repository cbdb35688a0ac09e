import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FaultProxy } from '../../../scripts/rig/FaultProxy.ts';
import { selfSigned } from '../../messaging/files/httpsServer.ts';
import { waitFor } from '../../support/waitFor.ts';

/** A proxy before a server that remembers what it gets and says `echo:` and the same again. */
async function stage(options: ConstructorParameters<typeof FaultProxy>[0] = {}) {
  const heard: string[] = [];
  const peers: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    peers.push(socket);
    socket.on('error', () => {}).on('end', () => socket.end('over'));
    socket.on('data', (bytes) => {
      heard.push(String(bytes));
      socket.write(`echo:${bytes}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy = new FaultProxy({ target: (server.address() as AddressInfo).port, ...options });
  await proxy.start();
  onTestFinished(async () => {
    await proxy.stop();
    for (const peer of peers) peer.destroy();
    server.close();
  });
  const dial = async () => {
    const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => {});
    await once(socket, 'connect');
    return socket;
  };
  return { proxy, heard, peers, dial };
}

async function said(socket: Socket): Promise<string> {
  return String((await once(socket, 'data'))[0]);
}

describe('FaultProxy', () => {
  it('carries bytes and ends both ways, and counts them', async () => {
    const { proxy, dial } = await stage();
    const client = await dial();
    client.write('hello');
    expect(await said(client)).toBe('echo:hello');
    client.end();
    expect(await text(client)).toBe('over');
    await waitFor('the connection to be forgotten', () => proxy.open === 0);
    expect(proxy.counters).toEqual({ accepted: 1, turnedAway: 0, up: 5, down: 14, swallowed: 0 });
  });

  it('delays, cuts into pieces and keeps the order', async () => {
    const { proxy, heard, dial } = await stage();
    proxy.degrade({ latencyMs: 20, jitterMs: 20, slice: { bytes: 1, everyMs: 2 } }, 'up');
    const client = await dial();
    const from = performance.now();
    client.write('abcdefghij');
    await waitFor('all of it', () => heard.join('').length === 10);
    expect(performance.now() - from).toBeGreaterThan(38);
    expect(heard.join('')).toBe('abcdefghij');
    expect(heard.length).toBeGreaterThan(2);
  });

  it('limits the speed, and lets go of what it held when it is made sound', async () => {
    const { proxy, heard, dial } = await stage();
    const client = await dial();
    proxy.degrade({ bytesPerSecond: 4096 }, 'up');
    client.write(Buffer.alloc(1024 * 1024, 'x'));
    await waitFor('the first piece', () => heard.length > 0);
    expect(heard.join('').length).toBeLessThan(64 * 1024);
    proxy.mend();
    await waitFor('the rest', () => heard.join('').length === 1024 * 1024);
  });

  it('swallows one way, for the open connections or for those to come', async () => {
    const { proxy, heard, dial } = await stage();
    const first = await dial();
    first.write('1');
    await said(first);
    proxy.degrade({ isSwallowing: true }, 'down', 'open');
    first.write('2');
    await waitFor('the second', () => heard.length === 2);
    const second = await dial();
    second.write('3');
    expect(await said(second)).toBe('echo:3');
    proxy.degrade({ isSwallowing: true }, 'up', 'new');
    const third = await dial();
    third.write('4');
    second.write('5');
    expect(await said(second)).toBe('echo:5');
    expect(heard).not.toContain('4');
    await waitFor('what was swallowed', () => proxy.counters.swallowed === 'echo:2'.length + 1);
    proxy.mend();
    await waitFor('the end of what lost bytes', () => first.destroyed && third.destroyed);
    expect(second.destroyed).toBe(false);
    second.write('6');
    expect(await said(second)).toBe('echo:6');
  });

  it('tells nobody of an end or a reset in a black hole', async () => {
    const { proxy, peers, dial } = await stage();
    const client = await dial();
    client.write('1');
    await said(client);
    proxy.blackHole();
    client.resetAndDestroy();
    await waitFor('the end of one side', () => client.destroyed);
    const other = await dial();
    other.write('2');
    await waitFor('the loss', () => proxy.counters.swallowed === 1);
    expect(peers[0]!.destroyed).toBe(false);
    proxy.mend();
    await waitFor('the end of the other', () => peers[0]!.destroyed);
  });

  it('is cut and mended, silent at the door, and shut', async () => {
    const { proxy, dial } = await stage();
    const client = await dial();
    client.write('1');
    await said(client);
    let error: NodeJS.ErrnoException | undefined;
    client.on('error', (told) => {
      error = told;
    });
    proxy.cut();
    await waitFor('the end', () => client.destroyed);
    expect(error?.code).toBe('ECONNRESET');
    // The reset may come before or after the dialing socket knows that it is connected.
    const refused = connect(proxy.port, '127.0.0.1').on('error', () => {});
    await waitFor('the reset', () => refused.destroyed);
    proxy.mend();
    proxy.door = 'silent';
    const ignored = await dial();
    ignored.write('2');
    await waitFor('the door', () => proxy.counters.turnedAway === 2);
    expect(proxy.open).toBe(0);
    proxy.mend();
    await waitFor('the end of the silence', () => ignored.destroyed);
    proxy.shut();
    await expect(dial()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await proxy.start();
    const last = await dial();
    last.write('3');
    expect(await said(last)).toBe('echo:3');
  });

  it('speaks TLS to the client, and is reset there too', async () => {
    const { proxy } = await stage({ tls: selfSigned() });
    const dialed = () =>
      connectTls({ port: proxy.port, host: '127.0.0.1', rejectUnauthorized: false }).on('error', () => {});
    const client = dialed();
    client.write('1');
    expect(await said(client)).toBe('echo:1');
    proxy.reset();
    await waitFor('the end', () => client.destroyed && proxy.open === 0);
    proxy.tls = undefined;
    const plain = dialed();
    await waitFor('the misunderstanding', () => plain.destroyed);
  });

  it('ends one direction while the other goes on', async () => {
    const { proxy, peers, dial } = await stage();
    const client = await dial();
    client.write('1');
    await said(client);
    proxy.halfClose('down');
    await once(client, 'end');
    client.write('2');
    await waitFor('the bytes', () => peers[0]!.bytesRead === 2);
  });
});
