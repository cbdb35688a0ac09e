import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { startedAt } from '../../ops/service/backUp.ts';
import type { LaunchdService } from '../../ops/service/LaunchdService.ts';
import type { Release, Releases } from '../../ops/service/Releases.ts';
import type { Upgrade, UpgradeRecord } from '../../ops/service/UpgradeRecord.ts';
import type { Clock } from '../../util/Clock.ts';
import { waitForReady } from './waitForReady.ts';

/** Long enough to see that what runs goes on running, ms. */
const LOOK_MS = 5_000;

/** What a deployment that fails goes back to. */
export interface Before {
  readonly release: Release | undefined;
  /** The property list; undefined: nothing was installed. */
  readonly plist: string | undefined;
  /** Of the state, made by an upgrade that was interrupted. */
  readonly backup: string | undefined;
}

interface InUse {
  readonly record: UpgradeRecord;
  readonly releases: Releases;
  readonly service: Pick<LaunchdService, 'state'>;
  readonly config: Pick<Config, 'state'>;
  readonly clock: Clock;
}

export interface RanBefore extends InUse {
  readonly plistPath: string;
}

/**
 * What runs, or ran before an upgrade that was interrupted, `left`. Where the release in use does run by now, nothing was
 * left: it came up after all, or had not been stopped yet. Nor was it where a first install has started since: taking that
 * for nothing would be to uninstall what has worked. @throws EdgeError EDGE_LAUNCHD
 */
export async function ranBefore(o: RanBefore): Promise<Before & { readonly left: Upgrade | undefined }> {
  const { record, releases, plistPath, config } = o;
  const current = releases.current();
  const inPlace: Before = {
    release: current,
    plist: existsSync(plistPath) ? readFileSync(plistPath, 'utf8') : undefined,
    backup: undefined,
  };
  const left = record.read();
  if (!left) return { ...inPlace, left };
  if (await forgetIfUp({ ...o, limitMs: LOOK_MS })) return { ...inPlace, left: undefined };
  const started = startedAt(join(config.state.dir, 'state.db'));
  if (left.from === null && current && inPlace.plist !== undefined && started >= Date.parse(left.begun_at)) {
    record.clear();
    return { ...inPlace, left: undefined };
  }
  const release = left.from === null ? undefined : releases.find(left.from);
  if (left.from !== null && !release) return { ...inPlace, left }; // somebody has deleted it
  return { release, plist: left.plist ?? undefined, backup: left.backup ?? undefined, left };
}

/** Clears the record where launchd runs the release in use, and that answers; gives it. @throws EdgeError EDGE_LAUNCHD */
export async function forgetIfUp(o: InUse & { readonly limitMs: number }): Promise<Release | undefined> {
  const { record, releases, service, config, clock, limitMs } = o;
  const current = releases.current();
  if (!current || !(await service.state()).running) return undefined;
  if (!(await waitForReady({ config, version: current.version, clock, limitMs }))) return undefined;
  record.clear();
  return current;
}
