import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Network, type NetworkOptions } from '../../../src/backend/network/Network.ts';
import { authority, type KeyPair, pinOf, selfSigned } from '../../support/certificates.ts';
import { recordingTelemetry } from '../../support/recordingTelemetry.ts';
import { tempDir } from '../../support/tempDir.ts';
import { waitFor } from '../../support/waitFor.ts';
import { backendClient, errorOf, httpBackend, post } from '../httpServer.ts';
import { wsClient } from '../wsServer.ts';
import { caFile } from './caFile.ts';
import { tlsBackend } from './tlsBackend.ts';

afterEach(() => vi.unstubAllEnvs());

const NAMES = 'DNS:localhost,IP:127.0.0.1';

function rig(url: string, options: NetworkOptions = {}) {
  const { telemetry, calls } = recordingTelemetry();
  const network = new Network({ ...options, telemetry });
  const { client } = backendClient(url, { network });
  const told = (event: string) => calls.filter((call) => call.event === event).map(({ args }) => args);
  return { client, network, told };
}

describe('a certificate that is no good ends the connection before anything is sent', () => {
  const ca = () => authority();
  const cases: [string, string, () => { pair: KeyPair; options: NetworkOptions }][] = [
    [
      'expired',
      'EDGE_TLS_EXPIRED',
      () => {
        const own = ca();
        return { pair: own.issue(NAMES, [-3, -1]), options: { caFile: caFile(own.cert) } };
      },
    ],
    [
      'not valid yet',
      'EDGE_TLS_EXPIRED',
      () => {
        const own = ca();
        return { pair: own.issue(NAMES, [1, 3]), options: { caFile: caFile(own.cert) } };
      },
    ],
    ['self-signed', 'EDGE_TLS_UNTRUSTED', () => ({ pair: selfSigned(NAMES), options: {} })],
    ['signed by an unknown authority', 'EDGE_TLS_UNTRUSTED', () => ({ pair: ca().issue(NAMES), options: {} })],
    [
      'signed by another authority than that of the file',
      'EDGE_TLS_UNTRUSTED',
      () => ({ pair: ca().issue(NAMES), options: { caFile: caFile(ca().cert) } }),
    ],
    [
      'for another name',
      'EDGE_TLS_HOST',
      () => {
        const own = ca();
        return { pair: own.issue('DNS:other.example.com'), options: { caFile: caFile(own.cert) } };
      },
    ],
    [
      'of a key that is not pinned',
      'EDGE_TLS_PIN',
      () => {
        const own = ca();
        return {
          pair: own.issue(NAMES),
          options: { caFile: caFile(own.cert), pins: [pinOf(own.issue(NAMES)), pinOf(own.issue(NAMES))] },
        };
      },
    ],
  ];

  it.each(cases)('%s: %s', async (_what, code, make) => {
    const { pair, options } = make();
    const backend = await tlsBackend(pair);
    const { client, network, told } = rig(backend.url, options);
    expect(await errorOf(post(client, 'GUID-1'))).toMatchObject({ code, retry: 'backoff' });
    expect(told('conditionRaised').map(([raised]) => raised)).toEqual([code]);

    const socket = wsClient(backend.socketUrl, { network });
    socket.client.start();
    await socket.retryIn(1);
    expect(socket.argsOf('websocketError')).toHaveLength(1);
    expect(backend.received).toEqual([]);
  });

  it('also where the environment switches the checks of Node off', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const own = authority();
    const backend = await tlsBackend(own.issue(NAMES));
    const { client } = rig(backend.url);
    expect(await errorOf(post(client, 'GUID-1'))).toMatchObject({ code: 'EDGE_TLS_UNTRUSTED' });
    const pinned = rig(backend.url, { caFile: caFile(own.cert), pins: [pinOf(own.issue(NAMES))] });
    expect(await errorOf(post(pinned.client, 'GUID-1'))).toMatchObject({ code: 'EDGE_TLS_PIN' });
    expect(backend.received).toEqual([]);
  });

  it('and names the pin that it saw', async () => {
    const own = authority();
    const pair = own.issue(NAMES);
    const backend = await tlsBackend(pair);
    const { client } = rig(backend.url, { caFile: caFile(own.cert), pins: [pinOf(own.issue(NAMES))] });
    expect((await errorOf(post(client, 'GUID-1'))).message).toContain(pinOf(pair));
  });
});

