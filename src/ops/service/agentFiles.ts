import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { controlSocketPath } from '../ControlServer.ts';
import { backupsIn, unfinishedBackup } from './backUp.ts';

/** Only names that the agent gives, in full: state.dir may be a folder that holds other things. */
const STATE_NAMES = [
  /^state\.db(-wal|-shm|\.next)?$/,
  /^state\.db\.v\d+\.bak$/,
  /^state\.db\.corrupt-\d+(-wal|-shm)?$/,
  /^lock\.(db(-journal)?|pid)$/,
  /^(crash-loop|run)\.json$/,
  /^\.(crash-loop|run)\.json\.\d+\.next$/,
  /^standby\.json$/,
  /^high-water$/,
];
/** logging.max_files is 99 at the most. */
const LOG_SUFFIX = /^(\.\d{1,2})?$/;

export interface AgentPlaces {
  readonly stateDir: string;
  readonly logFile: string;
  readonly stderrLog: string;
}

/** What an agent has left of state and logs; a backup is one entry. */
export function agentFiles({ stateDir, logFile, stderrLog }: AgentPlaces): string[] {
  const found = [
    ...namesIn(stateDir, (name) => STATE_NAMES.some((known) => known.test(name))),
    controlSocketPath(stateDir),
    ...backupsIn(stateDir),
    unfinishedBackup(stateDir),
    ...namesIn(dirname(logFile), (name) => {
      const own = basename(logFile);
      return name.startsWith(own) && LOG_SUFFIX.test(name.slice(own.length));
    }),
    stderrLog,
  ];
  return [...new Set(found)].filter((path) => existsSync(path));
}

/** Deletes them, and the folders that are empty then. Tells of each. @throws Error of what cannot be deleted */
export function deleteAgentFiles(places: AgentPlaces, told: (path: string) => void): void {
  for (const path of agentFiles(places)) {
    rmSync(path, { force: true, recursive: dirname(path) === join(places.stateDir, 'backups') });
    told(path);
  }
  const { stateDir, logFile, stderrLog } = places;
  for (const dir of [join(stateDir, 'backups'), stateDir, dirname(logFile), dirname(stderrLog)]) {
    try {
      rmdirSync(dir);
    } catch {
      // what is not empty, or not there, stays so
    }
  }
}

function namesIn(dir: string, isOurs: (name: string) => boolean): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir)
    .filter(isOurs)
    .sort()
    .map((name) => join(dir, name));
}
