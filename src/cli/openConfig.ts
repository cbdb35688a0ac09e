import { existsSync } from 'node:fs';
import { ConfigError } from '../config/ConfigError.ts';
import { findConfig, loadConfig } from '../config/loadConfig.ts';
import { type Places, placesOf } from '../config/placesOf.ts';
import type { Config } from '../config/schema.ts';
import type { CommonOptions, Io } from './Io.ts';

/** The configuration a subcommand works with. @throws ConfigError */
export function openConfig(options: CommonOptions, io: Io): { config: Config; file: string } {
  const file = findConfig(options.config, io.cwd, existsSync);
  return { config: loadConfig(file), file };
}

/** Where state and log are, which a file that has problems elsewhere still says. @throws ConfigError */
export function openPlaces(options: CommonOptions, io: Io): Places {
  const file = findConfig(options.config, io.cwd, existsSync);
  try {
    return loadConfig(file);
  } catch (error) {
    const places = error instanceof ConfigError ? placesOf(file) : undefined;
    if (!places) throw error;
    return places;
  }
}
