// Prints a property list template with its @NAMES@ filled in: `node scripts/render-plist.mjs TEMPLATE NAME=VALUE…`.
import { readFileSync } from 'node:fs';
import process from 'node:process';

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

const [template, ...pairs] = process.argv.slice(2);
const values = new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));

const rendered = readFileSync(template, 'utf8').replace(/@([A-Z_]+)@/g, (_match, name) => {
  const value = values.get(name);
  if (value === undefined) throw new Error(`no value for @${name}@ of ${template}`);
  // XML 1.0 cannot hold control characters at all, not even escaped.
  if ([...value].some((character) => character < ' ')) {
    throw new Error(`${name} has a control character: ${JSON.stringify(value)}`);
  }
  return value.replace(/[&<>]/g, (character) => ENTITIES[character]);
});
process.stdout.write(rendered);
