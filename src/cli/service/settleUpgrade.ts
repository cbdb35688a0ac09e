import { homedir } from 'node:os';
import { placesOf } from '../../config/placesOf.ts';
import { servicePaths } from '../../ops/service/servicePaths.ts';
import { UpgradeRecord } from '../../ops/service/UpgradeRecord.ts';
import { systemClock } from '../../util/Clock.ts';
import type { Io } from '../Io.ts';
import { launchdService } from './launchdService.ts';
import { oneAtATime } from './oneAtATime.ts';
import { forgetIfUp } from './ranBefore.ts';
import { releasesOf } from './releases.ts';
import { serviceConfig } from './wantedPlist.ts';

/** How long what runs already, and what was started just now, may take to answer, ms. Nobody waits where no upgrade was interrupted. */
export const SETTLE_MS = { running: 5_000, started: 20_000 } as const;

/**
 * Forgets an upgrade that was interrupted where the release in use runs and answers: it came up after all. Else one that
 * fails later would go back behind it. An upgrade that is at work is left alone.
 */
export async function settleUpgrade(io: Io, limitMs: number): Promise<void> {
  const home = homedir();
  const { appDir } = servicePaths(home);
  const record = new UpgradeRecord(appDir);
  if (!record.read()) return;
  const config = placesOf(serviceConfig(undefined, io.cwd));
  const work = async () => {
    const o = { record, releases: releasesOf(home), service: launchdService(), config, clock: systemClock, limitMs };
    const release = await forgetIfUp(o);
    if (release) io.out(`The upgrade that was interrupted is over: ${release.id} answers.\n`);
    return 0;
  };
  await oneAtATime(appDir, { ...io, err: () => {} }, work);
}
