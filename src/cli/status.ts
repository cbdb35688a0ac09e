import { existsSync } from 'node:fs';
import { ConfigError } from '../config/ConfigError.ts';
import { findConfig, loadConfig } from '../config/loadConfig.ts';
import { type Places, placesOf } from '../config/placesOf.ts';
import { logTail } from '../ops/logTail.ts';
import { systemClock } from '../util/Clock.ts';
import { printable } from '../util/printable.ts';
import { EXIT } from './exitCodes.ts';
import { explain } from './explain.ts';
import type { CommonOptions, Io } from './Io.ts';
import { paintStatus } from './paint.ts';
import { renderStatus } from './renderStatus.ts';
import { type Taken, takeStatus, takeStatusAt } from './takeStatus.ts';

/** As `systemctl status` has it, so that scripts need not learn another set. */
const STATUS_EXIT = { healthy: 0, critical: 1, down: 3, unknown: 4, config: EXIT.config } as const;
const LOG_LINES = 10;

export interface StatusOptions extends CommonOptions {
  readonly watch?: boolean;
}

/**
 * `edge-agent status`: asks the agent; when none runs, says so and reads what it left in state.db. Warnings
 * alone leave the exit code 0, as they leave GET /health at 200: all is done that is to be done.
 */
export async function status(options: StatusOptions, io: Io): Promise<number> {
  const { places, take, problems } = sourceOf(options, io);
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
  const isWaiting = current.conditions.some(({ code }) => code === 'EDGE_CONFIG_INVALID');
  if (problems && (current.running || !isWaiting)) {
    explain(problems.error, io);
    if (problems.isGuess) {
      io.err(
        `  What stands above is of state.dir ${places.state.dir}: the file does not say whether that is the one.\n`,
      );
      if (!current.running) return STATUS_EXIT.config;
    }
  }
  if (current.conditions.some(({ code }) => code === 'EDGE_NOT_ANSWERING')) return STATUS_EXIT.unknown;
  if (!current.running) return STATUS_EXIT.down;
  return current.conditions.some(({ severity }) => severity === 'critical')
    ? STATUS_EXIT.critical
    : STATUS_EXIT.healthy;
}

interface Source {
  readonly places: Pick<Places, 'state' | 'logging'>;
  take(): Promise<Taken>;
  /** Of the configuration, where it has any; `isGuess`: there may be an agent elsewhere. */
  readonly problems?: { readonly error: ConfigError; readonly isGuess: boolean };
}

/** Whom to ask. With a configuration that has problems there may be an agent that runs all the same, or waits. */
function sourceOf(options: CommonOptions, io: Io): Source {
  const file = findConfig(options.config, io.cwd, existsSync);
  try {
    const config = loadConfig(file);
    return { places: config, take: () => takeStatus(config) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const places = placesOf(file);
    return { places, take: () => takeStatusAt(placesOf(file)), problems: { error, isGuess: places.isGuess } };
  }
}
