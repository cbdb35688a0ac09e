import { homedir } from 'node:os';
import { runProgram } from '../../ops/macos/programs.ts';
import { LaunchdService, type LaunchdServiceOptions } from '../../ops/service/LaunchdService.ts';
import { systemClock } from '../../util/Clock.ts';

/** The service of whoever runs this. */
export function launchdService(limits: Pick<LaunchdServiceOptions, 'launchctlMs'> = {}): LaunchdService {
  const uid = process.getuid?.() ?? 0;
  return new LaunchdService({ run: runProgram, clock: systemClock, uid, home: homedir(), ...limits });
}
