import { readFileSync, writeFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import type { Rig } from '../../../scripts/rig/Rig.ts';

/** Changes the configuration file of the agent, section by section, as an operator does; the agent is told by SIGHUP only. */
export function changeConfig(rig: Rig, changes: Record<string, Record<string, unknown>>): void {
  const file = rig.path('config.yaml');
  const config = parse(readFileSync(file, 'utf8')) as Record<string, Record<string, unknown>>;
  for (const [section, values] of Object.entries(changes)) config[section] = { ...config[section], ...values };
  writeFileSync(file, stringify(config));
}
