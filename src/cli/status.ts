import { ConfigError } from '../config/ConfigError.ts';
import type { Places } from '../config/placesOf.ts';
import { logTail } from '../ops/logTail.ts';
import { systemClock } from '../util/Clock.ts';
import { printable } from '../util/printable.ts';
import { EXIT } from './exitCodes.ts';
import { explain } from './explain.ts';
import type { CommonOptions, Io } from './Io.ts';
import { openConfig } from './openConfig.ts';
import { paintStatus } from './paint.ts';
import { renderStatus } from './renderStatus.ts';
import { askDespite, type Taken, takeStatus } from './takeStatus.ts';

/** As `systemctl status` has it, so that scripts need not learn another set. */
const STATUS_EXIT = { healthy: 0, critical: 1, down: 3, unknown: 4 } as const;
const LOG_LINES = 10;

export interface StatusOptions extends CommonOptions {
  readonly watch?: boolean;
}

/**
 * `edge-agent status`: asks the agent; when none runs, says so and reads what it left in state.db. Warnings
 * alone leave the exit code 0, as they leave GET /health at 200: all is done that is to be done.
 */
export async function status(options: StatusOptions, io: Io): Promise<number> {
  const { places, take, problems } = await sourceOf(options, io);
  const { file } = places.logging;
  if (options.watch) {
    const { watchStatus } = await import('./watchStatus.ts');
    await watchStatus({ take, logFile: file, isJson: options.json === true, out: io.out, clock: systemClock });
    return EXIT.ok;
  }
  const current = await take();
  const log = logTail(file, LOG_LINES);
  if (options.json) io.out(`${printable(JSON.stringify({ ...current, log }))}\n`);
  else io.out(`${paintStatus(renderStatus(current, file, log), current).join('\n')}\n`);
  // One that waits for them has them among its conditions.
  if (problems && current.running) explain(problems, io);
  if (current.conditions.some(({ code }) => code === 'EDGE_NOT_ANSWERING')) return STATUS_EXIT.unknown;
  if (!current.running) return STATUS_EXIT.down;
  return current.conditions.some(({ severity }) => severity === 'critical')
    ? STATUS_EXIT.critical
    : STATUS_EXIT.healthy;
}

interface Source {
  readonly places: Places;
  take(): Promise<Taken>;
  /** Of the configuration, where it has any. */
  readonly problems?: ConfigError;
}

/** Whom to ask. With a configuration that has problems there may be an agent that runs all the same, or waits. */
async function sourceOf(options: CommonOptions, io: Io): Promise<Source> {
  try {
    const { config } = openConfig(options, io);
    return { places: config, take: () => takeStatus(config) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const found = await askDespite(options, io);
    if (!found) throw error;
    const take = async () => (await askDespite(options, io))?.current ?? found.current;
    return { places: found.places, take, problems: error };
  }
}
