import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { withAbsolutePaths } from './loadConfig.ts';
import { parseYaml } from './parseYaml.ts';
import { readConfigText } from './readFile.ts';
import { type Config, configSchema } from './schema.ts';

/** Where an agent would be met whose configuration has problems. */
export interface Places {
  /** `agent_id` is undefined where that itself is wrong. */
  readonly edge: { readonly agent_id: string | undefined };
  readonly state: Config['state'];
  readonly logging: Config['logging'];
  /** The file may name others that cannot be read from it: these are the defaults, wholly or in part. */
  readonly isGuess: boolean;
}

type Section<S extends z.ZodRawShape> = z.ZodPrefault<z.ZodObject<S>>;
type Given = Readonly<Record<string, unknown>>;

/** What a file that has problems still says of where state and log are, else the defaults. Never throws. */
export function placesOf(path: string): Places {
  const { edge, state, logging } = configSchema.unwrap().shape;
  const text = textOf(path);
  const found = { edge: sectionOf(text, 'edge'), state: sectionOf(text, 'state'), logging: sectionOf(text, 'logging') };
  const read = { state: withoutWrong(state, found.state), logging: withoutWrong(logging, found.logging) };
  return {
    edge: { agent_id: edge.unwrap().shape.agent_id.safeParse(asSection(found.edge)?.agent_id).data },
    ...withAbsolutePaths(read, dirname(resolve(path))),
    isGuess: text === undefined || isLost(state, found.state, 'dir') || isLost(logging, found.logging, 'file'),
  };
}

function textOf(path: string): string | undefined {
  try {
    return readConfigText(path);
  } catch {
    return undefined;
  }
}

/** What stands behind the name of a section; where the file is not YAML, from the lines of that section alone. */
function sectionOf(text: string | undefined, name: string): unknown {
  if (text === undefined) return undefined;
  const whole = parseYaml('', text);
  if (whole.isMap) return (whole.value as Given)[name];
  const lines = text.split(/\r?\n/);
  const from = lines.findIndex((line) => line.startsWith(`${name}:`));
  // Of a file in braces nothing stands at the beginning of a line, and this may be the section's name all the same.
  if (from === -1) return new RegExp(`\\b${name}["']?\\s*:`).test(text) ? UNREADABLE : undefined;
  const length = lines.slice(from + 1).findIndex((line) => /^[^\s#]/.test(line));
  const block = parseYaml('', lines.slice(from, length === -1 ? undefined : from + 1 + length).join('\n'));
  return block.isMap ? (block.value as Given)[name] : UNREADABLE;
}

/** Something stands there that is no section. */
const UNREADABLE = '';

/** The section with the defaults in the place of what is wrong. */
function withoutWrong<S extends z.ZodRawShape>(schema: Section<S>, given: unknown) {
  const { shape } = schema.unwrap();
  const right = Object.entries(asSection(given) ?? {}).filter(([key, value]) => isRight(shape[key], value));
  return schema.parse(Object.fromEntries(right) as never);
}

/** Whether the file means to say this and says nothing of use. */
function isLost<S extends z.ZodRawShape>(schema: Section<S>, given: unknown, key: string): boolean {
  if (given === undefined) return false;
  const section = asSection(given);
  return section === undefined || !isRight(schema.unwrap().shape[key], section[key]);
}

function isRight(key: z.core.$ZodType | undefined, value: unknown): boolean {
  return key !== undefined && (key as z.ZodType).safeParse(value).success;
}

function asSection(given: unknown): Given | undefined {
  return typeof given === 'object' && given !== null && !Array.isArray(given) ? (given as Given) : undefined;
}
