import { describe, expect, it } from 'vitest';
import { wsBackend, wsClient } from '../wsServer.ts';

describe('a redirect of the handshake', () => {
  it.each([301, 302, 303, 307, 308])('%i is not followed: the secret stays with the backend', async (status) => {
    const elsewhere = await wsBackend();
    const backend = await wsBackend((_request, socket) => {
      socket.end(`HTTP/1.1 ${status} Moved\r\nLocation: ${elsewhere.url}\r\nContent-Length: 0\r\n\r\n`);
    });
    const { client, retryIn, argsOf } = wsClient(backend.url);
    client.start();
    await retryIn(1);
    expect(elsewhere.requests).toEqual([]);
    expect(argsOf('websocketError')).toEqual([[`Unexpected server response: ${status}`]]);
  });
});
