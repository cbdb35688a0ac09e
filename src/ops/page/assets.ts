import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';

const require = createRequire(import.meta.url);
const own = (name: string) => new URL(`./assets/${name}`, import.meta.url);
const JS = 'text/javascript; charset=utf-8';
const CSS = 'text/css; charset=utf-8';

/** Everything the page loads: files beside this one, in src as in dist, and of the package uplot. */
const FILES: Readonly<Record<string, { file: URL | string; type: string }>> = {
  '/page.css': { file: own('page.css'), type: CSS },
  '/page.js': { file: own('page.js'), type: JS },
  '/chart.js': { file: own('chart.js'), type: JS },
  '/dom.js': { file: own('dom.js'), type: JS },
  '/facts.js': { file: own('facts.js'), type: JS },
  '/lists.js': { file: own('lists.js'), type: JS },
  '/log.js': { file: own('log.js'), type: JS },
  '/icon.svg': { file: own('icon.svg'), type: 'image/svg+xml' },
  '/uplot.js': { file: require.resolve('uplot/dist/uPlot.iife.min.js'), type: JS },
  '/uplot.css': { file: require.resolve('uplot/dist/uPlot.min.css'), type: CSS },
};

export const ASSET_PATHS = Object.keys(FILES);

export interface Asset {
  readonly type: string;
  readonly plain: Buffer;
  readonly zipped: Buffer;
}

const loaded = new Map<string, Asset>();

/** Read when it is first asked for, so that an agent whose page nobody looks at does not carry it. */
export function asset(path: string): Asset {
  const known = loaded.get(path);
  if (known) return known;
  const { file, type } = FILES[path]!;
  const plain = readFileSync(file);
  const made = { type, plain, zipped: gzipSync(plain, { level: 9 }) };
  loaded.set(path, made);
  return made;
}

/** index.html, which has a place for the first state. */
export function indexHtml(): string {
  return readFileSync(own('index.html'), 'utf8');
}
