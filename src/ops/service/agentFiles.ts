import { existsSync, lstatSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { controlSocketPath } from '../ControlServer.ts';

/** Only names that the agent gives, in full: state.dir may be a folder that holds other things. */
const STATE_NAMES = [
  /^state\.db(-wal|-shm)?$/,
  /^state\.db\.v\d+\.bak$/,
  /^state\.db\.corrupt-\d+(-wal|-shm)?$/,
  /^lock\.db(-journal)?$/,
  /^crash-loop\.json(\.next)?$/,
  /^high-water$/,
];
/** In `backups/`: a folder for each time that the agent was upgraded, which nobody else fills. */
const BACKUP_NAME = /^\d{4}-?\d\d-?\d\dT[\d:.-]+Z?$/;
/** In `app/`: the program in a folder for each version, and the link to the one in use. */
const APP_NAME = /^(current(\.\d+)?|\.next-\d+|\d+\.\d+\.\d+\S*)$/;
/** logging.max_files is 99 at the most. */
const LOG_SUFFIX = /^(\.\d{1,2})?$/;

export interface AgentPlaces {
  readonly stateDir: string;
  readonly logFile: string;
  readonly stderrLog: string;
  readonly appDir: string;
}

/** What an agent has left of state, logs and programs; a backup and a version are one entry each. */
export function agentFiles({ stateDir, logFile, stderrLog, appDir }: AgentPlaces): string[] {
  const backups = join(stateDir, 'backups');
  const found = [
    ...namesIn(stateDir, (name) => STATE_NAMES.some((known) => known.test(name))),
    controlSocketPath(stateDir),
    ...namesIn(backups, (name) => BACKUP_NAME.test(name)),
    ...namesIn(dirname(logFile), (name) => {
      const own = basename(logFile);
      return name.startsWith(own) && LOG_SUFFIX.test(name.slice(own.length));
    }),
    stderrLog,
    // Last: what deletes them may be the program in one of them.
    ...namesIn(appDir, (name) => APP_NAME.test(name)),
  ];
  return [...new Set(found)].filter((path) => lstatSync(path, { throwIfNoEntry: false }));
}

/** Deletes them, and the folders that are empty then. Tells of each. @throws Error of what cannot be deleted */
export function deleteAgentFiles(places: AgentPlaces, told: (path: string) => void): void {
  const { stateDir, logFile, stderrLog, appDir } = places;
  const backups = join(stateDir, 'backups');
  for (const path of agentFiles(places)) {
    rmSync(path, { force: true, recursive: [backups, appDir].includes(dirname(path)) });
    told(path);
  }
  for (const dir of [backups, appDir, dirname(appDir), stateDir, dirname(logFile), dirname(stderrLog)]) {
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
