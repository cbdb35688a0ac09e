import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { lstatSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { EdgeError, messageOf } from '../util/EdgeError.ts';
import { closeRouteServer, createRouteServer, type Routes } from './routes.ts';

/** Longest path of a Unix socket, bytes: sun_path has 104 with the final NUL on macOS (108 on Linux). */
const MAX_SOCKET_PATH_BYTES = 103;

/** Where the agent of a state directory listens: control.sock in it, or a name of its own where that is too long. */
export function controlSocketPath(stateDir: string): string {
  const path = join(resolve(stateDir), 'control.sock');
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return path;
  const hash = createHash('sha256').update(path).digest('hex').slice(0, 16);
  return join(tmpdir(), `edge-agent-${hash}.sock`);
}

/** Answers the other subcommands on this machine, over a socket that only this user can open. */
export class ControlServer {
  readonly #path: string;
  readonly #routes: Routes;
  #server: Server | undefined;

  /** The caller holds the instance lock, so a socket at `path` is one that a killed agent left behind. */
  constructor(options: { path: string; routes: Routes }) {
    this.#path = options.path;
    this.#routes = options.routes;
  }

  /** @throws EdgeError EDGE_STATE_DIR */
  async start(): Promise<void> {
    const server = createRouteServer(this.#routes);
    try {
      if (lstatSync(this.#path, { throwIfNoEntry: false })?.isSocket()) rmSync(this.#path);
      // bind(2) happens within listen(), so the socket never has another mode than 0600.
      const before = process.umask(0o177);
      try {
        server.listen(this.#path);
      } finally {
        process.umask(before);
      }
      await once(server, 'listening');
    } catch (error) {
      throw new EdgeError('EDGE_STATE_DIR', `cannot listen on ${this.#path}: ${messageOf(error)}`, { cause: error });
    }
    this.#server = server;
  }

  /** Cuts what is open; removes the socket. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server) await closeRouteServer(server);
  }
}
