import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { withAbsolutePaths } from './loadConfig.ts';
import { parseYaml } from './parseYaml.ts';
import { readConfigText } from './readFile.ts';
import { type Config, configSchema } from './schema.ts';

/** The sections of a configuration that can be told. */
export type Sections = Partial<Config>;

/**
 * Those sections of a file that nothing is wrong with, though something is with others. Of a file that is not there the
 * defaults, which an install begins with; of one that cannot be read none. Never throws.
 */
export function sectionsOf(path: string): Sections {
  const given = valuesOf(path);
  const { shape } = configSchema.unwrap();
  const right = Object.entries(shape).flatMap(([name, section]) => {
    const { success, data } = section.safeParse(given?.[name]);
    return success && given ? [[name, data] as const] : [];
  });
  return withAbsolutePaths(Object.fromEntries(right) as Sections, dirname(resolve(path)));
}

function valuesOf(path: string): Record<string, unknown> | undefined {
  if (!existsSync(path)) return {};
  try {
    const { isMap, value } = parseYaml(path, readConfigText(path));
    return isMap ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
