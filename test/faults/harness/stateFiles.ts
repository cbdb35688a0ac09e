import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { WebSocket } from 'ws';
import type { FaultRun } from './FaultRun.ts';

const FILES = ['state.db', 'state.db-wal', 'state.db-shm'];

/** Copies state.db, as an agent that was killed left it, from one folder to another; what is there is replaced. */
export function copyStateDb(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of FILES) {
    rmSync(join(to, name), { force: true });
    if (existsSync(join(from, name))) copyFileSync(join(from, name), join(to, name));
  }
}

/** A backend that forgot its acks: whenever a socket opens, it delivers every command once more that it ever delivered. */
export function deliversAgain({ front }: FaultRun): void {
  const frames = new Map<string, string>();
  front.upgrade = () => ({
    down: (frame) => {
      const { type, data } = JSON.parse(frame);
      if (type === 'command') frames.set(data.command_id, frame);
      return [frame];
    },
    joined: (agent: WebSocket) => {
      for (const frame of frames.values()) agent.send(frame);
    },
  });
}
