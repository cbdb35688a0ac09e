import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const repository = resolve(import.meta.dirname, '../..');
const inDocs = readdirSync(join(repository, 'docs')).filter((name) => name.endsWith('.md'));
const pages = ['README.md', 'CHANGELOG.md', ...inDocs.map((name) => `docs/${name}`)];
const text = (page: string) => readFileSync(join(repository, page), 'utf8');
const withoutCode = (page: string) => text(page).replace(/^```.*?^```/gms, '');

/** As GitHub makes an anchor of a heading: lower case, no punctuation, a hyphen for each space. */
const anchors = (page: string) =>
  [...withoutCode(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{Pc} -]/gu, '')
      .replaceAll(' ', '-'),
  );

describe('the documents', () => {
  it.each(pages)('%s links to nothing that is not there', (page) => {
    const links = [...withoutCode(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
    const missing = links.filter((link) => {
      if (/^https?:/.test(link)) return false;
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : relative(repository, resolve(repository, dirname(page), path));
      if (!existsSync(join(repository, target))) return true;
      return anchor !== undefined && !anchors(target).includes(anchor);
    });
    expect(missing).toEqual([]);
  });

  it('are all reached from the README', () => {
    const reached = new Set([...text('README.md').matchAll(/\]\((docs\/[^)#\s]+)/g)].map(([, link]) => link!));
    expect(pages.filter((page) => page.startsWith('docs/') && !reached.has(page))).toEqual([]);
  });
});

describe('docs/EVENTS.md', () => {
  const sources = (dir: string): string[] =>
    readdirSync(join(repository, dir), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => text(`${dir}/${name}`));
  const page = text('docs/EVENTS.md');

  it('has every form of event_id that the agent makes', () => {
    const made = ['relay', 'messaging', 'ops']
      .flatMap((room) => sources(`src/${room}`))
      .flatMap((source) => [
        ...[...source.matchAll(/event_id(?:: | = )`(\w+):\$/g)].map(([, prefix]) => prefix!),
        ...[...source.matchAll(/#addError\('\w+', `(\w+):\$/g)].map(([, prefix]) => prefix!),
        ...[...source.matchAll(/'message_(?:sent|delivered|failed)', '(\w+)', /g)].map(([, prefix]) => prefix!),
      ]);
    expect(new Set(made).size).toBeGreaterThan(12);
    expect([...new Set(made)].filter((prefix) => !page.includes(`\`${prefix}:<`))).toEqual([]);
  });

  it('has every event_type of the wire', () => {
    const [, types = ''] = /type EdgeEventType =([^;]+);/.exec(text('src/protocol/wire.ts')) ?? [];
    const names = [...types.matchAll(/'(\w+)'/g)].map(([, name]) => name!);
    expect(names.length).toBeGreaterThan(8);
    expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });
});
