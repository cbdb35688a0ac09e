import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';
import { ConfigError } from '../config/ConfigError.ts';
import { findConfig, loadConfig } from '../config/loadConfig.ts';
import type { Config } from '../config/schema.ts';
import { gather } from '../ops/diagnose/gather.ts';
import { Redaction } from '../ops/diagnose/Redaction.ts';
import { writeBundle } from '../ops/diagnose/writeBundle.ts';
import { sleep, systemClock } from '../util/Clock.ts';
import { messageOf } from '../util/EdgeError.ts';
import { agentCollectors, machineCollectors } from './collectors.ts';
import { EXIT } from './exitCodes.ts';
import type { CommonOptions, Io } from './Io.ts';
import { secretSource } from './secretSource.ts';

/** How long the Keychain may take, ms: a locked one waits for a person, and the log never had the secret anyway. */
const SECRET_MS = 2_000;

export interface DiagnoseOptions extends CommonOptions {
  /** The zip. @default edge-agent-diagnose-TIME.zip in the current folder */
  readonly output?: string;
}

/** `edge-agent diagnose`: what support needs to know, in one file, whether the agent runs or not and whatever is broken. */
export async function diagnose(options: DiagnoseOptions, io: Io): Promise<number> {
  const at = systemClock.now();
  // Programs this one starts need no secret, and an environment can be listed.
  delete process.env.EDGE_SECRET;
  const configFile = resolve(io.cwd, findConfig(options.config, io.cwd, existsSync));
  const config = configOf(configFile);
  const secrets = config instanceof ConfigError ? undefined : secretSource(config, io);
  await Promise.race([secrets?.load(), sleep(systemClock, SECRET_MS)]);
  const redaction = new Redaction({ secret: () => secrets?.known ?? io.env.EDGE_SECRET });
  const collectors = machineCollectors(configFile, config, redaction);
  if (!(config instanceof ConfigError)) {
    const lookedAt = { config, file: configFile, named: options.config, cwd: io.cwd };
    collectors.push(...agentCollectors(lookedAt, io, redaction));
  }
  const collected = await gather(collectors, systemClock);

  const file = resolve(io.cwd, options.output ?? `edge-agent-diagnose-${compact(at)}.zip`);
  try {
    writeBundle({ file, at, collected, redaction });
  } catch (error) {
    io.err(`edge-agent: the bundle cannot be written: ${messageOf(error)}\n`);
    return EXIT.io;
  }
  const missing = collected.filter(({ problem }) => problem !== undefined);
  if (options.json) {
    const parts = collected.map(({ file, ms, problem }) => ({ file, ms, problem: problem ?? null }));
    io.out(`${JSON.stringify({ file, parts })}\n`);
    return EXIT.ok;
  }
  for (const { file, problem } of missing) io.err(`edge-agent: without ${file}: ${problem}\n`);
  io.out(
    `${file}\nNo text of a message and no secret is in it, and of handles the last four characters. Look it through before you hand it on.\n`,
  );
  return EXIT.ok;
}

function configOf(file: string): Config | ConfigError {
  try {
    return loadConfig(file);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

/** 2026-11-21T19:30:00.000Z → 20261121T193000Z */
function compact(at: number): string {
  return new Date(at).toISOString().replace(/[-:]|\.\d+/g, '');
}
