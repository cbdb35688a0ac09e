import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { placesOf } from '../../config/placesOf.ts';
import { CRASH_LOOP_FILE, CrashLoop } from '../../ops/CrashLoop.ts';
import type { Condition } from '../../ops/Health.ts';
import { runProgram } from '../../ops/macos/programs.ts';
import { installedCommand } from '../../ops/service/installedPlist.ts';
import type { LaunchdState } from '../../ops/service/LaunchdService.ts';
import { NodeRuntime } from '../../ops/service/NodeRuntime.ts';
import { isNewEnough } from '../../ops/service/nodeVersion.ts';
import { type PlistDrift, plistDrift } from '../../ops/service/plistDrift.ts';
import { SERVICE_LABEL, servicePaths } from '../../ops/service/servicePaths.ts';
import { sayUnfinished, type Upgrade, UpgradeRecord, waysOutOf } from '../../ops/service/UpgradeRecord.ts';
import { readWord, type Waiting, waitedFor } from '../../ops/waiting.ts';
import { systemClock } from '../../util/Clock.ts';
import { messageOf } from '../../util/EdgeError.ts';
import { ERRORS } from '../../util/errors.ts';
import { printable } from '../../util/printable.ts';
import type { CommonOptions, Io } from '../Io.ts';
import { launchdService } from './launchdService.ts';
import { refuseUnlessMac } from './refuseUnlessMac.ts';
import { serviceConfig, wantedPlist } from './wantedPlist.ts';

/** macOS may look a program through before it runs, ms. */
const VERSION_MS = 10_000;
/** As `edge-agent status` and `systemctl status` have it. */
const STATUS_EXIT = { running: 0, attention: 1, down: 3 } as const;

/** `edge-agent service status`: what launchd has of the agent, and whether its files are those an install would write. */
export async function serviceStatus({ config, json }: CommonOptions, io: Io): Promise<number> {
  const refused = refuseUnlessMac(io);
  if (refused !== undefined) return refused;
  const { plist, runtimeDir, appDir } = servicePaths(homedir());
  const file = serviceConfig(config, io.cwd);
  const state = await launchdService().state();
  const drift = plistDrift(plist, wantedPlist({ config: file }));
  const node = await aboutNode(runtimeDir, installedCommand(plist)?.node);
  const upgrade = new UpgradeRecord(appDir).read();
  const { installed, loaded, running, pid, lastExitCode: last_exit_code, path } = state;
  const stateDir = placesOf(file).state.dir;
  const word = readWord(stateDir);
  const waiting = word && word.pid === pid ? word : null;
  const loop = new CrashLoop({ path: join(stateDir, CRASH_LOOP_FILE), clock: systemClock });
  const heldBack = (running && loop.holdMs > 0 && loop.condition) || null;
  if (json) {
    const service = { label: SERVICE_LABEL, installed, loaded, running, pid, last_exit_code, path };
    const about = {
      waiting,
      held_back: aboutHold(heldBack),
      plist: drift,
      node,
      upgrade: aboutUpgrade(upgrade),
      config: file,
    };
    io.out(`${printable(JSON.stringify({ ...service, ...about }))}\n`);
  } else {
    const lines = [
      ...stateLines(state, waiting, heldBack),
      ...upgradeLines(upgrade, appDir),
      ...plistLines(plist, drift, loaded),
      ...nodeLines(node),
      `config  ${file}`,
    ];
    io.out(lines.map((line) => `${printable(line)}\n`).join(''));
  }
  if (!running) return STATUS_EXIT.down;
  return drift.found === 'same' && node.problem === null && !upgrade && !waiting && !heldBack
    ? STATUS_EXIT.running
    : STATUS_EXIT.attention;
}

interface AboutNode {
  /** Null where no private copy was made. */
  readonly path: string | null;
  readonly version: string | null;
  readonly installed_at: string | null;
  readonly problem: string | null;
}

