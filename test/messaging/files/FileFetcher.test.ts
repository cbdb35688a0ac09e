import { type FileHandle, open, readFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import type { LookupFunction } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FileFetcher } from '../../../src/messaging/files/FileFetcher.ts';
import { urlFlaw } from '../../../src/messaging/files/fileUrl.ts';
import { ownNetworks } from '../../../src/messaging/files/ownNetworks.ts';
import { systemClock } from '../../../src/util/Clock.ts';
import { tempDir } from '../../support/tempDir.ts';
import { HOST, httpsServer, selfSigned } from './httpsServer.ts';
import { PNG } from './samples.ts';

/** Resolves every name to these, as a DNS server of an attacker's may. */
function resolvingTo(...answers: string[]): LookupFunction & { asked: string[] } {
  const asked: string[] = [];
  const lookup: LookupFunction = (hostname, options, done) => {
    asked.push(hostname);
    const addresses = answers.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    if (options.all) done(null, addresses);
    else done(null, addresses[0]!.address, addresses[0]!.family);
  };
  return Object.assign(lookup, { asked });
}

function at(cidr: string): NetworkInterfaceInfo {
  const common = { address: cidr.split('/')[0]!, netmask: '', mac: '', internal: false, cidr };
  return cidr.includes(':') ? { ...common, family: 'IPv6', scopeid: 0 } : { ...common, family: 'IPv4' };
}

async function rig(listener: RequestListener, o: { totalMs?: number; idleMs?: number; isPublic?: boolean } = {}) {
  const pair = selfSigned();
  const port = await httpsServer(pair, listener);
  const lookup = resolvingTo('127.0.0.1');
  const { isPublic = true, ...times } = o;
  const allowances = { ca: pair.cert, lookup, ...(isPublic && { addresses: ['127.0.0.1'] }) };
  const fetcher = new FileFetcher({ clock: systemClock, ...times, allowances });
  return {
    base: `https://${HOST}:${port}`,
    lookup,
    fetch: (url: string, maxBytes?: number) => run(fetcher, url, maxBytes),
  };
}

async function run(fetcher: FileFetcher, url: string, maxBytes = 1000): Promise<Buffer> {
  const path = join(tempDir(), 'file');
  const file: FileHandle = await open(path, 'wx+');
  onTestFinished(() => file.close());
  await fetcher.fetch(url, file, { maxBytes, signal: new AbortController().signal });
  return readFile(path);
}

const refused = (detail: RegExp) =>
  expect.objectContaining({ code: 'EDGE_FILE_REFUSED', message: expect.stringMatching(detail) });
const later = (detail: RegExp) =>
  expect.objectContaining({ code: 'EDGE_FILE_FETCH', message: expect.stringMatching(detail) });

