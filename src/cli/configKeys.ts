import { existsSync } from 'node:fs';
import { ConfigError } from '../config/ConfigError.ts';
import { type Change, editConfig, listedKey, valueFor } from '../config/editConfig.ts';
import { findConfig, loadConfig } from '../config/loadConfig.ts';
import { readConfigText } from '../config/readFile.ts';
import { isReloadable } from '../config/reload.ts';
import type { Config } from '../config/schema.ts';
import { printable } from '../util/printable.ts';
import { replaceFile } from '../util/replaceFile.ts';
import { EXIT } from './exitCodes.ts';
import { explain } from './explain.ts';
import type { CommonOptions, Io } from './Io.ts';
import { askAgent } from './takeStatus.ts';

/** `edge-agent config get KEY`: what holds, defaults included. */
export function configGet(name: string, options: CommonOptions, io: Io): number {
  const file = findConfig(options.config, io.cwd, existsSync);
  let path: readonly string[];
  try {
    path = listedKey(file, name).path;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // The name is wrong, and not the file.
    io.err(`${error.message}\n`);
    return EXIT.config;
  }
  const value = valueAt(loadConfig(file), path);
  const text = typeof value === 'string' && !options.json ? value : JSON.stringify(value ?? null);
  io.out(`${options.json ? text : printable(text)}\n`);
  return EXIT.ok;
}

/** `edge-agent config set KEY VALUE`, and with `undefined` `config unset KEY`: changes the file, and nothing else in it. */
export async function configSet(
  name: string,
  written: string | undefined,
  options: CommonOptions,
  io: Io,
): Promise<number> {
  const file = findConfig(options.config, io.cwd, existsSync);
  const before = readConfigText(file);
  let change: Change;
  let after: string;
  try {
    const key = listedKey(file, name);
    change = [name, written === undefined ? undefined : valueFor(file, before, key, written)];
    after = editConfig(file, before, [change]);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    io.err(`${error.message}\nNothing was changed.\n`);
    return EXIT.config;
  }
  const verb = written === undefined ? 'is not set' : `is ${JSON.stringify(change[1])}`;
  if (after === before) {
    io.out(`${name} ${verb} in ${file} already\n`);
    return EXIT.ok;
  }
  replaceFile(file, after);
  io.out(`${name} ${verb} now in ${file}\n`);
  let config: Config;
  try {
    config = loadConfig(file);
  } catch (error) {
    // Others than this one, which were there before.
    return explain(error, io);
  }
  io.out(`${await whenInForce(name, config)}\n`);
  return EXIT.ok;
}

async function whenInForce(name: string, config: Config): Promise<string> {
  const agent = await askAgent(config);
  if (!agent) return 'No agent runs with it; it is in force from the next start.';
  return isReloadable(name)
    ? `The agent that runs takes it over without a restart: kill -HUP ${agent.pid}`
    : 'The agent that runs needs a restart for it: edge-agent service restart';
}

function valueAt(config: Config, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], config);
}
