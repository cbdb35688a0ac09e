import { ConfigError } from '../config/ConfigError.ts';
import type { Places } from '../config/placesOf.ts';
import { logTail } from '../ops/logTail.ts';
import { systemClock } from '../util/Clock.ts';
import { printable } from '../util/printable.ts';
import { EXIT } from './exitCodes.ts';
import type { CommonOptions, Io } from './Io.ts';
import { openConfig } from './openConfig.ts';
import { paintStatus } from './paint.ts';
import { renderStatus } from './renderStatus.ts';
import { type Taken, takeStatus, waitingAgent } from './takeStatus.ts';

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
  const { places, take } = await sourceOf(options, io);
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
  if (current.conditions.some(({ code }) => code === 'EDGE_NOT_ANSWERING')) return STATUS_EXIT.unknown;
  if (!current.running) return STATUS_EXIT.down;
  return current.conditions.some(({ severity }) => severity === 'critical')
    ? STATUS_EXIT.critical
    : STATUS_EXIT.healthy;
}

/** Whom to ask. With a configuration that has problems there may be an agent that waits for it to be mended. */
async function sourceOf(options: CommonOptions, io: Io): Promise<{ places: Places; take: () => Promise<Taken> }> {
  try {
    const { config } = openConfig(options, io);
    return { places: config, take: () => takeStatus(config) };
  } catch (error) {
    const waiting = error instanceof ConfigError ? await waitingAgent(options, io) : undefined;
    if (!waiting) throw error;
    const take = async () => (await waitingAgent(options, io))?.current ?? waiting.current;
    return { places: waiting.places, take };
  }
}
