import { dirname, resolve } from 'node:path';
import { withAbsolutePaths } from './loadConfig.ts';
import { parseYaml } from './parseYaml.ts';
import { readConfigText } from './readFile.ts';
import { type Config, configSchema } from './schema.ts';

/** Where an agent would be met that waits for its configuration to be mended. */
export interface Places {
  /** `agent_id` is undefined where that itself is wrong. */
  readonly edge: { readonly agent_id: string | undefined };
  readonly state: Config['state'];
  readonly logging: Config['logging'];
}

/** What a file that has problems still says of where state and log are; undefined where it does not. Never throws. */
export function placesOf(path: string): Places | undefined {
  const { edge, state, logging } = configSchema.unwrap().shape;
  try {
    const { isMap, value } = parseYaml(path, readConfigText(path));
    if (!isMap) return undefined;
    const given = value as Partial<Record<string, Record<string, unknown>>>;
    const parsed = { state: state.parse(given.state), logging: logging.parse(given.logging) };
    const agent_id = edge.unwrap().shape.agent_id.safeParse(given.edge?.agent_id).data;
    return { edge: { agent_id }, ...withAbsolutePaths(parsed, dirname(resolve(path))) };
  } catch {
    return undefined; // the file cannot be read, or just these sections are wrong
  }
}
