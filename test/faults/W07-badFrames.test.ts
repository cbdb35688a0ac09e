import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { faultTest } from './harness/faultTest.ts';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'; // RFC 6455, 1.3
/** Frames that RFC 6455 forbids, byte by byte. */
const FRAMES: Record<string, readonly number[]> = {
  'text that is not UTF-8': [0x81, 0x02, 0xc3, 0x28],
  'a reserved bit': [0xc1, 0x02, 0x7b, 0x7d],
  'a masked frame from a server': [0x81, 0x82, 0, 0, 0, 0, 0x7b, 0x7d],
  'a reserved opcode': [0x83, 0x00],
  'a ping of more than 125 bytes': [0x89, 0x7e, 0x00, 0x7e],
  'a close code that nobody may send': [0x88, 0x02, 0x03, 0xf7],
  'a continuation of nothing': [0x80, 0x00],
};

/** A handshake as it should be, and then only these bytes. */
function opening(request: IncomingMessage, socket: Duplex, bytes: readonly number[]): void {
  const key = createHash('sha1').update(`${request.headers['sec-websocket-key']}${GUID}`).digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`,
  );
  socket.write(Buffer.from(bytes));
}

faultTest('W7 ends the connection at a frame that no WebSocket may send, and comes back by back-off', {
  rig: { config: { backend: { sync_interval_seconds: 60 } } },
  async fault(run) {
    const { front, rig } = run;
    for (const [what, bytes] of Object.entries(FRAMES)) {
      const mark = run.mark;
      let isSpoilt = false;
      front.upgrade = () => {
        if (isSpoilt) return undefined;
        isSpoilt = true;
        return { raw: (socket, request) => opening(request, socket, bytes) };
      };
      rig.cable.reset();
      await run.redial(() => /WebSocket error: .*\n(.*\n)*.*WebSocket closed: code=1006/.test(run.logSince(mark)));
      expect([what, run.logSince(mark)]).toEqual([what, expect.stringContaining('[ERROR] WebSocket error: ["')]);
      await waitFor('the end', () => isSpoilt);
      await run.redial();
      if (what === 'a reserved opcode') await run.lasts(); // the count of failures begins anew
    }
    await run.both();
  },
});
