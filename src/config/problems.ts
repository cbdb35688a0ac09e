import { distance } from 'fastest-levenshtein';
import type { z } from 'zod';
import { KEYS } from './keyList.ts';
import { nearestOf } from './nearestOf.ts';
import { ENTRY_KEYS } from './privacySection.ts';

/** A problem and the path of the key it is about. */
export interface FoundProblem {
  readonly at: readonly PropertyKey[];
  /** Whether the key itself is wrong or what stands behind it. */
  readonly wrong: 'key' | 'value';
  readonly text: string;
}

/** Longest value repeated in an error, characters. */
const MAX_SHOWN = 60;
const LOOKS_SECRET = /secret|token|passw|credential|api_?key|bearer/i;
const WHERE_SECRETS_GO =
  'is a secret by its name, and secrets do not go into this file: set EDGE_SECRET in the environment, or name a file ' +
  'of mode 0600 in edge.secret_file, or a Keychain item in edge.secret_keychain_service';

/** What zod found, in this program's words. `root` is the data that was checked. */
export function describeIssue(issue: z.core.$ZodIssue, root: unknown): FoundProblem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((name) => {
      const at = [...issue.path, name];
      return {
        at,
        wrong: 'key',
        text: `${at.join('.')}: ${LOOKS_SECRET.test(name) ? WHERE_SECRETS_GO : unknown(at.map(String))}`,
      };
    });
  }
  const value = issue.path.reduce<unknown>((node, step) => (node as Record<PropertyKey, unknown>)?.[step], root);
  const isPattern = issue.path.at(-1) === 'pattern' && typeof value === 'string';
  const was = value === undefined ? 'is missing' : `value was ${isPattern ? JSON.stringify(value) : show(value)}`;
  return [{ at: issue.path, wrong: 'value', text: `${issue.path.join('.')}: ${was}, expected ${issue.message}` }];
}

function unknown(at: readonly string[]): string {
  const meant = nearest(at);
  return `is not a known key${meant ? `; did you mean ${meant}?` : ' (docs/CONFIGURATION.md lists them)'}`;
}

/** A key beside the unknown one with a similar name, else one of the same name elsewhere. */
function nearest(at: readonly string[]): string | undefined {
  const name = at.at(-1)!.toLowerCase().replaceAll('-', '_');
  const parent = at.slice(0, -1).join('.');
  const entry = parent.replace(/\.\d+$/, '');
  if (Object.hasOwn(ENTRY_KEYS, entry)) return nearestOf(name, ENTRY_KEYS[entry]!);
  const longer = KEYS.find(({ path }) => path.slice(0, -1).join('.') === parent && path.at(-1)!.startsWith(`${name}_`));
  if (longer) return longer.path.join('.');
  const beside = KEYS.filter((key) => key.path.slice(0, -1).join('.') === parent)
    .map((key) => ({ key, far: distance(name, key.path.at(-1)!) }))
    .filter(({ far }) => far <= Math.max(2, Math.floor(name.length / 2)))
    .sort((a, b) => a.far - b.far);
  const elsewhere = KEYS.find((key) => key.path.at(-1) === name || key.path.join('_') === name);
  return (beside[0]?.key ?? elsewhere)?.path.join('.');
}

/** The value as a person would find it in the file; never the password or the query of a URL. */
function show(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a section';
  const text = typeof value === 'string' ? value.replace(/:.*@/s, ':…@').replace(/\?.*/s, '?…') : value;
  const shown = typeof text === 'string' ? JSON.stringify(text) : String(text);
  return shown.length > MAX_SHOWN ? `${shown.slice(0, MAX_SHOWN)}…` : shown;
}