describe('FileFetcher', () => {
  it('writes what is there, and tells the server nothing but what it wants', async () => {
    let headers: object = {};
    const { base, fetch } = await rig((request, response) => {
      headers = request.headers;
      response.setHeader('set-cookie', 'a=b');
      response.end(PNG);
    });
    expect(await fetch(`${base}/a.png?token=x`)).toEqual(PNG);
    expect(Object.keys(headers).sort()).toEqual(['accept', 'accept-encoding', 'connection', 'host', 'user-agent']);
  });

  it('follows five redirects, without a cookie, and not a sixth', async () => {
    const cookies: unknown[] = [];
    const { base, fetch } = await rig((request, response) => {
      cookies.push(request.headers.cookie);
      const left = Number(request.url!.slice(1));
      if (left === 0) response.end(PNG);
      else response.writeHead(302, { location: `/${left - 1}`, 'set-cookie': 'a=b' }).end();
    });
    expect(await fetch(`${base}/5`)).toEqual(PNG);
    expect(cookies).toEqual(Array(6).fill(undefined));
    await expect(fetch(`${base}/6`)).rejects.toEqual(refused(/more than 5 times/));
  });

  it('ends a loop of redirects', async () => {
    const { base, fetch } = await rig((_request, response) => void response.writeHead(307, { location: '/' }).end());
    await expect(fetch(base)).rejects.toEqual(refused(/more than 5 times/));
  });

  it.each([
    ['http://files.example.com/', /http:/],
    ['file:///etc/passwd', /file:/],
    ['https://localhost/', /local network/],
    ['https://me:secret@files.example.com/', /user name/],
    ['https://10.0.0.1/', /not public/],
    ['https://169.254.169.254/latest/meta-data/', /not public/],
    ['https://[::ffff:192.168.0.1]/', /not public/],
  ])('does not follow a redirect to %s', async (location, why) => {
    const { base, fetch } = await rig((_request, response) => void response.writeHead(301, { location }).end());
    await expect(fetch(base)).rejects.toEqual(refused(why));
  });

  it('refuses a redirect that leads nowhere', async () => {
    const { base, fetch } = await rig((_request, response) => void response.writeHead(302).end());
    await expect(fetch(base)).rejects.toEqual(refused(/302 without an address/));
  });

  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '192.168.1.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:10.0.0.1',
    '64:ff9b::a00:1',
    '2002:a00:1::',
    'fc00::1',
    'fd12:3456::1',
    'fe80::1',
    'fec0::1',
    'ff02::1',
  ])('does not connect to a name that is %s when it is connected to', async (address) => {
    let asked = 0;
    const pair = selfSigned();
    const port = await httpsServer(pair, (_request, response) => {
      asked += 1;
      response.end(PNG);
    });
    // One good address among them is no excuse: the connection might go to the other.
    const lookup = resolvingTo('93.184.216.34', address);
    const fetcher = new FileFetcher({ clock: systemClock, allowances: { ca: pair.cert, lookup } });
    await expect(run(fetcher, `https://${HOST}:${port}/`)).rejects.toEqual(refused(/not public/));
    expect(lookup.asked).toEqual([HOST]);
    expect(asked).toBe(0);
  });

  it.each([
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://[::1]/',
    'https://[::ffff:7f00:1]/',
  ])('does not connect to %s', async (url) => {
    await expect(run(new FileFetcher({ clock: systemClock }), url)).rejects.toEqual(refused(/not public/));
  });

  it('does not go to a host whose certificate nobody vouches for', async () => {
    const port = await httpsServer(selfSigned(), (_request, response) => void response.end(PNG));
    const allowances = { lookup: resolvingTo('127.0.0.1'), addresses: ['127.0.0.1'] };
    const fetcher = new FileFetcher({ clock: systemClock, allowances });
    await expect(run(fetcher, `https://${HOST}:${port}/`)).rejects.toEqual(later(/certificate/));
  });

  it('refuses a file that is announced to be too large before a byte of it comes', async () => {
    const { base, fetch } = await rig((_request, response) => {
      response.writeHead(200, { 'content-length': '1001' });
      response.write('x');
    });
    await expect(fetch(base)).rejects.toEqual(refused(/larger than attachments.max_send_bytes, 1000/));
  });

  it('stops a body without end at the limit', async () => {
    let closed = false;
    const { base, fetch } = await rig((_request, response) => {
      const pour = () => response.write(Buffer.alloc(256, 120), (error) => !error && setImmediate(pour));
      response.on('close', () => {
        closed = true;
      });
      pour();
    });
    await expect(fetch(base)).rejects.toEqual(refused(/larger/));
    await expect.poll(() => closed).toBe(true);
  });

  it('takes a body that ends before its announced length for one that broke off', async () => {
    const { base, fetch } = await rig((_request, response) => {
      response.writeHead(200, { 'content-length': '500' });
      response.write('half', () => response.destroy());
    });
    await expect(fetch(base)).rejects.toEqual(later(/./));
  });

  it('gives up a server that says nothing, and one that drips', async () => {
    const silent = await rig(() => {}, { idleMs: 50 });
    await expect(silent.fetch(silent.base)).rejects.toEqual(later(/nothing came/));
    const slow = await rig(
      (_request, response) => {
        const drip = setInterval(() => response.write('x'), 10);
        response.on('close', () => clearInterval(drip));
      },
      { idleMs: 5000, totalMs: 200 },
    );
    await expect(slow.fetch(slow.base)).rejects.toEqual(later(/longer than 0.2 s/));
  });

  it('does not unpack what comes packed', async () => {
    const packed = gzipSync(Buffer.alloc(100_000));
    const { base, fetch } = await rig((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed);
    });
    expect(await fetch(base)).toEqual(packed);
  });

  it.each([500, 502, 503, 429, 408])('asks to come again when the server answers %i', async (status) => {
    const { base, fetch } = await rig((_request, response) => void response.writeHead(status).end());
    await expect(fetch(base)).rejects.toEqual(later(new RegExp(`${status}`)));
  });

  it.each([400, 401, 403, 404, 410, 204, 206, 304])('gives up when the server answers %i', async (status) => {
    const { base, fetch } = await rig((_request, response) => void response.writeHead(status).end());
    await expect(fetch(base)).rejects.toEqual(refused(new RegExp(`${status}`)));
  });

  it.each(['2001:4860:1:2::99', '203.0.112.9', '::7f00:1', '::a00:1', '100:0:0:1::1', '4000::1'])(
    'does not connect to %s in the network of this machine or in none, by name or as it is',
    async (address) => {
      const isOwnNetwork = ownNetworks({
        en0: [at('203.0.112.2/24'), at('2001:4860:1:2:abcd::2/64'), at('10.0.0.2/8')],
        utun0: [at('198.51.0.1/0')],
      });
      const lookup = resolvingTo('93.184.216.34', address);
      const fetcher = new FileFetcher({ clock: systemClock, allowances: { lookup, isOwnNetwork } });
      await expect(run(fetcher, `https://${HOST}/`)).rejects.toEqual(refused(/not public/));
      const literal = address.includes(':') ? `[${address}]` : address;
      await expect(run(fetcher, `https://${literal}/`)).rejects.toEqual(refused(/not public/));
      expect(isOwnNetwork('93.184.216.34') || isOwnNetwork('2606:2800:220::1')).toBe(false);
    },
  );

  it('gives up a server that wants to speak another protocol', async () => {
    const { base, fetch } = await rig((request) => {
      request.socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    });
    await expect(fetch(base)).rejects.toEqual(refused(/answers 101/));
  });

  it('asks to come again when nobody listens', async () => {
    const { base, fetch } = await rig(() => {});
    await expect(fetch(base.replace(/:\d+$/, ':1'))).rejects.toEqual(later(/ECONNREFUSED/));
  });
});

describe('a URL', () => {
  it.each([
    'http://files.example.com/a',
    'file:///etc/passwd',
    'ftp://files.example.com/',
    'data:image/png;base64,AAAA',
    'javascript:alert(1)',
    'https://user:pw@files.example.com/',
    'https://user@files.example.com/',
    'https://localhost/',
    'https://localhost./',
    'https://LOCALHOST:8443/',
    'https://a.localhost/',
    'https://mac-mini.local/',
    'https://mac-mini.local./',
    'https://router/',
    'https://metadata.google.internal/',
    'https://',
    'not a url',
  ])('is refused by its looks: %s', (url) => {
    expect(urlFlaw(url)).toBeDefined();
  });

  it('is accepted when it is https and names a host of the internet', () => {
    for (const url of [
      'https://files.example.com/a.png?x=1#y',
      'HTTPS://FILES.EXAMPLE.COM:8443/',
      'https://93.184.216.34/',
    ]) {
      expect(urlFlaw(url)).toBeUndefined();
    }
  });
});
