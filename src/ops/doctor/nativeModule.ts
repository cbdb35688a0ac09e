import { existsSync } from 'node:fs';
import { ERRORS, type ErrorCode } from '../../util/errors.ts';
import { requireSqlite } from '../requireSqlite.ts';
import { ask, type Programs, unclear } from './ask.ts';
import { type Check, type Finding, fail, pass } from './Check.ts';

interface Nodes extends Pick<Programs, 'run' | 'clock'> {
  /** The Node that runs this. */
  readonly version: string;
  readonly path: string;
  readonly arch: string;
  /** What launchd starts the agent with; undefined where no service is installed. */
  readonly service: { readonly node: string; readonly program: string } | undefined;
}

const MEND = 'edge-agent service install --new-node';
/** For any Node there may be; one that is too old would crash on the module. Reads the place of the program. */
const SCRIPT = `
const [major, minor] = process.versions.node.split('.').map(Number);
const told = { version: process.version, arch: process.arch };
if (major < 22 || (major === 22 && minor < 18)) told.code = 'EDGE_NODE_TOO_OLD';
else try {
  new (require('module').createRequire(require('fs').readFileSync(0, 'utf8'))('better-sqlite3'))(':memory:').close();
} catch (error) {
  told.code = 'EDGE_SQLITE_MISSING';
  told.why = String(error && error.message).split('\\n')[0];
}
console.log(JSON.stringify(told));`;

/** Whether the Node that runs the agent is new enough and can load the native part of SQLite. */
export function nativeModule(o: Nodes): Check {
  return { name: 'node', run: () => (o.service ? ofService(o.service, o) : ofThis(o)) };
}

/** An older Node than 22.18 does not get here. */
function ofThis({ version, path, arch }: Nodes): Finding {
  requireSqlite(); // what it throws is the finding
  return pass(`Node ${version} for ${arch} at ${path}, which runs this command; its SQLite module loads`);
}

/** The Node of the shell may be another, which says nothing of the agent. */
async function ofService({ node, program }: NonNullable<Nodes['service']>, { run, clock }: Nodes): Promise<Finding> {
  if (!existsSync(node)) return fail(`EDGE_NODE_CHANGED: ${node}, which the service runs, is gone`, MEND);
  const answer = await ask({ run, clock, isMac: true }, node, ['-e', SCRIPT], program);
  if (!answer.said) return answer.finding.status === 'fail' ? { ...answer.finding, fix: MEND } : answer.finding;
  const told = read(answer.said.stdout);
  if (!told) return unclear(node, answer.said);
  const text = `Node ${told.version} for ${told.arch} at ${node}, which the service runs`;
  if (told.code === undefined) return pass(`${text}; its SQLite module loads`);
  const why = told.why === undefined ? ERRORS[told.code].means : `better-sqlite3 cannot be loaded: ${told.why}`;
  return fail(`${told.code}: ${text}: ${why}`, MEND);
}

function read(text: string): { version: string; arch: string; code?: ErrorCode; why?: string } | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
