import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { type KeyPair, selfSigned as selfSignedFor } from '../../support/certificates.ts';

/** The name under which a fetch finds the server: the lookup of the test makes it an address. */
export const HOST = 'files.example.com';

/** A key and a certificate for HOST that signs itself. */
export const selfSigned = () => selfSignedFor(`DNS:${HOST},DNS:*.example.com,IP:127.0.0.1`);

/** A server of the test's own; returns its port. */
export async function httpsServer(pair: KeyPair, listener: RequestListener): Promise<number> {
  const server = createServer(pair, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
