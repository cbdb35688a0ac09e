import { isDeepStrictEqual } from 'node:util';
import { type Document, isCollection, isMap, isScalar, parse, parseDocument, stringify } from 'yaml';
import { ConfigError } from './ConfigError.ts';
import { KEYS, type ListedKey } from './keyList.ts';
import { checkConfigText } from './loadConfig.ts';
import { describeIssue } from './problems.ts';
import { MAX_CONFIG_BYTES } from './readFile.ts';

/** A key and what it is to be; undefined takes it out of the file, so that its default holds. */
export type Change = readonly [key: string, value: unknown];

/** The key of this dotted name. @throws ConfigError with what was probably meant, or where secrets go */
export function listedKey(file: string, dotted: string): ListedKey {
  const path = dotted.split('.');
  const key = KEYS.find((known) => known.path.join('.') === dotted);
  const fail = (text: string) => new ConfigError([{ file, line: undefined, column: undefined, text }]);
  if (!key) {
    const [name, section] = [path.at(-1)!, path.slice(0, -1)];
    throw fail(describeIssue({ code: 'unrecognized_keys', keys: [name], path: section, message: '' }, {})[0]!.text);
  }
  if (!key.isSection) return key;
  const inside = KEYS.filter((inner) => inner.path.slice(0, -1).join('.') === dotted).map((inner) =>
    inner.path.join('.'),
  );
  throw fail(`${dotted} is a section; name one of its keys: ${inside.join(', ')}`);
}

/**
 * What a person wrote behind a key, as YAML has it: `true` is a flag and `30` a number, unless the key takes a text.
 * `before` is the file as it is.
 */
export function valueFor(file: string, before: string, key: ListedKey, written: string): unknown {
  let value: unknown;
  try {
    value = parse(written, { logLevel: 'error', maxAliasCount: 0 });
  } catch {
    return written; // not YAML, hence a text; whether the key takes one the schema decides
  }
  if (value === null || value === undefined || typeof value === 'string') return written;
  const name = key.path.join('.');
  const refused = (candidate: unknown) => newProblems(file, before, edited(before, [[name, candidate]])).length > 0;
  return refused(value) && !refused(written) ? written : value;
}

/**
 * The text of a configuration with other values, its comments, order and layout kept.
 * @throws ConfigError with the problems that it would have and `text` has not, or where `text` is no YAML
 */
export function editConfig(file: string, text: string, changes: readonly Change[]): string {
  const broken = problemsOf(file, text).filter((problem) => problem.text.startsWith('not valid YAML'));
  if (broken.length > 0) throw new ConfigError(broken);
  const after = edited(text, changes);
  const bytes = Buffer.byteLength(after);
  if (bytes > MAX_CONFIG_BYTES) {
    const text = `would have ${bytes} bytes, expected at most ${MAX_CONFIG_BYTES}: no agent would read it`;
    throw new ConfigError([{ file, line: undefined, column: undefined, text }]);
  }
  const problems = newProblems(file, text, after);
  if (problems.length > 0) throw new ConfigError(problems);
  return after;
}

function problemsOf(file: string, text: string): ConfigError['problems'] {
  try {
    checkConfigText(file, text);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

/** Without places: an edit above moves them. */
function newProblems(file: string, before: string, after: string): ConfigError['problems'] {
  const known = new Set(problemsOf(file, before).map(({ text }) => text));
  return problemsOf(file, after)
    .filter(({ text }) => !known.has(text))
    .map(({ text }) => ({ file, line: undefined, column: undefined, text }));
}

function edited(text: string, changes: readonly Change[]): string {
  return changes.reduce((at, [name, value]) => withKey(at, name.split('.'), value), text);
}

/** What the splice gives is taken when it says the same as the document does; the document writes its own layout. */
function withKey(text: string, path: readonly string[], value: unknown): string {
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'error' });
  const spliced = value === undefined ? withoutLine(document, text, path) : inPlace(document, text, path, value);
  if (value === undefined) document.deleteIn(path);
  else setIn(document, path, value);
  return spliced !== undefined && isDeepStrictEqual(plain(spliced), document.toJS())
    ? spliced
    : document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** Sections on the way that are missing, or empty, are made. */
function setIn(document: Document, path: readonly string[], value: unknown): void {
  for (let depth = 1; depth < path.length; depth++) {
    const section = path.slice(0, depth);
    if (!isMap(document.getIn(section, true))) document.setIn(section, document.createNode({}));
  }
  document.setIn(path, value);
}

/** Changes nothing but the value itself; a key that is not there goes where the example file has it as a comment. */
function inPlace(document: Document, text: string, path: readonly string[], value: unknown): string | undefined {
  const flow = (data: unknown) => stringify(data, { collectionStyle: 'flow', lineWidth: 0 }).trim();
  const [name, node] = [path.at(-1)!, document.getIn(path, true)];
  if ((isScalar(node) || (isCollection(node) && node.flow)) && node.range && node.range[1] > node.range[0]) {
    return text.slice(0, node.range[0]) + flow(value) + text.slice(node.range[1]);
  }
  if (!document.has(path[0])) {
    const added = path.reduceRight<unknown>((inner, step) => ({ [step]: inner }), value);
    return `${text.replace(/\n*$/, '\n\n')}${stringify(added, { lineWidth: 0 })}`;
  }
  const section = document.getIn(path.slice(0, -1), true);
  if (node !== undefined || !isMap(section) || section.flow || !section.range) return undefined;
  const [from, , to] = section.range;
  const line = new RegExp(`^( +)# ${name}:.*$`, 'm').exec(text.slice(from, to));
  if (line) {
    const at = from + line.index;
    return `${text.slice(0, at)}${line[1]}${name}: ${flow(value)}${text.slice(at + line[0].length)}`;
  }
  const last = section.items.at(-1)?.value;
  if (!isScalar(last) || !last.range) return undefined;
  const end = lineEnd(text, last.range[1]);
  const indent = ' '.repeat(from - lineStart(text, from));
  return `${text.slice(0, end)}\n${indent}${name}: ${flow(value)}${text.slice(end)}`;
}

function withoutLine(document: Document, text: string, path: readonly string[]): string | undefined {
  const node = document.getIn(path, true);
  if (!isScalar(node) || !node.range) return undefined;
  return text.slice(0, lineStart(text, node.range[0])) + text.slice(lineEnd(text, node.range[1]) + 1);
}

const lineStart = (text: string, at: number) => text.lastIndexOf('\n', at - 1) + 1;
const lineEnd = (text: string, at: number) => {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
};

function plain(text: string): unknown {
  try {
    return parse(text, { logLevel: 'error' });
  } catch {
    return undefined;
  }
}
