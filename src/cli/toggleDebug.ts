import type { Log } from '../ops/log.ts';
import type { LogLevel } from '../util/Logger.ts';

/** SIGUSR2: debug, or back to the configured level. Said at debug, where any configuration lets it through. */
export function toggleDebug(log: Log, configured: LogLevel): void {
  const calm = configured === 'debug' ? 'info' : configured;
  const isOn = log.level === 'debug';
  log.setLevel('debug');
  if (isOn) log.logger.info(`SIGUSR2: the log is at level ${calm} again`);
  else log.logger.info(`SIGUSR2: the log is at level debug, with texts and whole handles; SIGUSR2 again ends that`);
  if (isOn) log.setLevel(calm);
}