/** `inUse`: the Node that launchd starts the agent with. */
async function aboutNode(dir: string, inUse: string | undefined): Promise<AboutNode> {
  const runtime = new NodeRuntime({ dir, run: runProgram, clock: systemClock });
  const none = { path: null, version: null, installed_at: null };
  try {
    const record = runtime.installed();
    const ofInUse = inUse === undefined ? null : await problemInUse(inUse);
    if (!record) return { ...none, problem: ofInUse };
    const { node_version: version, installed_at } = record;
    return { path: runtime.path, version, installed_at, problem: (await runtime.changed()) ?? ofInUse };
  } catch (error) {
    return { ...none, problem: messageOf(error) };
  }
}

/** One that is gone; or too old: such an agent is there as a process, and waits for another Node. */
async function problemInUse(node: string): Promise<string | null> {
  if (!existsSync(node)) return `${node}, which launchd starts the agent with, is gone`;
  const said = await runProgram(node, ['--version'], { timeoutMs: VERSION_MS }).catch(() => undefined);
  const version = /^v(\d+\.\d+\.\d+)/.exec(said?.stdout ?? '')?.[1];
  if (version === undefined || isNewEnough(version)) return null;
  return `${node} is Node ${version}, which is too old: the agent waits until it is 22.18 or newer`;
}

function aboutUpgrade(upgrade: Upgrade | undefined) {
  return upgrade ? { from: upgrade.from, to: upgrade.to, begun_at: upgrade.begun_at } : null;
}

function upgradeLines(upgrade: Upgrade | undefined, appDir: string): string[] {
  if (!upgrade) return [];
  const { on, back } = waysOutOf(upgrade, appDir);
  return [
    `upgrade ${sayUnfinished(upgrade)}. Go on: ${on}`,
    ...(back === undefined ? [] : [`        or go back: ${back}`]),
  ];
}

function aboutHold(held: Condition | null) {
  return held && { ...held, since: new Date(held.since).toISOString() };
}

function stateLines(state: LaunchdState, waiting: Waiting | null, heldBack: Condition | null): string[] {
  if (waiting) return waitingLines(waiting);
  return heldBack ? heldBackLines(state.pid, heldBack) : [stateLine(state)];
}

/** Its process is there, and sits out the hold of a crash loop. */
function heldBackLines(pid: number | null, { code, detail }: Condition): string[] {
  return [`state   its start is held back; pid ${pid}`, `        ${code}: ${detail}`, `        ${ERRORS[code].fix}`];
}

/** Its process is there, and does none of its work. */
function waitingLines(waiting: Waiting): string[] {
  const { pid, code, since, detail } = waiting;
  return [
    `state   waits for ${waitedFor(waiting)}, and starts by itself then; pid ${pid}, since ${since}`,
    `        ${code}: ${detail.replace(/\s+/g, ' ')}`,
    `        ${ERRORS[code].fix}`,
  ];
}

function stateLine({ installed, loaded, running, pid, lastExitCode }: LaunchdState): string {
  const last = lastExitCode === null ? '' : `; it ended with exit code ${lastExitCode} the last time`;
  if (running) return `state   running, pid ${pid}${last}`;
  if (loaded && !installed) return `state   loaded, but not running${last}. Install it: edge-agent service install`;
  if (loaded) return `state   loaded, but not running${last}. Start it: edge-agent service start`;
  if (installed) return 'state   installed, not loaded: it starts at the next login, or with: edge-agent service start';
  return 'state   not installed. Install it: edge-agent service install';
}

function plistLines(path: string, drift: PlistDrift, isLoaded: boolean): string[] {
  if (drift.found === 'missing')
    return isLoaded
      ? [`plist   ${path} is missing: it will not start at the next login. Write it: edge-agent service install`]
      : [];
  if (drift.found === 'same') return [`plist   ${path}`];
  if (drift.found === 'unreadable') return [`plist   ${path} cannot be read: ${drift.why}`];
  return [
    `plist   ${path} is not what would be written now. Write it: edge-agent service install`,
    ...drift.extra.map((line) => `        has    ${line}`),
    ...drift.lacks.map((line) => `        lacks  ${line}`),
  ];
}

function nodeLines({ path, version, installed_at, problem }: AboutNode): string[] {
  const head = path === null ? [] : [`node    ${path} (Node ${version}, installed ${installed_at})`];
  return problem === null ? head : [...head, `        ${problem}. Mend it: edge-agent service install --new-node`];
}
