import { readFileSync } from 'node:fs';
import { messageOf } from '../../util/EdgeError.ts';

/** Lines shown of what is there and is not wanted, and of the opposite. */
const MAX_LINES = 5;
/** A key with its text, on one line or two. */
const TEXT = /(<key>([^<]*)<\/key>\s*<(string|data)>).*?(?=<\/\3>)/gs;

export type PlistDrift =
  | { readonly found: 'same' }
  | { readonly found: 'missing' }
  | { readonly found: 'unreadable'; readonly why: string }
  | {
      readonly found: 'different';
      /** The first lines that are only in the file, without the texts of keys that are: one may be a secret, for all to see. */
      readonly extra: readonly string[];
      /** The first lines that are only in what would be written. */
      readonly lacks: readonly string[];
    };

/** Whether the property list at `path` is what would be written there now. */
export function plistDrift(path: string, wanted: string): PlistDrift {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { found: 'missing' };
    return { found: 'unreadable', why: messageOf(error) };
  }
  if (text === wanted) return { found: 'same' };
  const shown = text.replace(TEXT, (whole, before: string, key: string) =>
    wanted.includes(`<key>${key}</key>`) ? whole : `${before}[not shown]`,
  );
  // Of a binary one nothing is shown: what is text in it nobody can tell apart.
  const extra = /<plist\b/.test(shown) ? onlyIn(shown, wanted) : ['a property list that is not XML, or none'];
  return { found: 'different', extra, lacks: onlyIn(wanted, text) };
}

function onlyIn(text: string, other: string): string[] {
  const others = new Set(linesOf(other));
  return linesOf(text)
    .filter((line) => line !== '' && !others.has(line))
    .slice(0, MAX_LINES);
}

const linesOf = (text: string) => text.split('\n').map((line) => line.trim());
