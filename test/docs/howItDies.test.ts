import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../src/cli/exitCodes.ts';
import { conditionName, ERRORS, type ErrorCode } from '../../src/util/errors.ts';

const repository = resolve(import.meta.dirname, '../..');
const page = readFileSync(join(repository, 'docs/HOW-IT-DIES.md'), 'utf8');
const codes = Object.keys(ERRORS) as ErrorCode[];

/** Codes that are nothing to be found at night, each with the reason. Every other one has its place on the page. */
const EXCUSED: Partial<Record<ErrorCode, string>> = {
  EDGE_COMMAND_INVALID: 'an ack that tells the backend what its command lacks',
  EDGE_PROGRAM_MISSING: 'told to who runs a command of the command line',
  EDGE_LAUNCHD: 'told to who runs `edge-agent service`',
  EDGE_KEYCHAIN: 'told to who runs `edge-agent service`',
  EDGE_NODE_COPY: 'told to who runs `edge-agent service`',
};

/** The words in the sources of the agent, what is put into them as `…`. */
const sources = readdirSync(join(repository, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !/^(hub|simulator)\//.test(name))
  .map((name) => readFileSync(join(repository, 'src', name), 'utf8').replace(/\$\{[^}]*\}/g, '…'))
  .join('\n');

describe('docs/HOW-IT-DIES.md', () => {
  it('names no code that there is not', () => {
    const named = new Set([...page.matchAll(/\bEDGE_[A-Z_]*[A-Z]\b/g)].map(([code]) => code));
    expect([...named].filter((code) => !(code in ERRORS))).toEqual([]);
  });

  it('has every code that an operator can meet', () => {
    const missing = codes.filter((code) => !new RegExp(`\\b${code}\\b`).test(page));
    expect(missing).toEqual(codes.filter((code) => code in EXCUSED));
  });

  it('has every condition by its name', () => {
    const conditions = codes.filter((code) => 'condition' in ERRORS[code]).map(conditionName);
    expect(conditions.length).toBeGreaterThan(20);
    expect(conditions.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });

  it('quotes no log line that is not written', () => {
    const quoted = [...page.matchAll(/`\[(?:INFO|WARN|ERROR)\] (?:EDGE_\w+: )?(.*?)`/g)].map(([, words]) => words!);
    expect(quoted.length).toBeGreaterThan(40);
    const pieces = quoted.flatMap((words) => words.split('…').map((piece) => piece.trim()));
    expect(pieces.filter((piece) => !sources.includes(piece))).toEqual([]);
  });

  it('has every exit code with which the agent itself can end', () => {
    const shown = [...page.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
    const ofOtherCommands: number[] = [EXIT.usage, EXIT.data];
    expect(shown).toEqual(Object.values(EXIT).filter((code) => !ofOtherCommands.includes(code)));
  });
});
