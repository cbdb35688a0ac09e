import { homedir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import type { Config } from '../config/schema.ts';
import { freeBytes } from '../ops/diagnose/fileFacts.ts';
import type { AgentView } from '../ops/doctor/AgentView.ts';
import { account } from '../ops/doctor/account.ts';
import { autoLogin } from '../ops/doctor/autoLogin.ts';
import { automation } from '../ops/doctor/automation.ts';
import type { Check } from '../ops/doctor/Check.ts';
import { chatDbReadable } from '../ops/doctor/chatDbReadable.ts';
import { chatDbSchema } from '../ops/doctor/chatDbSchema.ts';
import { clockSkew } from '../ops/doctor/clockSkew.ts';
import { diskSpace } from '../ops/doctor/diskSpace.ts';
import { fileModes, type Guarded } from '../ops/doctor/fileModes.ts';
import { fileVault } from '../ops/doctor/fileVault.ts';
import { lastInbound } from '../ops/doctor/lastInbound.ts';
import { launchAgent } from '../ops/doctor/launchAgent.ts';
import { macosVersion } from '../ops/doctor/macosVersion.ts';
import { messagesProbe } from '../ops/doctor/messagesProbe.ts';
import { messagesRunning } from '../ops/doctor/messagesRunning.ts';
import { nativeModule } from '../ops/doctor/nativeModule.ts';
import { nodeBinary } from '../ops/doctor/nodeBinary.ts';
import { sleepSettings } from '../ops/doctor/sleepSettings.ts';
import { stateIntegrity } from '../ops/doctor/stateIntegrity.ts';
import { runProgram } from '../ops/macos/programs.ts';
import { installedCommand } from '../ops/service/installedPlist.ts';
import { NodeRuntime } from '../ops/service/NodeRuntime.ts';
import { plistDrift } from '../ops/service/plistDrift.ts';
import { SERVICE_LABEL, servicePaths } from '../ops/service/servicePaths.ts';
import { sayUnfinished, UpgradeRecord, waysOutOf } from '../ops/service/UpgradeRecord.ts';
import type { StoreStatus } from '../ops/status.ts';
import { sleep, systemClock } from '../util/Clock.ts';
import { serverTime } from './serverTime.ts';
import { serviceConfig, wantedPlist } from './service/wantedPlist.ts';
import { askAgent, readStore } from './takeStatus.ts';

/** An agent that is well answers in some milliseconds; what does not within this time is stuck, ms. */
const ANSWERS_MS = 1_000;

export interface LookedAt {
  readonly config: Config;
  /** Its file, absolute. */
  readonly file: string;
  /** As --config named it. */
  readonly named: string | undefined;
  readonly cwd: string;
}

/** Every check but that of the connection, in the order of examined.ts. */
export function doctorChecks({ config, file, named, cwd }: LookedAt): Check[] {
  const { imessage, sending, state, logging } = config;
  const clock = systemClock;
  const programs = { run: runProgram, clock, isMac: process.platform === 'darwin' };
  const stateDb = join(state.dir, 'state.db');
  const { plist, runtimeDir, appDir } = servicePaths(homedir());
  const runtime = new NodeRuntime({ dir: runtimeDir, run: runProgram, clock });
  const installed = installedCommand(plist);
  const uid = process.getuid!();
  // The Node that launchd starts the agent with, which macOS gives the permissions to; without one, the one that runs.
  const node = installed?.node ?? (runtime.files().includes(runtime.path) ? runtime.path : process.execPath);
  const agent = agentView(config);
  const messages = messagesProbe(programs, sending.osascript_path);
  return [
    nativeModule({ version: process.version, path: process.execPath, arch: process.arch }),
    macosVersion(programs),
    chatDbReadable({ path: imessage.db_path, agent, node }),
    chatDbSchema(imessage.db_path),
    automation({ messages, agent, node }),
    messagesRunning({ messages, agent }),
    account({ messages, agent, needsSms: sending.sms_fallback }),
    sleepSettings({ ...programs, keepsAwake: config.power.keep_awake }),
    autoLogin({ ...programs, user: userInfo().username }),
    fileVault(programs),
    clockSkew(() => serverTime(config)),
    diskSpace({ folders: [state.dir, dirname(logging.file)], freeBytes }),
    stateIntegrity({ path: stateDb, clock }),
    fileModes({ files: guarded(config, file), uid }),
    launchAgent({
      ...programs,
      plist,
      unfinished: unfinishedUpgrade(appDir),
      drift: () => plistDrift(plist, wantedPlist({ config: serviceConfig(named, cwd) })),
      target: `gui/${uid}/${SERVICE_LABEL}`,
      otherConfig: installed && installed.config !== file ? installed.config : undefined,
    }),
    nodeBinary({ runtime, agent, node: installed?.node, run: runProgram }),
    lastInbound({
      chatDbPath: imessage.db_path,
      agent,
      again: () => agentView(config),
      stored: () => stored(config),
      clock,
    }),
  ];
}

function unfinishedUpgrade(appDir: string): { says: string; fix: string } | undefined {
  const upgrade = new UpgradeRecord(appDir).read();
  return upgrade && { says: sayUnfinished(upgrade), fix: waysOutOf(upgrade, appDir).on };
}

/** The running agent, asked once for all checks. Rejects never. */
function agentView(config: Config): Promise<AgentView> {
  const silent: AgentView = { kind: 'silent' };
  const over = new AbortController();
  const asked = askAgent(config).then(
    (status): AgentView => (status ? { kind: 'running', status } : { kind: 'down' }),
    () => silent,
  );
  const late = sleep(systemClock, ANSWERS_MS, over.signal).then(() => silent);
  return Promise.race([asked, late]).finally(() => over.abort());
}

/** Of an agent that does not run; undefined where the check of state.db has something to say. */
function stored(config: Config): StoreStatus | undefined {
  try {
    return readStore(config);
  } catch {
    return undefined;
  }
}

function guarded({ state, logging, edge }: Config, configFile: string): Guarded[] {
  const stateDb = join(state.dir, 'state.db');
  return [
    { path: state.dir, mode: 0o700 },
    ...['', '-wal', '-shm'].map((suffix) => ({ path: stateDb + suffix, mode: 0o600 }) as const),
    { path: configFile, mode: 0o600 },
    ...(edge.secret_file === undefined ? [] : [{ path: edge.secret_file, mode: 0o600, isSecret: true } as const]),
    { path: dirname(logging.file), mode: 0o700 },
  ];
}
