import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { authority } from '../support/certificates.ts';
import { type ConnectProxyOptions, connectProxy } from '../support/connectProxy.ts';
import { tempDir } from '../support/tempDir.ts';
import { waitFor } from '../support/waitFor.ts';
import { DoorRig } from './DoorRig.ts';

/** Known to the proxy alone. */
const HOST = 'backend.invalid';

async function startBehind(options: ConnectProxyOptions = {}) {
  const proxy = await connectProxy(options);
  const own = authority();
  const caFile = join(tempDir(), 'ca.pem');
  writeFileSync(caFile, own.cert);
  const system = await DoorRig.start({
    agent: false,
    host: HOST,
    tls: own.issue(`DNS:${HOST}`),
    env: { HTTPS_PROXY: proxy.url.replace('//', '//agent:a-password@'), NO_PROXY: '' },
    config: { backend: { ca_file: caFile } },
  });
  return { system, proxy };
}

it('H14 works through a proxy, socket and all', async () => {
  const { system, proxy } = await startBehind();
  await system.startAgent();
  system.write('through the proxy');
  await system.settled();
  expect(new Set(proxy.connects.map(({ url }) => url)).size).toBe(2);
  expect(system.agent.log).not.toContain('a-password');
});

it.each([
  [407, 'EDGE_PROXY_AUTH'],
  [403, 'EDGE_PROXY_FAILED'],
  [502, 'EDGE_PROXY_FAILED'],
])(
  'H14 says that it is the proxy that answers %i, keeps the secret to itself, and goes on when it lets it through',
  async (status, code) => {
    let refuses = true;
    const { system } = await startBehind({
      refuse(_request, socket) {
        if (refuses) socket.end(`HTTP/1.1 ${status} Told\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
        return refuses;
      },
    });
    await system.startAgent({ withSocket: false });
    system.write('waits for the proxy');
    const { conditions } = await system.agent.ready(({ conditions }) => conditions.some((one) => one.code === code));
    expect(conditions.map((one) => one.code)).not.toContain('EDGE_BACKEND_AUTH');
    refuses = false;
    await system.passUntil('another try', () => system.taken.size > 0, { stepMs: 5_000, mostMs: 400_000 });
    await system.settled();
    expect(system.agent.log).not.toContain('a-password');
  },
);

it('H14 names the proxy that died', async () => {
  const { system, proxy } = await startBehind();
  await system.startAgent();
  proxy.close();
  system.write('after its death');
  await system.agent.ready(({ conditions }) => conditions.some((one) => one.code === 'EDGE_PROXY_FAILED'));
  await waitFor('the socket to be gone', async () => !(await system.agent.status()).websocket.up);
  expect(system.agent.isRunning).toBe(true);
  expect(system.taken.size).toBe(0);
});
