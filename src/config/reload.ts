import { isDeepStrictEqual } from 'node:util';
import { KEYS } from './keyList.ts';
import type { Config } from './schema.ts';

/** Keys, and sections as a whole, that take effect while the agent runs. docs/CONFIGURATION.md lists them too. */
export const RELOADABLE = [
  'backend.sync_interval_seconds',
  'sending.bubble_pause',
  'sending.allow_new_threads',
  'sending.rate',
  'logging.level',
  'privacy',
] as const;

/** What a file that was read again changes. */
export interface ReloadPlan {
  /** What is in force from now: the running configuration with what can be taken over. */
  readonly config: Config;
  /** Keys that differ and are taken over, in the order of the schema. */
  readonly applied: readonly string[];
  /** Keys that differ and stay as they were until the next start. */
  readonly needsRestart: readonly string[];
}

/** Compares the configuration in force with the one in the file, key by key. */
export function planReload(running: Config, wanted: Config): ReloadPlan {
  const config = structuredClone(running);
  const applied: string[] = [];
  const needsRestart: string[] = [];
  for (const { path } of KEYS.filter(({ isSection }) => !isSection)) {
    if (isDeepStrictEqual(valueAt(running, path), valueAt(wanted, path))) continue;
    const name = path.join('.');
    if (!isReloadable(name)) {
      needsRestart.push(name);
      continue;
    }
    applied.push(name);
    const owner = valueAt(config, path.slice(0, -1)) as Record<string, unknown>;
    owner[path.at(-1)!] = structuredClone(valueAt(wanted, path));
  }
  return { config, applied, needsRestart };
}

/** Whether a running agent takes this key over on SIGHUP. */
export function isReloadable(name: string): boolean {
  return RELOADABLE.some((key) => name === key || name.startsWith(`${key}.`));
}

function valueAt(config: Config, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], config);
}
