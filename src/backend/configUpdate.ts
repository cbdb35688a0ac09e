import { configUpdateSchema } from '../protocol/wire.ts';
import type { LogLevel } from '../util/Logger.ts';

export interface ConfigChange {
  readonly syncIntervalSeconds?: number;
  readonly logLevel?: LogLevel;
  /** Names of what the backend may not set, or set to something unusable. */
  readonly refused: string[];
}

/** Reads `config_update.data` or `config_updates`: the two things a backend may change, everything else by name. */
export function readConfigUpdate(raw: unknown): ConfigChange {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return { refused: ['(not an object)'] };
  const entries = Object.entries(raw);
  const known = entries.filter(([key]) => Object.hasOwn(configUpdateSchema.shape, key));
  const refused = entries.filter((entry) => !known.includes(entry)).map(([key]) => key);
  const change: { syncIntervalSeconds?: number; logLevel?: LogLevel } = {};
  for (const [key, value] of known) {
    const parsed = configUpdateSchema.safeParse({ [key]: value });
    if (!parsed.success) refused.push(key);
    else if (parsed.data.sync_interval !== undefined) change.syncIntervalSeconds = parsed.data.sync_interval;
    else if (parsed.data.log_level !== undefined) change.logLevel = parsed.data.log_level;
  }
  return { ...change, refused };
}
