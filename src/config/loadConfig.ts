import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { ConfigError, type ConfigProblem } from './ConfigError.ts';
import { insecureUrls } from './insecureUrls.ts';
import { KEYS } from './keyList.ts';
import { missingWakeHandle } from './missingWakeHandle.ts';
import { parseYaml } from './parseYaml.ts';
import { describeIssue } from './problems.ts';
import { readConfigText } from './readFile.ts';
import { type Config, configSchema } from './schema.ts';

/**
 * Reads and checks a configuration file; touches nothing else. Paths in the result are absolute.
 * @throws ConfigError with every problem of the file, each with its place
 */
export function loadConfig(path: string): Config {
  return checkConfigText(path, readConfigText(path));
}

/** The same for a text that is, or is to be, what stands in the file at `path`. @throws ConfigError */
export function checkConfigText(path: string, text: string): Config {
  const document = parseYaml(path, text);
  const problems: ConfigProblem[] = [...document.problems];
  if (!document.isMap) throw new ConfigError(problems);

  const parsed = configSchema.safeParse(document.value);
  const found = [
    ...(parsed.error?.issues ?? []).flatMap((issue) => describeIssue(issue, document.value)),
    ...insecureUrls(document.value),
    ...missingWakeHandle(document.value),
  ];
  problems.push(...found.map(({ at, wrong, text }) => ({ file: path, ...document.placeOf(at, wrong), text })));
  if (problems.length > 0 || !parsed.success) {
    const order = (problem: ConfigProblem) => (problem.line ?? 0) * 1e6 + (problem.column ?? 0);
    throw new ConfigError(problems.sort((a, b) => order(a) - order(b)));
  }
  return withAbsolutePaths(parsed.data, dirname(resolve(path)));
}

/** `~` is the home folder; a relative path starts at the folder of the file, wherever the program was started. */
export function withAbsolutePaths<C extends Partial<Config>>(config: C, base: string): C {
  const copy = structuredClone(config);
  for (const key of KEYS.filter(({ isPath }) => isPath)) {
    const name = key.path.at(-1)!;
    const owner = key.path
      .slice(0, -1)
      .reduce((at: Record<string, unknown> | undefined, step) => at?.[step] as never, copy as Record<string, unknown>);
    const value = owner?.[name];
    if (owner && typeof value === 'string') owner[name] = resolve(base, value.replace(/^~(?=\/|$)/, homedir()));
  }
  return copy;
}

/** The file to use: the one named, else ./config.yaml, else the user's own. */
export function findConfig(named: string | undefined, cwd: string, exists: (path: string) => boolean): string {
  if (named !== undefined) return named;
  const own = join(homedir(), '.config', 'edge-agent', 'config.yaml');
  return !exists(join(cwd, 'config.yaml')) && exists(own) ? own : 'config.yaml';
}
