import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLParseError,
} from 'yaml';
import type { ConfigProblem } from './ConfigError.ts';

/** More uses of anchors than any configuration has reason for; stops a file that unfolds into gigabytes. */
const MAX_ALIASES = 20;
/** Collections within collections; a configuration has four. What is far deeper no parser reads without ending its stack. */
const MAX_DEPTH = 20;
/** The parser ends some errors with what it found, which may be a password that begins with |, >, ! or ]. */
const PIECE_OF_FILE = /: ["|>!].*$/s;
const TOO_MANY = `uses aliases more than ${MAX_ALIASES} times, expected fewer`;
const NO_ANCHOR = 'an alias (*name) without an anchor (&name) before it';
const TOO_DEEP = `is nested more than ${MAX_DEPTH} levels deep, expected fewer`;
const SECTIONS_EXPECTED = 'expected sections such as edge: and backend:';

interface Place {
  line: number;
  column: number;
}

export interface ParsedYaml {
  readonly problems: readonly ConfigProblem[];
  /** False: there is nothing to check further. */
  readonly isMap: boolean;
  /** Plain data; what is null in the file is undefined, which means "not set". */
  readonly value: unknown;
  /** Where the key or the value at `path` stands; for what is missing, where the innermost section around it begins. */
  placeOf(path: readonly PropertyKey[], wrong: 'key' | 'value'): Place;
}

/** YAML 1.2 → plain data with places. Never throws: what is wrong is listed. */
export function parseYaml(file: string, text: string): ParsedYaml {
  const lines = new LineCounter();
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const document = compose(text, lines);
  if (!document) {
    const problem = { file, line: 1, column: 1, text: TOO_DEEP };
    return { problems: [problem], isMap: false, value: undefined, placeOf: () => place(0) };
  }
  const problems: ConfigProblem[] = document.errors.map((error) => ({
    file,
    ...place(error.pos[0]),
    text: inWords(error),
  }));
  let aliases = 0;
  visit(document, {
    Collection(_key, node, path) {
      if (path.filter(isCollection).length < MAX_DEPTH) return undefined;
      problems.push({ file, ...place(node.range?.[0] ?? 0), text: TOO_DEEP });
      return visit.BREAK;
    },
    Alias(_key, node) {
      aliases++;
      // Each looks through the whole file for its anchor, so that very many would take minutes.
      const isTooMany = aliases > MAX_ALIASES;
      if (!isTooMany && node.resolve(document)) return undefined;
      problems.push({ file, ...place(node.range?.[0] ?? 0), text: isTooMany ? TOO_MANY : NO_ANCHOR });
      return isTooMany ? visit.BREAK : undefined;
    },
  });
  const unusable = { problems, isMap: false, value: undefined, placeOf: () => place(0) };
  // Duplicate keys leave a document that can be checked further; other errors would only be followed by false ones.
  if (problems.length > document.errors.filter(({ code }) => code === 'DUPLICATE_KEY').length) return unusable;
  const root = document.contents as Node | null;
  if (!isMap(root)) {
    const what = root === null || (isScalar(root) && root.value === null) ? 'is empty' : 'holds no keys';
    return { ...unusable, problems: [{ file, line: 1, column: 1, text: `${what}, ${SECTIONS_EXPECTED}` }] };
  }
  try {
    const value = withoutNulls(document.toJS({ maxAliasCount: MAX_ALIASES }));
    return { problems, isMap: true, value, placeOf: (path, wrong) => place(offsetOf(document, path, wrong)) };
  } catch {
    return {
      ...unusable,
      problems: [{ file, line: 1, column: 1, text: TOO_MANY }],
    };
  }
}

/** Undefined where collections within collections ended the parser's stack; it says so as an error of its own, or throws. */
function compose(text: string, lineCounter: LineCounter): Document.Parsed | undefined {
  try {
    // prettyErrors would quote the line, and with it a secret that somebody put there.
    const document = parseDocument(text, { lineCounter, prettyErrors: false, logLevel: 'error' });
    return document.errors.some(({ message }) => message.includes('call stack')) ? undefined : document;
  } catch {
    return undefined;
  }
}

function inWords({ code, message }: YAMLParseError): string {
  if (code === 'TAB_AS_INDENT') return 'is indented with a tab, expected spaces';
  if (code === 'BAD_DQ_ESCAPE') return `not valid YAML: ${message}; in single quotes a \\ stays as it is`;
  return `not valid YAML: ${message.replace(PIECE_OF_FILE, '')}`;
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object') return value;
  if (value === null) return undefined;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutNulls(inner)]));
}

function offsetOf(document: Document, path: readonly PropertyKey[], wrong: 'key' | 'value'): number {
  let node: unknown = document.contents;
  let offset = (document.contents as Node | null)?.range?.[0] ?? 0;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => String(isScalar(key) ? key.value : key) === String(step));
      if (!pair) break;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value;
    } else {
      node = (node as { items?: unknown[] } | null)?.items?.[Number(step)];
      offset = (node as Node | null | undefined)?.range?.[0] ?? offset;
    }
    offset = wrong === 'value' && isScalar(node) && node.value !== null ? (node.range?.[0] ?? offset) : offset;
  }
  return offset;
}
