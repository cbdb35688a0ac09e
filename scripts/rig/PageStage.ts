import { randomUUID } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import Database from 'better-sqlite3';
import { controlSocketPath } from '../../src/ops/ControlServer.ts';
import { controlRequest } from '../../src/ops/controlClient.ts';
import type { OpenOutcome } from '../../src/ops/page/openRoute.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { freePort } from './freePort.ts';
import { Rig, type RigOptions } from './Rig.ts';

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
const PEOPLE = ['+15550100002', '+15550100003', '+15550100004', '+15550100005'];

/** What was there before the agent started. */
export interface PastOfADay {
  /** Messages per part of ten minutes since midnight; each but a few got two bubbles. */
  messages?: readonly number[];
  /** Details of dead letters. */
  dead?: readonly string[];
  schedules?: readonly { id: string; inMinutes: number; rrule?: string }[];
  /** Bubbles that nobody can vouch for, and that failed. */
  unknown?: number;
}

/** A rig whose agent serves the status page, with a day behind it. */
export class PageStage {
  readonly rig: Rig;
  readonly port: number;

  /** The agent is not started yet. */
  static async create(options: RigOptions & { past?: PastOfADay }): Promise<PageStage> {
    const { past, ...rest } = options;
    const port = await freePort();
    const rig = await Rig.create({ ...rest, config: { ...rest.config, monitoring: { port } } });
    if (past) remember(rig.path('state'), past);
    return new PageStage(rig, port);
  }

  private constructor(rig: Rig, port: number) {
    this.rig = rig;
    this.port = port;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** What `edge-agent open` prints. */
  async link(): Promise<string> {
    const socketPath = controlSocketPath(this.rig.path('state'));
    const { body } = await controlRequest({ socketPath, method: 'POST', path: '/open' });
    return (body as OpenOutcome).url!;
  }

  /** Where the page is below `origin`; once the agent has started. */
  get folder(): string {
    const store = StateStore.openReadOnly(join(this.rig.path('state'), 'state.db'));
    try {
      return `/${store.meta.get('page_folder')}/`;
    } finally {
      store.close();
    }
  }

  /** The cookie that a browser gets for a link. */
  async cookie(): Promise<string> {
    const { headers } = await fetch(await this.link(), { redirect: 'manual' });
    return headers.get('set-cookie')!.split(';')[0]!;
  }
}

/** A Chromium of this machine; undefined where there is none. */
export function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return PROGRAMS.flatMap((name) => ['/usr/bin', ...folders].map((folder) => join(folder, name))).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function remember(stateDir: string, past: PastOfADay): void {
  const now = Date.now();
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  const path = join(stateDir, 'state.db');
  const store = StateStore.open(path, now);
  const { messages = [], dead = [], schedules = [], unknown = 0 } = past;
  const received: { threadId: string; at: number }[] = [];
  store.transaction(() => {
    for (const [part, count] of messages.entries()) {
      for (let n = 0; n < count; n++) {
        const at = Math.round(midnight + (part + n / count) * 600_000);
        if (at < now) received.push({ threadId: PEOPLE[(part + n) % PEOPLE.length]!, at });
      }
    }
    for (const { threadId, at } of received) take(threadId, at, true);
    for (const [n, detail] of dead.entries()) {
      const guid = take(PEOPLE[n % PEOPLE.length]!, now - (n + 1) * 420_000, false);
      store.inbound.markDead(guid, 'EDGE_BACKEND_REJECTED', detail);
    }
    for (const { id, inMinutes, rrule } of schedules) {
      const firstAt = now + inMinutes * 60_000;
      store.schedules.insert({
        scheduleId: id,
        threadId: PEOPLE[0]!,
        text: 'Good morning',
        sendAt: firstAt,
        now,
        ...(rrule && { recurrence: { rrule, timeZone: 'America/New_York', firstAt, occurrences: 0 } }),
      });
    }
  });
  store.close();

  const db = new Database(path);
  const send = db.prepare(`
    INSERT INTO sends (key, thread_id, group_key, position, bubble_index, text, bubble_type, state, attempts, sending_at,
      confirmed_at, finished_at, created_at)
    VALUES (@key, @threadId, @key, 1, 0, '', 'normal', @state, 1, @at, @confirmedAt, @at, @at)`);
  const put = (state: string, threadId: string, at: number) =>
    send.run({ key: `cli:${randomUUID()}`, state, threadId, at, confirmedAt: state === 'delivered' ? at : null });
  db.transaction(() => {
    for (const [n, { threadId, at }] of received.entries()) {
      for (let bubble = 0; bubble < (n % 5 === 0 ? 0 : 2); bubble++) put('delivered', threadId, at + 2_000);
    }
    for (let n = 0; n < unknown; n++) put('unknown', PEOPLE[n % PEOPLE.length]!, now - 3_600_000);
  })();
  db.close();

  function take(threadId: string, at: number, isDone: boolean): string {
    const guid = randomUUID().toUpperCase();
    const body = { thread_id: threadId, filtered_text: 'Hello', message_guid: guid } as never;
    store.inbound.insert({ guid, epoch: 0, chatRowid: 0, threadId, body, backfill: false, messageAt: at, now: at });
    if (isDone) store.inbound.markDone(guid, at + 40);
    return guid;
  }
}
