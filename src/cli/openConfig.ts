import { existsSync } from 'node:fs';
import { ConfigError } from '../config/ConfigError.ts';
import { findConfig, loadConfig } from '../config/loadConfig.ts';
import { type Places, placesOf } from '../config/placesOf.ts';
import type { Config } from '../config/schema.ts';
import { explain } from './explain.ts';
import type { CommonOptions, Io } from './Io.ts';

/** The configuration a subcommand works with. @throws ConfigError */
export function openConfig(options: CommonOptions, io: Io): { config: Config; file: string } {
  const file = findConfig(options.config, io.cwd, existsSync);
  return { config: loadConfig(file), file };
}

/** Where state and log are, though the file has problems; those are said where they leave that in doubt. */
export function openPlaces(options: CommonOptions, io: Io): Places {
  const file = findConfig(options.config, io.cwd, existsSync);
  try {
    return { ...loadConfig(file), isGuess: false };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const places = placesOf(file);
    if (places.isGuess) explain(error, io);
    return places;
  }
}
