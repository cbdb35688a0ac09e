import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { CRASH_LOOP_FILE } from '../../ops/CrashLoop.ts';
import { backUp, hasWorkedSince, restoreState, schemaOf } from '../../ops/service/backUp.ts';
import type { LaunchdService } from '../../ops/service/LaunchdService.ts';
import type { Release, Releases } from '../../ops/service/Releases.ts';
import type { UpgradeRecord } from '../../ops/service/UpgradeRecord.ts';
import type { AgentStatus } from '../../ops/status.ts';
import type { Clock } from '../../util/Clock.ts';
import { EdgeError, messageOf } from '../../util/EdgeError.ts';
import type { Progress } from './Progress.ts';
import type { Before } from './ranBefore.ts';
import { waitForReady } from './waitForReady.ts';

/** What ran before and is taken back gets at least so long to answer, however little the new one got, ms. */
const BACK_MS = 60_000;

export interface Deployment {
  readonly release: Release;
  readonly releases: Releases;
  readonly service: LaunchdService;
  /** The property list to be loaded, and its place. */
  readonly plist: string;
  readonly plistPath: string;
  readonly config: Config;
  readonly configFile: string;
  readonly before: Before;
  readonly record: UpgradeRecord;
  readonly clock: Clock;
  readonly waitMs: number;
  readonly progress: Progress;
}

export type Deployed =
  | { readonly outcome: 'runs'; readonly agent: AgentStatus }
  /** Of a first one: it is loaded, and launchd goes on trying. */
  | { readonly outcome: 'silent' }
  /** The one before is in its place again; `agent`: and answers. */
  | { readonly outcome: 'rolled-back'; readonly agent: AgentStatus | undefined };

/**
 * Puts a release in the place of what runs:
 *
 *   write down ── stop ── back up ── switch ── start ── answers, and still does ──► runs
 *                                                └─ does not: stop ── switch back ── start ──► rolled-back
 *
 * Where nothing ran before there is nothing to go back to: silent. The state is put back only where the new program changed
 * its schema, which the old one could not read, and did nothing else: what was sent meanwhile must not be forgotten. Where it
 * did, the new one stays, silent as it is. Killed at any point it can be called again, with the `before` of the record.
 * A terminal that is closed, or a line that is cut, does not end it in the middle.
 * @throws Error of a first one, with nothing in its place; EdgeError EDGE_LAUNCHD where the one before is not taken either
 */
export async function deploy(d: Deployment): Promise<Deployed> {
  const stay = () => {};
  process.on('SIGHUP', stay);
  try {
    return await replace(d);
  } finally {
    process.off('SIGHUP', stay);
  }
}

async function replace(d: Deployment): Promise<Deployed> {
  const { release, releases, service, plist, plistPath, config, clock, waitMs, progress, before, record } = d;
  const { dir: stateDir } = config.state;
  const database = join(stateDir, 'state.db');
  const remember = (backup: string | undefined) =>
    record.write({
      from: before.release?.id ?? null,
      to: release.id,
      plist: before.plist ?? null,
      backup: backup ?? null,
      begun_at: new Date(clock.now()).toISOString(),
    });
  remember(before.backup);
  let schema: number | undefined;
  let backup: string | undefined;
  let agent: AgentStatus | undefined;
  try {
    if (await service.stop()) progress.step('stop', 'the agent that ran has ended');
    schema = schemaOf(database);
    const older = before.backup === undefined ? undefined : schemaOf(join(before.backup, 'state.db'));
    if (older !== undefined && older !== schema) {
      // What was interrupted has changed the schema already: only that copy can be gone back to.
      [schema, backup] = [older, before.backup];
      progress.step('backup', `the state is in ${backup} as it was before`);
    } else {
      backup = await backUp({ stateDir, files: [d.configFile, plistPath], now: clock.now() });
      if (backup) progress.step('backup', `state, configuration and property list are in ${backup}`);
      remember(backup);
    }

    // Failures of the one before are none of this one.
    rmSync(join(stateDir, CRASH_LOOP_FILE), { force: true });
    releases.use(release);
    await service.install(plist);
    progress.step('launchd', `loaded; it starts ${release.id} now and at every login`);
    agent = await waitForReady({ config, version: release.version, clock, limitMs: waitMs });
    if (!agent && before.plist !== undefined)
      progress.step('roll back', `${release.id} did not answer within ${waitMs / 1000} s`);
  } catch (error) {
    if (before.plist === undefined) {
      await service.uninstall().catch(() => {});
      releases.use(undefined);
      record.clear();
      throw error;
    }
    // Whatever it is, such as a disk that is full: what ran is stopped by now, and is to run again.
    progress.step('roll back', error instanceof EdgeError ? `${error.code}: ${error.message}` : messageOf(error));
  }
  if (agent) {
    record.clear();
    releases.keepOnly([release, before.release]);
    return { outcome: 'runs', agent };
  }
  if (before.plist === undefined) {
    record.clear();
    return { outcome: 'silent' };
  }

  await service.stop();
  const noWayBack = backup && putBack(backup, schema, d);
  if (noWayBack) {
    progress.step('no way back', `${noWayBack}. It stays`);
    await service.start();
    record.clear();
    return { outcome: 'silent' };
  }
  if (releases.current()?.id !== before.release?.id) releases.use(before.release);
  rmSync(join(stateDir, CRASH_LOOP_FILE), { force: true });
  // Where nothing was written nothing needs to be, which on a full disk could not.
  if (existsSync(plistPath) && readFileSync(plistPath, 'utf8') === before.plist) await service.start();
  else await service.install(before.plist);
  record.clear(); // all is as it was
  const back = await waitForReady({
    config,
    version: before.release?.version,
    clock,
    limitMs: Math.max(waitMs, BACK_MS),
  });
  return { outcome: 'rolled-back', agent: back };
}

/** Has the release before find a state that it can read. Why it cannot, where that is so. */
function putBack(backup: string, schema: number | undefined, d: Deployment): string | undefined {
  const { release, progress } = d;
  const { dir: stateDir } = d.config.state;
  try {
    if (schemaOf(join(stateDir, 'state.db')) === schema) return undefined;
    if (hasWorkedSince(backup, stateDir))
      return `${release.id} has changed the schema of state.db and worked with it: in the state of ${backup} what it did would be forgotten, and done again`;
    restoreState(backup, stateDir);
  } catch (error) {
    // Such as a disk that is full, by which the new one may have failed: a service must be left that goes on trying.
    return `${release.id} has changed the schema of state.db, and the state of ${backup} cannot be put back: ${messageOf(error)}`;
  }
  progress.step('state', `is that of ${backup} again, because the new program had changed its schema`);
  return undefined;
}
