import { homedir } from 'node:os';
import { runProgram } from '../../ops/macos/programs.ts';
import { LaunchdService } from '../../ops/service/LaunchdService.ts';
import { systemClock } from '../../util/Clock.ts';

/** The service of whoever runs this. */
export function launchdService(): LaunchdService {
  return new LaunchdService({ run: runProgram, clock: systemClock, uid: process.getuid?.() ?? 0, home: homedir() });
}
