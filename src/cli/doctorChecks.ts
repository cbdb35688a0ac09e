import { existsSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import type { ConfigError } from '../config/ConfigError.ts';
import type { Config } from '../config/schema.ts';
import type { Sections } from '../config/sectionsOf.ts';
import { freeBytes } from '../ops/diagnose/fileFacts.ts';
import type { AgentView } from '../ops/doctor/AgentView.ts';
import { account } from '../ops/doctor/account.ts';
import { autoLogin } from '../ops/doctor/autoLogin.ts';
import { automation } from '../ops/doctor/automation.ts';
import { type Check, skip } from '../ops/doctor/Check.ts';
import { chatDbReadable } from '../ops/doctor/chatDbReadable.ts';
import { chatDbSchema } from '../ops/doctor/chatDbSchema.ts';
import { clockSkew } from '../ops/doctor/clockSkew.ts';
import { configuration } from '../ops/doctor/configuration.ts';
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
import type { Examined } from './examined.ts';
import { serverTime } from './serverTime.ts';
import { serviceConfig, wantedPlist } from './service/wantedPlist.ts';
import { askAgent, readStore } from './takeStatus.ts';

/** An agent that is well answers in some milliseconds; what does not within this time is stuck, ms. */
const ANSWERS_MS = 1_000;

/** A configuration that cannot be used, and those of its sections that can. */
export interface Unusable {
  readonly problem: ConfigError;
  readonly sections: Sections;
}

export interface LookedAt {
  readonly config: Config | Unusable;
  /** Its file, absolute. */
  readonly file: string;
  /** As --config named it. */
  readonly named: string | undefined;
  readonly cwd: string;
}

/** Every check but that of the connection, in the order of examined.ts. */
export function doctorChecks({ config, file, named, cwd }: LookedAt): Check[] {
  const unusable = 'problem' in config ? config : undefined;
  const whole = 'problem' in config ? undefined : config;
  const sections: Sections = whole ?? unusable?.sections ?? {};
  const clock = systemClock;
  const programs = { run: runProgram, clock, isMac: process.platform === 'darwin' };
  const { plist, runtimeDir, appDir } = servicePaths(homedir());
  const runtime = new NodeRuntime({ dir: runtimeDir, run: runProgram, clock });
  const installed = installedCommand(plist);
  const uid = process.getuid!();
  // The Node that launchd starts the agent with, which macOS gives the permissions to; without one, the one that runs.
  const node = installed?.node ?? (runtime.files().includes(runtime.path) ? runtime.path : process.execPath);
  const { state } = sections;
  const agent = state ? agentView(state) : Promise.resolve<AgentView>({ kind: 'down' });
  const messages = sections.sending && messagesProbe(programs, sections.sending.osascript_path);
  /** The check where the configuration says what it needs, else why it is not made. */
  const given = <K extends keyof Config>(
    name: Examined,
    keys: readonly K[],
    make: (config: Pick<Config, K>) => Check,
  ): Check => {
    const missing = keys.filter((key) => sections[key] === undefined);
    if (missing.length === 0) return make(sections as Pick<Config, K>);
    return {
      name,
      run: () => skip(`not looked at: the configuration does not tell ${missing.join(', ')}; see the check config`),
    };
  };
  return [
    nativeModule({
      run: runProgram,
      clock,
      version: process.version,
      path: process.execPath,
      arch: process.arch,
      service: installed,
    }),
    configuration({
      file,
      exists: existsSync(file),
      problems: unusable ? unusable.problem.message.split('\n') : [],
    }),
    macosVersion(programs),
    given('chat.db', ['imessage', 'state'], ({ imessage }) => chatDbReadable({ path: imessage.db_path, agent, node })),
    given('schema', ['imessage'], ({ imessage }) => chatDbSchema(imessage.db_path)),
    given('automation', ['sending', 'state'], () => automation({ messages: messages!, agent, node })),
    given('messages', ['sending', 'state'], () => messagesRunning({ messages: messages!, agent })),
    given('account', ['sending', 'state'], ({ sending }) =>
      account({ messages: messages!, agent, needsSms: sending.sms_fallback }),
    ),
    given('sleep', ['power'], ({ power }) => sleepSettings({ ...programs, keepsAwake: power.keep_awake })),
    autoLogin({ ...programs, user: userInfo().username }),
    fileVault(programs),
    given('clock', ['edge', 'backend', 'websocket'], (link) => clockSkew(() => serverTime(link))),
    given('disk', ['state', 'logging'], ({ state, logging }) =>
      diskSpace({ folders: [state.dir, dirname(logging.file)], freeBytes }),
    ),
    given('state', ['state'], ({ state }) => stateIntegrity({ path: join(state.dir, 'state.db'), clock })),
    given('files', ['state', 'logging', 'edge'], (said) => fileModes({ files: guarded(said, file), uid })),
    launchAgent({
      ...programs,
      plist,
      unfinished: unfinishedUpgrade(appDir),
      drift: () => plistDrift(plist, wantedPlist({ config: serviceConfig(named, cwd) })),
      isNodeGone: installed !== undefined && !existsSync(installed.node),
      target: `gui/${uid}/${SERVICE_LABEL}`,
      otherConfig: installed && installed.config !== file ? installed.config : undefined,
    }),
    nodeBinary({ runtime, agent, node: installed?.node, run: runProgram }),
    given('inbound', ['imessage', 'state', 'edge'], (said) =>
      lastInbound({
        chatDbPath: said.imessage.db_path,
        agent,
        again: () => agentView(said.state),
        stored: () => stored(said),
        clock,
      }),
    ),
  ];
}

function unfinishedUpgrade(appDir: string): { says: string; fix: string } | undefined {
  const upgrade = new UpgradeRecord(appDir).read();
  return upgrade && { says: sayUnfinished(upgrade), fix: waysOutOf(upgrade, appDir).on };
}

/** The running agent, asked once for all checks. Rejects never. */
function agentView(state: Config['state']): Promise<AgentView> {
  const silent: AgentView = { kind: 'silent' };
  const over = new AbortController();
  const asked = askAgent({ state }).then(
    (status): AgentView => (status ? { kind: 'running', status } : { kind: 'down' }),
    () => silent,
  );
  const late = sleep(systemClock, ANSWERS_MS, over.signal).then(() => silent);
  return Promise.race([asked, late]).finally(() => over.abort());
}

/** Of an agent that does not run; undefined where the check of state.db has something to say. */
function stored(config: Pick<Config, 'state' | 'edge'>): StoreStatus | undefined {
  try {
    return readStore(config);
  } catch {
    return undefined;
  }
}

function guarded({ state, logging, edge }: Pick<Config, 'state' | 'logging' | 'edge'>, configFile: string): Guarded[] {
  const stateDb = join(state.dir, 'state.db');
  return [
    { path: state.dir, mode: 0o700 },
    ...['', '-wal', '-shm'].map((suffix) => ({ path: stateDb + suffix, mode: 0o600 }) as const),
    { path: configFile, mode: 0o600 },
    ...(edge.secret_file === undefined ? [] : [{ path: edge.secret_file, mode: 0o600, isSecret: true } as const]),
    { path: dirname(logging.file), mode: 0o700 },
  ];
}
