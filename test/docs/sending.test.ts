import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MESSAGE_ERRORS } from '../../src/messaging/messageErrors.ts';
import { SCRIPT_ERRORS } from '../../src/messaging/scriptErrors.ts';
import { conditionName, ERRORS, type ErrorCode } from '../../src/util/errors.ts';

const page = readFileSync(join(resolve(import.meta.dirname, '../..'), 'docs/SENDING.md'), 'utf8');

/** The rows of the table below `## title`, without its head. */
function table(title: string): string[][] {
  const [, section = ''] = page.split(`\n## ${title}\n`);
  const lines = section.split('\n## ')[0]!.split('\n');
  const rows = lines.filter((line) => line.startsWith('| ')).map((line) => line.split('|').slice(1, -1));
  return rows.slice(1).map((cells) => cells.map((cell) => cell.trim()));
}

describe('docs/SENDING.md', () => {
  it('has every error of osascript as the code has it, and no other', () => {
    expect(table('What osascript says')).toEqual(
      SCRIPT_ERRORS.map(({ number, says, means, retry, fix }) => [
        String(number ?? `“${says}”`),
        means,
        `\`${retry}\``,
        fix,
      ]),
    );
  });

  it('has every message.error as the code has it, and no other', () => {
    expect(table('What Messages says later')).toEqual(
      MESSAGE_ERRORS.map(({ number, means, retry, fix }) => [String(number), means, `\`${retry}\``, fix]),
    );
  });

  it('names the conditions that stop sending, each with the numbers it comes after', () => {
    const shown = new Map(table('What stops everything').map(([name, after]) => [name, after!]));
    const stopping = SCRIPT_ERRORS.filter(({ retry, code }) => retry === 'pause' || code === 'EDGE_SEND_NO_ACCOUNT');
    const codes = [...new Set<ErrorCode>(stopping.map(({ code }) => code))];
    expect([...shown.keys()].sort()).toEqual(codes.map((code) => `\`${conditionName(code)}\``).sort());
    for (const { number, code } of stopping) {
      if (code !== 'EDGE_SEND_SPAWN') expect(shown.get(`\`${conditionName(code)}\``)).toContain(String(number));
    }
  });
});

describe('the tables of errors', () => {
  it('have each number once, and a sentence for what it means and what to do', () => {
    for (const errors of [SCRIPT_ERRORS, MESSAGE_ERRORS]) {
      expect(new Set(errors.map(({ number }) => number)).size).toBe(errors.length);
      for (const { means, fix } of errors) for (const text of [means, fix]) expect(text).toMatch(/^[A-Za-z].*\.$/);
    }
    for (const { code } of SCRIPT_ERRORS) expect(ERRORS).toHaveProperty(code);
  });
});
