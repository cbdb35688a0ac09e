import { ChatDb } from '../../chatdb/ChatDb.ts';
import { EdgeError } from '../../util/EdgeError.ts';
import { type AgentView, hasMet } from './AgentView.ts';
import { type Check, type Finding, fail, pass, warn } from './Check.ts';

const PANE = 'System Settings → Privacy & Security → Full Disk Access';

interface Readable {
  readonly path: string;
  readonly agent: Promise<AgentView>;
  /** The Node that runs the agent. */
  readonly node: string;
}

/**
 * Whether chat.db can be opened and read at both ends: tells a missing file from a missing permission from damage. The
 * permission belongs to the program that is responsible: under launchd the agent's Node, from a terminal the terminal.
 * So what the running agent has met goes before what the doctor meets.
 */
export function chatDbReadable(o: Readable): Check {
  return { name: 'chat.db', run: async () => judge(o, await o.agent) };
}

function judge({ path, node }: Readable, agent: AgentView): Finding {
  const found = read(path);
  if (hasMet(agent, 'EDGE_CHATDB_NO_PERMISSION')) {
    const text = `EDGE_CHATDB_NO_PERMISSION: macOS does not let the running agent read ${path}`;
    return fail(found instanceof EdgeError ? text : `${text}; this terminal may`, give(node));
  }
  if (!(found instanceof EdgeError)) {
    if (agent.kind === 'running') return pass(found);
    return pass(`${found}. That is from here: an agent that launchd starts needs Full Disk Access for ${node}`);
  }
  const text = `${found.code}: ${found.message}`;
  switch (found.code) {
    case 'EDGE_CHATDB_SCHEMA':
      return pass('the file can be read'); // what is in it is for the check of the schema
    case 'EDGE_CHATDB_BUSY':
      return warn(text, found.fix);
    case 'EDGE_CHATDB_NO_PERMISSION':
      if (agent.kind === 'running' && agent.status.chatdb.open) {
        return warn(
          'the running agent reads chat.db; this terminal may not, so that the checks schema and inbound are left out',
          `${PANE}: switch on the program you run this from, too.`,
        );
      }
      return fail(text, give(node));
    default:
      return fail(text, found.fix);
  }
}

/** A switch that is on already may stand for another file of that name, so that taking it out is part of it. */
const give = (node: string) =>
  `${PANE}: remove an entry of this name if there is one, then add (+, Cmd-Shift-G) exactly: ${node}`;

/** What is so, or why it cannot be read. */
function read(path: string): string | EdgeError {
  const db = new ChatDb({ path });
  try {
    db.open();
    const newest = db.maxRowid();
    db.rowsAfter(newest - 1, 1);
    return newest === 0
      ? `${path} holds no message yet`
      : `${path} can be read; its newest message has ROWID ${newest}`;
  } catch (error) {
    if (error instanceof EdgeError) return error;
    throw error;
  } finally {
    db.close();
  }
}
