import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { plistProblem } from './plistLint.ts';
import { type Plist, readXmlPlist, writeXmlPlist } from './xmlPlist.ts';

/** The stand-in for plutil: see plutil.sh for what there is of it. */
const args = process.argv.slice(2);
const command = args.shift();
let out: string | undefined;
let silent = false;
const words: string[] = [];
for (let word = args.shift(); word !== undefined; word = args.shift()) {
  if (word === '-o') out = args.shift();
  else if (word === '-s') silent = true;
  else if (word === '-r' || word === '-n' || word === '--') continue;
  else words.push(word);
}

const input = words.includes('-') ? await text(process.stdin) : '';

if (command === '-lint') process.exitCode = words.map(lint).some(Boolean) ? 1 : 0;
else if (command === '-convert' && (words[0] === 'xml1' || words[0] === 'json')) convert(words[0], words.slice(1));
else if (command === '-extract' && words.length === 3) extract(words[0]!, words[1]!, words[2]!);
else {
  process.stderr.write('plutil (stand-in): only -lint, -convert xml1|json and -extract are there\n');
  process.exitCode = 64;
}

function content(file: string): string {
  return file === '-' ? input : readFileSync(file, 'utf8');
}

/** Whether something is wrong with it. */
function lint(file: string): boolean {
  let problem: string | undefined;
  try {
    problem = plistProblem(content(file));
  } catch {
    problem = 'file does not exist or is not readable or is not a regular file';
  }
  // A Mac says what is wrong on stderr where a file cannot be read at all, on stdout otherwise; both are read here.
  if (problem || !silent) process.stdout.write(`${file}: ${problem ?? 'OK'}\n`);
  return problem !== undefined;
}

function read(file: string): Plist | undefined {
  try {
    return readXmlPlist(content(file));
  } catch (error) {
    process.stderr.write(`${file}: Property List error: ${(error as Error).message}\n`);
    process.exitCode = 1;
    return undefined;
  }
}

/** Without -o a file is converted in its place. */
function write(to: string, words: string): void {
  if (to === '-') process.stdout.write(words);
  else writeFileSync(to, words);
}

function convert(form: 'xml1' | 'json', files: readonly string[]): void {
  for (const file of files) {
    const value = read(file);
    if (value !== undefined) write(out ?? file, form === 'json' ? JSON.stringify(value) : writeXmlPlist(value));
  }
}

function extract(path: string, form: string, file: string): void {
  let value = read(file);
  if (value === undefined) return;
  for (const step of path.split('.')) {
    value = typeof value === 'object' ? (value as Record<string, Plist>)[step] : undefined;
    if (value !== undefined) continue;
    process.stdout.write(
      `${file}: Could not extract value, error: No value at that key path or invalid key path: ${path}\n`,
    );
    process.exitCode = 1;
    return;
  }
  const isContainer = typeof value === 'object';
  if (form === 'raw') write(out ?? '-', `${isContainer ? Object.keys(value).join('\n') : String(value)}\n`);
  else write(out ?? file, form === 'json' ? JSON.stringify(value) : writeXmlPlist(value));
}
