import { readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { EdgeError } from '../../util/EdgeError.ts';
import { SERVICE_LABEL, servicePaths } from './servicePaths.ts';

/** The template lies three folders above this file, in src as in dist. */
const TEMPLATE = new URL(`../../../launchd/${SERVICE_LABEL}.plist.template`, import.meta.url);
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
/** XML 1.0 §2.2 has no place for these, not even as references: control characters, halves of pairs, non-characters. */
const UNWRITABLE = /[\p{Cc}\p{Cs}\ufffe\uffff]/u;

/** What differs from Mac to Mac. All absolute: launchd knows no current folder and expands no `~`. */
export interface AgentPlist {
  readonly home: string;
  readonly node: string;
  /** The file that this Node runs: dist/index.js. */
  readonly program: string;
  readonly config: string;
}

/** The property list of the LaunchAgent, as XML. @throws EdgeError EDGE_LAUNCHD: a path that no property list can hold */
export function renderPlist({ home, node, program, config }: AgentPlist): string {
  const values: Readonly<Record<string, string>> = {
    LABEL: SERVICE_LABEL,
    NODE: checked(node),
    PROGRAM: checked(program),
    CONFIG: checked(config),
    HOME: checked(home),
    STDERR: servicePaths(checked(home)).stderrLog,
  };
  return readFileSync(TEMPLATE, 'utf8').replace(/@([A-Z]+)@/g, (mark, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`the template of the property list has ${mark}, which nothing fills in`);
    return value.replace(/[&<>]/g, (character) => ENTITIES[character]!);
  });
}

function checked(path: string): string {
  if (!isAbsolute(path)) throw new EdgeError('EDGE_LAUNCHD', `${path} is not an absolute path`);
  if (!UNWRITABLE.test(path)) return path;
  throw new EdgeError('EDGE_LAUNCHD', `${JSON.stringify(path)} has a character that no property list can hold`);
}
