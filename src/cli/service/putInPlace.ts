import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import type { Config } from '../../config/schema.ts';
import { runProgram } from '../../ops/macos/programs.ts';
import { renderPlist } from '../../ops/service/renderPlist.ts';
import { servicePaths } from '../../ops/service/servicePaths.ts';
import { UpgradeRecord } from '../../ops/service/UpgradeRecord.ts';
import type { AgentStatus } from '../../ops/status.ts';
import { systemClock } from '../../util/Clock.ts';
import { EXIT } from '../exitCodes.ts';
import type { Io } from '../Io.ts';
import type * as Person from './askPerson.ts';
import { deploy } from './deploy.ts';
import { launchdService } from './launchdService.ts';
import { oneAtATime } from './oneAtATime.ts';
import type { Progress } from './Progress.ts';
import { lacksPermission, walkThroughPermissions } from './permissions.ts';
import { ranBefore } from './ranBefore.ts';
import { releasesOf } from './releases.ts';
import { type Missing, whatIsMissing } from './whatIsMissing.ts';

/** How long the new program may take to check the configuration; macOS looks it through at its first run. */
const CHECK_MS = 60_000;

export interface PutInPlace {
  /** The package. */
  readonly source: string;
  readonly config: Config;
  readonly configFile: string;
  /** Something that an agent reads at its start is not what it was. */
  readonly hasNews: boolean;
  readonly node: string;
  readonly needsPermissions: boolean;
  readonly isStarting: boolean;
  readonly waitMs: number;
  readonly progress: Progress;
  /** Undefined where nobody may be asked. */
  readonly person: typeof Person | undefined;
  readonly io: Io;
}

/**
 * What install and upgrade have in common: the program's copy, the property list, launchd, and what is missing then.
 * Exit code 0: it runs, whatever a person still has to permit; 75: it does not answer, or the one before is back, or another
 * command is at work.
 * @throws EdgeError
 */
export function putInPlace(o: PutInPlace): Promise<number> {
  return oneAtATime(servicePaths(homedir()).appDir, o.io, () => replaceProgram(o));
}

async function replaceProgram(o: PutInPlace): Promise<number> {
  const { config, configFile, node, progress, person, io } = o;
  const home = homedir();
  const { plist: plistPath, stderrLog, appDir } = servicePaths(home);
  const releases = releasesOf(home);
  const service = launchdService();
  const record = new UpgradeRecord(appDir);
  const current = releases.current();
  const release = releases.add(o.source);
  const isNew = current?.id !== release.id;
  progress.step('program', isNew ? `${release.id}, copied to ${release.folder}` : `${release.id}, in place already`);
  if (isNew) progress.stands(`the program ${release.folder}, which nothing starts yet`);

  const check = await runProgram(node, [releases.programOf(release), 'check-config', '--config', configFile], {
    timeoutMs: CHECK_MS,
  });
  if (check.exitCode !== 0) {
    io.err(
      check.stderr || `edge-agent: ${release.id} cannot check the configuration: it ended with ${check.exitCode}\n`,
    );
    progress.tellWhatStands();
    return check.exitCode ?? EXIT.internal;
  }

  const plist = renderPlist({ home, node, program: releases.programPath, config: configFile });
  const isFirst = !existsSync(plistPath);
  const isSame = !isFirst && readFileSync(plistPath, 'utf8') === plist;
  const state = await service.state();
  if (!o.isStarting) {
    releases.use(release);
    progress.step('launchd', 'nothing is loaded or started, as asked; do it with: edge-agent service install');
    return EXIT.ok;
  }

  const { left, ...before } = await ranBefore({ record, releases, service, plistPath, config, clock: systemClock });
  if (left)
    progress.step(
      'unfinished',
      `an upgrade to ${left.to} was interrupted after ${left.begun_at}; ${before.release?.id ?? 'nothing'} ran before it`,
    );
  let agent: AgentStatus | undefined;
  if (isSame && !isNew && !o.hasNews && !left && state.running) {
    const { waitForReady } = await import('./waitForReady.ts');
    agent = await waitForReady({ config, version: release.version, clock: systemClock, limitMs: o.waitMs });
    progress.step('launchd', `nothing has changed, and it runs with pid ${state.pid}; it was left alone`);
  } else {
    const d = { release, releases, service, plist, plistPath, config, configFile, before, record, clock: systemClock };
    const deployed = await deploy({ ...d, waitMs: o.waitMs, progress });
    if (deployed.outcome === 'rolled-back') {
      const now = deployed.agent ? `runs again, with pid ${deployed.agent.pid}` : 'does not answer either';
      io.err(
        `edge-agent: ${release.id} was taken back; ${before.release?.id ?? 'what was installed before'} ${now}.\n` +
          `  Why it did not start is in ${config.logging.file} and ${stderrLog}: edge-agent status\n`,
      );
      return EXIT.tempFail;
    }
    if (deployed.outcome === 'runs') agent = deployed.agent;
  }
  if (agent) progress.step('ready', `it answers, with pid ${agent.pid}`);
  else progress.step('not ready', `it did not answer within ${o.waitMs / 1000} s; launchd goes on. See ${stderrLog}`);

  const needsPermissions = o.needsPermissions || isFirst;
  if (person && (needsPermissions || lacksPermission(agent))) await walkThroughPermissions(node, runProgram, person);
  const found = await whatIsMissing({
    run: runProgram,
    node,
    program: releases.programPath,
    config: configFile,
    agent: agent && (await import('../takeStatus.ts').then(({ askAgent }) => askAgent(config)).catch(() => undefined)),
  });
  io.out(epilogue({ ...found, node, needsPermissions }));
  return agent ? EXIT.ok : EXIT.tempFail;
}

function epilogue(o: Missing & { node: string; needsPermissions: boolean }): string {
  const permissions =
    'macOS: System Settings → Privacy & Security: add this file to Full Disk Access (Cmd-Shift-G takes its path), and allow ' +
    `it Messages below Automation when macOS asks\n     ${o.node}`;
  const all = [...(o.needsPermissions ? [permissions] : []), ...o.missing];
  const head =
    all.length > 0
      ? 'What is missing, or to be looked at:'
      : o.unknown.length > 0
        ? 'Nothing is known to be missing.'
        : 'Nothing is missing.';
  const late =
    o.unknown.length === 0
      ? ''
      : `\nNot found out in time, which this Mac may be too busy for now:\n\n${listed(o.unknown)}`;
  return `\n${head}\n${all.length > 0 ? `\n${listed(all)}` : ''}${late}
How it is:   edge-agent status\nIts log:     edge-agent logs -f\nLook again:  edge-agent doctor\n`;
}

function listed(all: readonly string[]): string {
  return all.map((one, at) => `  ${at + 1}. ${one}\n`).join('');
}
