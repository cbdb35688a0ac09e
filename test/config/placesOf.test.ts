import { writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { placesOf } from '../../src/config/placesOf.ts';
import { tempDir } from '../support/tempDir.ts';

const DIR = 'Library/Application Support/edge-agent';

it.each([
  ['says them though a section before is cut short', 'edge: [\nstate:\n  dir: there\n', 'there', false],
  ['says them though a section after is cut short', 'state:\n\n  # here\n  dir: there\nedge: {\n', 'there', false],
  ['says them with Windows line ends', 'edge: [\r\nstate:\r\n  dir: there\r\n', 'there', false],
  ['says them beside a key that is none', 'state: { dri: x, dir: there }\n', 'there', false],
  ['says them by leaving them out', 'edge: [\n', undefined, false],
  ['does not say them where they are what is wrong', 'state:\n  dir: @x\n', undefined, true],
  ['does not say them where the path is none', 'state: { dir: "" }\n', undefined, true],
  ['does not say them in braces that are cut short', '{"state": {"dir": "there"}, "edge": {\n', undefined, true],
  ['does not say them where the section is a word', 'state: there\n', undefined, true],
])('a file %s', (_name, text, dir, isGuess) => {
  const folder = tempDir();
  writeFileSync(join(folder, 'config.yaml'), text);
  const expected = dir === undefined ? join(homedir(), DIR) : join(folder, dir);
  expect(placesOf(join(folder, 'config.yaml'))).toMatchObject({ state: { dir: expected }, isGuess });
});
