import { existsSync } from 'node:fs';
import { findConfig, loadConfig } from '../config/loadConfig.ts';
import type { Config } from '../config/schema.ts';
import type { CommonOptions, Io } from './Io.ts';

/** The configuration a subcommand works with. @throws ConfigError */
export function openConfig(options: CommonOptions, io: Io): { config: Config; file: string } {
  const file = findConfig(options.config, io.cwd, existsSync);
  return { config: loadConfig(file), file };
}
