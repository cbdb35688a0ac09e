import { afterEach, describe, expect, it, vi } from 'vitest';
import { CAUSES } from '../../../src/backend/diagnosis/causeTexts.ts';
import { Network } from '../../../src/backend/network/Network.ts';
import { authority, pinOf, selfSigned } from '../../support/certificates.ts';
import { connectProxy } from '../../support/connectProxy.ts';
import { caFile } from '../network/caFile.ts';
import { faultyBackend, refuse, walk } from './faultyBackend.ts';

/** A name that only the proxy knows. */
const HOST = 'backend.invalid';

afterEach(() => vi.unstubAllEnvs());

describe('TLS', () => {
  it('is walked with the authorities and pins of the agent, and tells whose certificate it is', async () => {
    const own = authority();
    const pair = own.issue('IP:127.0.0.1', [-1, 60]);
    const { url } = await faultyBackend({}, pair);
    const network = new Network({ caFile: caFile(own.cert), pins: [pinOf(pair)] });
    const { statuses, of } = await walk(url, { network });
    expect(statuses.slice(0, 6)).toEqual([
      'dns pass',
      'tcp pass',
      'tls pass',
      'health pass',
      'sync pass',
      'upgrade pass',
    ]);
    expect(of('tls').text).toMatch(/^TLSv1\.3; the certificate of .* is valid until /);
  });

  it('warns of a certificate that ends within two weeks', async () => {
    const own = authority();
    const { url } = await faultyBackend({}, own.issue('IP:127.0.0.1', [-1, 13]));
    const { of } = await walk(url, { network: new Network({ caFile: caFile(own.cert) }) });
    expect(of('tls')).toMatchObject({ status: 'warn', fix: expect.stringContaining('renewed') });
  });

  it('ends where nobody here trusts the certificate, and before the secret was sent', async () => {
    const { url, requests } = await faultyBackend({}, selfSigned('IP:127.0.0.1'));
    const { statuses, of } = await walk(url);
    expect(statuses.slice(2, 6)).toEqual(['tls fail', 'health skipped', 'sync skipped', 'upgrade skipped']);
    expect(of('tls')).toMatchObject({ text: expect.stringMatching(/^EDGE_TLS_UNTRUSTED/) });
    expect(of('tls').causes[0]).toBe(CAUSES['tls-chain'].text);
    expect(requests).toEqual([]);
  });

  it('ends at a certificate for another name, and at another key than the pinned', async () => {
    const own = authority();
    const ca = caFile(own.cert);
    const elsewhere = await faultyBackend({}, own.issue('DNS:other.example.com'));
    const named = (await walk(elsewhere.url, { network: new Network({ caFile: ca }) })).of('tls');
    expect(named.causes[0]).toBe(CAUSES['tls-host'].text);
    const { url } = await faultyBackend({}, own.issue('IP:127.0.0.1'));
    const pins = [pinOf(selfSigned('IP:127.0.0.1'))];
    const pinned = (await walk(url, { network: new Network({ caFile: ca, pins }) })).of('tls');
    expect(pinned).toMatchObject({ status: 'fail', text: expect.stringMatching(/^EDGE_TLS_PIN/) });
  });

  it('is missed where the secret crosses a network without it', async () => {
    const proxy = await connectProxy();
    const { url } = await faultyBackend();
    const { of } = await walk(url.replace('127.0.0.1', HOST), { network: new Network({ proxyUrl: proxy.url }) });
    expect(of('tls')).toMatchObject({ status: 'warn', text: expect.stringContaining('in the clear') });
    expect(of('sync').status).toBe('pass');
  });
});

describe('a proxy', () => {
  it('is what DNS and TCP lead to; the rest goes through it', async () => {
    const own = authority();
    const proxy = await connectProxy();
    const { url } = await faultyBackend({}, own.issue(`DNS:${HOST}`));
    const network = new Network({ caFile: caFile(own.cert), proxyUrl: proxy.url });
    const { of } = await walk(url.replace('127.0.0.1', HOST), { network });
    const { host } = new URL(proxy.url);
    expect([of('dns').target, of('tcp').target]).toEqual([`${host} (the proxy)`, `${host} (the proxy)`]);
    expect([of('tls').status, of('sync').status, of('upgrade').status, of('ping').status]).not.toContain('fail');
  });

  it('that wants a password is told from a backend that does', async () => {
    const proxy = await connectProxy({
      refuse: (_request, socket) => {
        socket.write('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
        return true;
      },
    });
    const network = new Network({ proxyUrl: proxy.url });
    const { of } = await walk(`https://${HOST}`, { network });
    expect(of('tls')).toMatchObject({ status: 'fail', text: expect.stringMatching(/^EDGE_PROXY_AUTH/) });
    expect(of('tls').causes).toEqual([CAUSES['proxy-auth'].text]);
    expect(of('sync').status).toBe('skipped');
  });

  it('that connects in word only, and answers itself, is what is suspected', async () => {
    const proxy = await connectProxy({
      refuse(_request, socket) {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.end('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>log in');
        return true;
      },
    });
    const { of } = await walk('https://backend.invalid', { network: new Network({ proxyUrl: proxy.url }) });
    expect(of('tls').received?.error?.code).toBe('EDGE_TLS_FAILED');
    expect(of('tls').causes[0]).toBe(CAUSES['proxy-speaks'].text);
    expect(of('sync').status).toBe('skipped');
  });

  it('that is not there, or has no name, is not blamed on the backend', async () => {
    const proxy = await connectProxy();
    proxy.close();
    const { of } = await walk(`https://${HOST}`, { network: new Network({ proxyUrl: proxy.url }) });
    expect(of('tcp')).toMatchObject({
      status: 'fail',
      text: expect.stringMatching(/^EDGE_PROXY_FAILED: .*ECONNREFUSED/),
    });
    expect(of('tcp').causes[0]).toBe(CAUSES['proxy-refuses'].text);
    expect(of('tcp').ask).toEqual([]);
    const nameless = await walk(`https://${HOST}`, { network: new Network({ proxyUrl: 'http://proxy.invalid:3128' }) });
    expect(nameless.of('dns').causes[0]).toBe(CAUSES['proxy-name'].text);
    expect(nameless.of('dns').ask).toEqual([]);
  });

  it('is suspected where an upgrade is refused behind it', async () => {
    const proxy = await connectProxy();
    const { url } = await faultyBackend({ upgrade: (socket) => refuse(socket, 403, { Via: '1.1 squid' }, 'denied') });
    const network = new Network({ proxyUrl: proxy.url });
    const { of } = await walk(url.replace('127.0.0.1', HOST), { network });
    expect(of('upgrade').causes[0]).toBe(CAUSES['upgrade-blocked'].text);
    expect(of('upgrade').received?.headers).toMatchObject({ via: '1.1 squid' });
  });

  it('that is no URL ends the way before it begins, and its password is not shown', async () => {
    vi.stubEnv('HTTPS_PROXY', 'socks://user:canary@127.0.0.1:1');
    const { steps, statuses } = await walk(`https://${HOST}`);
    expect(statuses.slice(0, 4)).toEqual(['dns fail', 'tcp skipped', 'tls skipped', 'health skipped']);
    expect(steps[0]?.received?.error?.code).toBe('EDGE_PROXY_FAILED');
    expect(JSON.stringify(steps)).not.toContain('canary');
  });
});
