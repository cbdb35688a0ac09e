import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CONDITIONS } from '../../src/util/conditions.ts';
import { conditionName, ERRORS } from '../../src/util/errors.ts';

const repository = resolve(import.meta.dirname, '../..');
const page = readFileSync(join(repository, 'docs/ERRORS.md'), 'utf8');

/** The text below each `### CODE`, by code. */
const sections = new Map(
  page
    .split(/^### /m)
    .slice(1)
    .map((section) => {
      const [code, ...text] = section.split('\n');
      return [code!, text.join('\n').replace(/\n## .*$/s, '')] as const;
    }),
);
const codes = Object.keys(ERRORS) as (keyof typeof ERRORS)[];

describe('docs/ERRORS.md', () => {
  it('has every code of the catalogue and no other, in the same order', () => {
    expect([...sections.keys()]).toEqual(codes);
  });

  it.each(codes)('says of %s what the catalogue says', (code) => {
    const section = sections.get(code);
    expect(section).toContain(`\n${ERRORS[code].means}\n`);
    expect(section).toContain(`- **Do:** ${ERRORS[code].fix}\n`);
    expect(section).toContain(`- **Retry:** \`${ERRORS[code].retry}\`\n`);
    const condition = CONDITIONS[code];
    const line = condition && `\`${conditionName(code)}\` (${condition.severity}): ${condition.title}`;
    expect(/^- \*\*Condition:\*\* (.*)$/m.exec(section ?? '')?.[1]).toBe(line);
  });

  it('gives each condition a name of its own', () => {
    expect(conditionName('EDGE_SEND_NOT_PERMITTED')).toBe('automation-denied');
    expect(conditionName('EDGE_CHATDB_BUSY')).toBe('chatdb-busy');
    expect(new Set(codes.map(conditionName)).size).toBe(codes.length);
  });

  it('explains every kind of retry', () => {
    const kinds = [...new Set(Object.values(ERRORS).map(({ retry }) => retry))];
    for (const kind of kinds) expect(page).toContain(`\n| \`${kind}\` `);
  });
});

describe('the codes in the sources', () => {
  it('are all in the catalogue', () => {
    const names = readdirSync(join(repository, 'src'), { recursive: true, encoding: 'utf8' });
    const used = names
      .filter((name) => /\.(ts|js|html)$/.test(name))
      .flatMap((name) =>
        [...readFileSync(join(repository, 'src', name), 'utf8').matchAll(/(['"`])(EDGE_[A-Z_]*[A-Z])\1/g)].map(
          (match) => ({
            name,
            code: match[2]!,
          }),
        ),
      );
    expect(used.length).toBeGreaterThan(0);
    const variables = ['EDGE_SECRET', 'EDGE_AGENTS', 'EDGE_WS_REJECT']; // of the environment, not codes
    expect(used.filter(({ code }) => !(code in ERRORS) && !variables.includes(code))).toEqual([]);
  });

  it('use every code of the catalogue', () => {
    const sources = readdirSync(join(repository, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !/util\/(errors|linkErrors)\.ts$/.test(name))
      .map((name) => readFileSync(join(repository, 'src', name), 'utf8'))
      .join('\n');
    expect(codes.filter((code) => !new RegExp(`\\b${code}\\b`).test(sources))).toEqual([]);
  });
});
