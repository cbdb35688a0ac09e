import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that Linux and macOS give to whoever asks for any: nobody else gets it before it is bound again. */
const FIRST = 20_000;
const COUNT = 10_000;

/** A port of 127.0.0.1 for a server that must be told its port before it is started. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    server.close();
    if (isFree) return port;
  }
}
