import { existsSync, readFileSync } from 'node:fs';
import type { Config } from '../../config/schema.ts';
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

export interface RanBefore {
  readonly record: UpgradeRecord;
  readonly releases: Releases;
  readonly service: LaunchdService;
  readonly plistPath: string;
  readonly config: Config;
  readonly clock: Clock;
}

/**
 * What runs, or ran before an upgrade that was interrupted, `left`. Where the release in use does run by now, nothing was
 * left: it came up after all, or had not been stopped yet. @throws EdgeError EDGE_LAUNCHD
 */
export async function ranBefore(o: RanBefore): Promise<Before & { readonly left: Upgrade | undefined }> {
  const { record, releases, service, plistPath, config, clock } = o;
  const current = releases.current();
  const inPlace: Before = {
    release: current,
    plist: existsSync(plistPath) ? readFileSync(plistPath, 'utf8') : undefined,
    backup: undefined,
  };
  const left = record.read();
  if (!left) return { ...inPlace, left };
  const { running } = await service.state();
  if (running && current && (await waitForReady({ config, version: current.version, clock, limitMs: LOOK_MS }))) {
    record.clear();
    return { ...inPlace, left: undefined };
  }
  const release = left.from === null ? undefined : releases.find(left.from);
  if (left.from !== null && !release) return { ...inPlace, left }; // somebody has deleted it
  return { release, plist: left.plist ?? undefined, backup: left.backup ?? undefined, left };
}
