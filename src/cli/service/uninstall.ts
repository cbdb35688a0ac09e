import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../config/loadConfig.ts';
import { runProgram } from '../../ops/macos/programs.ts';
import { type AgentPlaces, agentFiles, deleteAgentFiles } from '../../ops/service/agentFiles.ts';
import { Keychain } from '../../ops/service/Keychain.ts';
import { NodeRuntime } from '../../ops/service/NodeRuntime.ts';
import type { Releases } from '../../ops/service/Releases.ts';
import { SERVICE_LABEL, servicePaths } from '../../ops/service/servicePaths.ts';
import { UpgradeRecord } from '../../ops/service/UpgradeRecord.ts';
import { systemClock } from '../../util/Clock.ts';
import { messageOf } from '../../util/EdgeError.ts';
import { printable } from '../../util/printable.ts';
import { EXIT } from '../exitCodes.ts';
import type { CommonOptions, Io } from '../Io.ts';
import { launchdService } from './launchdService.ts';
import { refuseWhileBusy } from './oneAtATime.ts';
import { refuseUnlessMac } from './refuseUnlessMac.ts';
import { releasesOf } from './releases.ts';
import { serviceConfig } from './wantedPlist.ts';

export interface ServiceUninstallOptions extends CommonOptions {
  readonly purge?: boolean;
  readonly yes?: boolean;
}

/** What a purge takes away. */
interface Leavings {
  readonly places: AgentPlaces;
  readonly runtime: NodeRuntime;
  readonly releases: Releases;
  readonly keychainItem: { readonly service: string; readonly account: string } | undefined;
}

/** `edge-agent service uninstall`: takes the agent out of launchd; with --purge --yes its state, logs, Node and secret go too. */
export async function serviceUninstall(options: ServiceUninstallOptions, io: Io): Promise<number> {
  const refused = refuseUnlessMac(io) ?? refuseWhileBusy(servicePaths(homedir()).appDir, io);
  if (refused !== undefined) return refused;
  const config = serviceConfig(options.config, io.cwd); // now: without the property list nothing tells of it
  const say = (line: string) => io.out(`${printable(line)}\n`);
  let leavings: Leavings | undefined;
  if (options.purge) {
    leavings = findLeavings(config, io);
    if (!leavings) return EXIT.config;
    if (!options.yes) {
      say('This would be deleted; run it again with --yes to do so:');
      for (const line of listed(leavings)) say(line);
      return EXIT.usage;
    }
  }
  const wasInstalled = await launchdService().uninstall();
  new UpgradeRecord(servicePaths(homedir()).appDir).clear(); // nothing is left to go back to
  say(wasInstalled ? `${SERVICE_LABEL} is stopped and taken out of launchd.` : `${SERVICE_LABEL} is not installed.`);
  const isPurged = leavings ? await purge(leavings, io, say) : true;
  for (const line of whatStays(leavings, config)) say(line);
  return isPurged ? EXIT.ok : EXIT.internal;
}

/** Where the agent itself would have its things; undefined, and said why, where the configuration does not tell. */
function findLeavings(config: string, io: Io): Leavings | undefined {
  const home = homedir();
  const { logDir, stderrLog, runtimeDir } = servicePaths(home);
  const runtime = new NodeRuntime({ dir: runtimeDir, run: runProgram, clock: systemClock });
  const releases = releasesOf(home);
  if (!existsSync(config)) {
    const stateDir = join(home, 'Library/Application Support/edge-agent');
    const places = { stateDir, logFile: join(logDir, 'edge-agent.log'), stderrLog };
    return { places, runtime, releases, keychainItem: undefined };
  }
  try {
    const { state, logging, edge } = loadConfig(config);
    const { secret_keychain_service: service, agent_id: account } = edge;
    return {
      places: { stateDir: state.dir, logFile: logging.file, stderrLog },
      runtime,
      releases,
      keychainItem: service === undefined ? undefined : { service, account },
    };
  } catch (error) {
    io.err(
      `edge-agent: cannot tell from ${config} where state and logs are; nothing was changed. See: edge-agent check-config\n${messageOf(error)}\n`,
    );
    return undefined;
  }
}

function listed({ places, runtime, releases, keychainItem }: Leavings): string[] {
  const secret = keychainItem ? [`the Keychain item ${keychainItem.service} of ${keychainItem.account}`] : [];
  return [...runtime.files(), ...releases.folders(), ...agentFiles(places), ...secret];
}

/** False where something could not be deleted, which is said: the rest goes all the same. */
async function purge(
  { places, runtime, releases, keychainItem }: Leavings,
  io: Io,
  say: (line: string) => void,
): Promise<boolean> {
  let isWhole = true;
  const attempt = async (step: () => void | Promise<void>) => {
    try {
      await step();
    } catch (error) {
      isWhole = false;
      io.err(`edge-agent: ${printable(messageOf(error))}\n`);
    }
  };
  await attempt(() => {
    for (const file of runtime.files()) say(`Deleted ${file}`);
    runtime.remove(); // first: it lies in the folder of the state, which goes when it is empty
  });
  await attempt(() => {
    for (const folder of releases.folders()) say(`Deleted ${folder}`);
    releases.remove();
  });
  await attempt(() => deleteAgentFiles(places, (path) => say(`Deleted ${path}`)));
  await attempt(async () => {
    if (!keychainItem) return;
    const { service, account } = keychainItem;
    const keychain = new Keychain({ run: runProgram });
    if (await keychain.delete(service, account)) say(`Deleted the Keychain item ${service} of ${account}`);
  });
  return isWhole;
}

function whatStays(leavings: Leavings | undefined, config: string): string[] {
  const files = existsSync(config) ? [`the configuration: ${config}`] : [];
  return [
    'What stays:',
    ...files.map((file) => `  ${file}`),
    ...(leavings ? [] : ['  state, logs, the copies of Node and of the program, and the secret: --purge lists them']),
    '  the permissions: System Settings → Privacy & Security → Full Disk Access and Automation: take edge-agent-node out of the lists',
    '  the checkout or package it was installed from, and files of Messages',
  ];
}
