import { ChatDb } from '../../chatdb/ChatDb.ts';
import { type Clock, sleep } from '../../util/Clock.ts';
import { duration } from '../duration.ts';
import { count } from '../plural.ts';
import type { StoreStatus } from '../status.ts';
import type { AgentView } from './AgentView.ts';
import { type Check, type Finding, fail, pass, skip, warn } from './Check.ts';

/** Rows of chat.db looked through for the newest that came in, from the end. */
const LOOKED_THROUGH = 200;
/** A Mac that serves people hears from one within a day, ms. */
const SILENT_AFTER_MS = 86_400_000;
/** A row older than this that the agent has not taken in, ms: it takes some milliseconds. */
const BEHIND_AFTER_MS = 120_000;
/** Within this time an agent that is at work takes in something, ms: iCloud brings old messages by the thousand. */
const AT_WORK_MS = 300;

const RESTART = 'edge-agent service restart; if it falls behind again: edge-agent diagnose, and report it';
const QUIET =
  'Write to this Mac from a phone. If Messages does not show it: killall imagent (macOS starts it again), then Messages → Settings → iMessage. If it does: edge-agent service restart';

interface InboundOptions {
  readonly chatDbPath: string;
  readonly agent: Promise<AgentView>;
  /** What the agent left in state.db; undefined where it cannot be read. */
  readonly stored: () => StoreStatus | undefined;
  /** Asks the running agent once more. */
  readonly again: () => Promise<AgentView>;
  readonly clock: Clock;
}

/** Whether messages still come, and the agent takes them in: what chat.db has beside what the agent says it has seen. */
export function lastInbound(o: InboundOptions): Check {
  return {
    name: 'inbound',
    async run() {
      const agent = await o.agent;
      if (agent.kind === 'silent') {
        return fail('EDGE_NOT_RUNNING: the agent is there and does not answer: it takes nothing in', RESTART);
      }
      const db = new ChatDb({ path: o.chatDbPath });
      try {
        db.open();
      } catch {
        return skip('not looked at: see the check chat.db');
      }
      try {
        const seen = agent.kind === 'running' ? agent.status : o.stored();
        return seen ? await look(db, agent, seen, o) : skip('not looked at: see the check state');
      } finally {
        db.close();
      }
    },
  };
}

async function look(db: ChatDb, agent: AgentView, seen: StoreStatus, o: InboundOptions): Promise<Finding> {
  const newest = db.maxRowid();
  const rowid = seen.cursor?.rowid;
  const waiting = rowid === undefined || rowid >= newest ? undefined : db.rowsAfter(rowid, 1)[0];
  const now = o.clock.now();
  if (agent.kind === 'running' && waiting && now - (waiting.dateAt ?? now) > BEHIND_AFTER_MS) {
    await sleep(o.clock, AT_WORK_MS);
    const later = await o.again();
    if (later.kind === 'running' && later.status.cursor?.rowid === rowid) {
      const age = duration(now - waiting.dateAt!);
      return fail(
        `the agent runs and has stopped at ROWID ${rowid} of chat.db, which goes on to ${newest}; what comes next is ${age} old`,
        RESTART,
      );
    }
  }
  const left =
    waiting && agent.kind === 'down' ? `; ${count(newest - rowid!, 'row')} at most wait for the agent to start` : '';
  const came = db
    .rowsAfter(Math.max(0, newest - LOOKED_THROUGH), LOOKED_THROUGH)
    .findLast((row) => !row.isFromMe && row.dateAt !== undefined)?.dateAt;
  const takenIn = seen.last_inbound_at === null ? undefined : Date.parse(seen.last_inbound_at);
  const last = came ?? takenIn;
  if (last === undefined) return skip('no message has come yet');
  const text = `the newest message came ${duration(Math.max(0, now - last))} ago${left}`;
  return now - last > SILENT_AFTER_MS ? warn(text, QUIET) : pass(text);
}
