import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { WebSocket } from 'ws';
import type { FaultRun } from './FaultRun.ts';
import { passes, type Said } from './treatments.ts';

const FILES = ['state.db', 'state.db-wal', 'state.db-shm'];

/** Copies state.db, as an agent that was killed left it, from one folder to another; what is there is replaced. */
export function copyStateDb(from: string, to: string): void {
  copyFiles(from, to, FILES);
}

/** The same with `high-water`: all that the folder says of what was sent. */
export function copyState(from: string, to: string): void {
  copyFiles(from, to, [...FILES, 'high-water']);
}

function copyFiles(from: string, to: string, names: readonly string[]): void {
  mkdirSync(to, { recursive: true });
  for (const name of names) {
    rmSync(join(to, name), { force: true });
    if (existsSync(join(from, name))) copyFileSync(join(from, name), join(to, name));
  }
}

/** A backend that forgot its acks: whenever a socket opens, it delivers every command once more that it ever delivered. */
export function deliversAgain({ front }: FaultRun): void {
  const commands = new Map<string, unknown>();
  front.upgrade = () => ({
    down: (frame) => {
      const { type, data } = JSON.parse(frame);
      if (type === 'command') commands.set(data.command_id, data);
      return [frame];
    },
    joined: (agent: WebSocket) => {
      for (const data of commands.values()) agent.send(JSON.stringify({ type: 'command', data }));
    },
  });
  front.treat = ({ path }) => (path === '/edge/sync' ? noting : passes);

  async function noting(response: ServerResponse, pass: () => Promise<Said>): Promise<void> {
    const { status, headers, body } = await pass();
    for (const command of JSON.parse(String(body)).commands ?? []) commands.set(command.command_id, command);
    response.writeHead(status, headers).end(body);
  }
}
