import { stringify } from 'yaml';
import { KEYS, type ListedKey } from './keyList.ts';

const WIDTH = 100;
const HEADER = `# The configuration of edge-agent. Copy this file to config.yaml and set edge.agent_id and backend.url;
# every other key shows its default, or is switched off by a # where it has none. No secret belongs in
# here: see edge.secret_file. \`edge-agent check-config\` tests the file; docs/CONFIGURATION.md says more.
`;
/** Kinds of value that a key's name and default make plain. */
const SELF_EVIDENT = ['a path', 'true or false'];

/** The text of config.yaml.example. */
export function renderExample(): string {
  return `${HEADER}${KEYS.map(renderKey).join('')}`;
}

/** The tables of docs/CONFIGURATION.md, one a section. */
export function renderTable(): string {
  return KEYS.filter((key) => key.isSection && key.path.length === 1)
    .map((section) => {
      const keys = KEYS.filter((key) => !key.isSection && key.path[0] === section.path[0]);
      const table = aligned([['key', 'default', 'value', 'meaning'], ...keys.map(cells)]);
      return `### ${section.path[0]}\n\n${section.doc}\n\n${table}\n`;
    })
    .join('\n');
}

function cells(key: ListedKey): string[] {
  const standard = key.required ? '**required**' : key.default === undefined ? 'none' : `\`${scalar(key.default)}\``;
  return [`\`${key.path.join('.')}\``, standard, key.expected, key.doc];
}

/** A Markdown table as the formatter of this project leaves it. */
function aligned(rows: string[][]): string {
  const widths = rows[0]!.map((_cell, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  const [head, ...body] = rows;
  return [line(head!), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}

function renderKey(key: ListedKey): string {
  const indent = '  '.repeat(key.path.length - 1);
  const name = key.path.at(-1)!;
  if (key.isSection) return `${indent ? '' : '\n'}${comment(key.doc, indent)}${indent}${name}:\n`;
  const isSet = key.required || key.default !== undefined;
  const value = scalar(key.default ?? key.example);
  const expected = `${key.expected[0]?.toUpperCase()}${key.expected.slice(1)}.`;
  const doc = SELF_EVIDENT.includes(key.expected) ? key.doc : `${key.doc} ${expected}`;
  return `${comment(doc, indent)}${indent}${isSet ? '' : '# '}${name}: ${value}\n`;
}

function scalar(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim();
}

function comment(text: string, indent: string): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || indent.length + 2 + last.length + 1 + word.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.map((line) => `${indent}# ${line}\n`).join('');
}