describe('a server that speaks no TLS, or one too old', () => {
  it('is EDGE_TLS_FAILED: plain HTTP behind an https URL', async () => {
    const backend = await httpBackend((_request, response) => response.end('{}'));
    const { client } = rig(backend.url.replace('http:', 'https:'));
    expect(await errorOf(post(client, 'GUID-1'))).toMatchObject({ code: 'EDGE_TLS_FAILED' });
    expect(backend.received).toEqual([]);
  });

  it('is EDGE_TLS_FAILED: TLS 1.1', async () => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;
    const backend = await tlsBackend(selfSigned(NAMES), old);
    const { client } = rig(backend.url);
    expect(await errorOf(post(client, 'GUID-1'))).toMatchObject({ code: 'EDGE_TLS_FAILED' });
  });
});

describe('a certificate that is trusted', () => {
  it('carries messages and the socket: by the authority of the file, with the second of two pins', async () => {
    const own = authority();
    const pair = own.issue(NAMES);
    const backend = await tlsBackend(pair);
    const { client, network, told } = rig(backend.url, {
      caFile: caFile(own.cert),
      pins: [pinOf(own.issue(NAMES)), pinOf(pair)],
    });
    expect(await post(client, 'GUID-1')).toEqual({ should_respond: false });
    const socket = wsClient(backend.socketUrl, { network });
    socket.client.start();
    await socket.up();
    expect(told('conditionRaised')).toEqual([]);
  });

  it('uses one connection for request after request', async () => {
    const own = authority();
    const backend = await tlsBackend(own.issue(NAMES));
    let connections = 0;
    backend.server.on('secureConnection', () => connections++);
    const { client } = rig(backend.url, { caFile: caFile(own.cert) });
    for (let i = 0; i < 3; i++) await post(client, `GUID-${i}`);
    expect(connections).toBe(1);
  });
});

describe('a certificate that is replaced while the agent runs', () => {
  it('fails closed, and is trusted as soon as the file has its authority', async () => {
    const [before, after] = [authority(), authority()];
    const path = caFile(before.cert);
    const backend = await tlsBackend(before.issue(NAMES));
    const { client, told } = rig(backend.url, { caFile: path });
    await post(client, 'GUID-1');

    backend.server.setSecureContext(after.issue(NAMES));
    backend.server.closeIdleConnections();
    await waitFor('the new certificate', async () => {
      const failed = await post(client, 'GUID-2').then(
        () => undefined,
        (error: { code: string }) => error.code,
      );
      return failed === 'EDGE_TLS_UNTRUSTED';
    });
    expect(told('conditionRaised').map(([code]) => code)).toEqual(['EDGE_TLS_UNTRUSTED']);

    writeFileSync(path, `${before.cert}\n${after.cert}`);
    await post(client, 'GUID-3');
    expect(told('conditionCleared')).toContainEqual(['EDGE_TLS_UNTRUSTED']);
  });

  it('is checked on every new connection, though the session could be resumed', async () => {
    const own = authority();
    const path = caFile(own.cert);
    const backend = await tlsBackend(own.issue(NAMES));
    const { client } = rig(backend.url, { caFile: path });
    await post(client, 'GUID-1');
    backend.server.closeIdleConnections();
    writeFileSync(path, authority().cert);
    await waitFor('a refusal', () =>
      post(client, 'GUID-2').then(
        () => backend.server.closeIdleConnections() as undefined,
        (error: { code: string }) => error.code === 'EDGE_TLS_UNTRUSTED',
      ),
    );
  });
});

describe('a CA file that cannot be used', () => {
  const rows: [string, (path: string) => void][] = [
    ['is not there', () => {}],
    ['holds no certificate', (path) => writeFileSync(path, 'hello')],
    [
      'holds a broken certificate',
      (path) => writeFileSync(path, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'),
    ],
    ['is too large', (path) => writeFileSync(path, 'x'.repeat(1024 * 1024 + 1))],
  ];
  it.each(rows)('is told when it %s, and no more once it is mended', async (_what, spoil) => {
    const own = authority();
    const backend = await tlsBackend(own.issue(NAMES));
    const path = join(tempDir(), 'ca.pem');
    spoil(path);
    const { client, network, told } = rig(backend.url, { caFile: path });
    network.start([backend.url]);
    expect(told('conditionRaised')).toEqual([['EDGE_CA_FILE', expect.stringContaining(path)]]);
    expect(await errorOf(post(client, 'GUID-1'))).toMatchObject({ code: 'EDGE_TLS_UNTRUSTED' });

    writeFileSync(path, own.cert);
    await post(client, 'GUID-2');
    expect(told('conditionCleared')).toContainEqual(['EDGE_CA_FILE']);
  });

  it('is told when it is a folder', () => {
    const { network, told } = rig('https://127.0.0.1:9', { caFile: tempDir() });
    network.start(['https://127.0.0.1:9']);
    expect(told('conditionRaised')).toEqual([['EDGE_CA_FILE', expect.stringContaining('not a file')]]);
  });
});
