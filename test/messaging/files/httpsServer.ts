import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { tempDir } from '../../support/tempDir.ts';

/** The name under which a fetch finds the server: the lookup of the test makes it an address. */
export const HOST = 'files.example.com';

/** A key and a certificate for HOST that signs itself. */
export function selfSigned(): { key: string; cert: string } {
  const dir = tempDir();
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const names = `subjectAltName=DNS:${HOST},DNS:*.example.com,IP:127.0.0.1`;
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-nodes',
      ...curve,
      '-keyout',
      key,
      '-out',
      cert,
      '-days',
      '2',
      '-subj',
      `/CN=${HOST}`,
      '-addext',
      names,
    ],
    { stdio: 'pipe' },
  );
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}

/** A server of the test's own; returns its port. */
export async function httpsServer(pair: { key: string; cert: string }, listener: RequestListener): Promise<number> {
  const server = createServer(pair, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
