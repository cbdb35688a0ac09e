import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';

/** What the hub said. */
export interface Said {
  readonly status: number;
  readonly headers: Record<string, string | string[]>;
  readonly body: Buffer;
}

/** What becomes of one request; `pass` hands it to the hub. What it rejects with ends the connection. */
export type Treatment = (response: ServerResponse, pass: () => Promise<Said>) => unknown;

const CHUNK = Buffer.alloc(64 * 1024, ' ');

/** Nothing is done to it. */
export const passes: Treatment = async (response, pass) => {
  const { status, headers, body } = await pass();
  response.writeHead(status, headers).end(body);
};

/** Read to its end and never answered. */
export const silence: Treatment = () => {};

/** Answered without the hub's having seen it. */
export function says(status: number, body = '{}', headers: Record<string, string> = {}): Treatment {
  return (response) => response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
}

/** The hub takes it, and then the connection is reset. */
export const takenThenReset: Treatment = async (response, pass) => {
  await pass();
  (response.socket as { resetAndDestroy(): void } | null)?.resetAndDestroy();
};

/** The hub takes it, and its answer is lost on the way: another one comes. */
export function takenThen(instead: Treatment): Treatment {
  return async (response, pass) => {
    await pass();
    return instead(response, pass);
  };
}

/** The hub's own answer, cut off in the middle. */
export const brokenOff: Treatment = async (response, pass) => {
  const { body } = await pass();
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
  response.write(body.subarray(0, body.length / 2), () => response.socket?.destroy());
};

/** JSON that does not end, with a header that says that it does. */
export const truncated: Treatment = async (response, pass) => {
  const { status, body } = await pass();
  response.writeHead(status, { 'content-type': 'application/json' }).end(body.subarray(0, body.length / 2));
};

/** A body of so many bytes, a chunk each `paceMs`. `onEnd` gets how many were written before it was over. */
export function endless(bytes: number, paceMs: number, onEnd: (written: number) => void): Treatment {
  return (response) => {
    let written = 0;
    response.writeHead(200, { 'content-type': 'application/json' });
    const timer = setInterval(() => {
      response.write(CHUNK);
      written += CHUNK.length;
      if (written >= bytes) response.end();
    }, paceMs);
    response.on('close', () => {
      clearInterval(timer);
      onEnd(written);
    });
  };
}

/** 100 MB of nothing in 100 kB. */
export const gzipBomb: Treatment = (response) => {
  const body = gzipSync(Buffer.alloc(100_000_000));
  response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(body);
};
