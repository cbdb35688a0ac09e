import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const repository = resolve(import.meta.dirname, '../..');
const page = readFileSync(join(repository, 'docs/MESSAGES.md'), 'utf8');
const source = (name: string) => readFileSync(join(repository, 'src/relay', name), 'utf8');

describe('docs/MESSAGES.md', () => {
  it('names every change of a group that is told', () => {
    const text = source('rowEvents.ts');
    const changes = [...text.matchAll(/change: (?:\w+ \? )?'(\w+)'/g), ...text.matchAll(/^ {2}\d: '(\w+)'/gm)];
    expect(changes.length).toBeGreaterThan(10);
    expect(changes.map(([, name]) => name).filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });

  it('names every reaction that is told', () => {
    const [, names = ''] = /type ReactionName =([^;]+);/.exec(source('rowEvents.ts')) ?? [];
    const reactions = [...names.matchAll(/'(\w+)'/g)].map(([, name]) => name!);
    expect(reactions.length).toBeGreaterThan(5);
    expect(reactions.filter((name) => !new RegExp(`\\b${name}\\b`).test(page))).toEqual([]);
  });

  it('shows what every balloon is called', () => {
    const [, labels = ''] = /LABELS[^{]+\{([^}]+)\}/.exec(source('messageText.ts')) ?? [];
    const names = [...labels.matchAll(/: '([^']+)'/g)].map(([, name]) => name!);
    expect(names.length).toBeGreaterThan(5);
    expect(names.filter((name) => !page.includes(`[${name}]`))).toEqual([]);
  });
});
