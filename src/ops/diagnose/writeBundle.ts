import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { strToU8, zipSync } from 'fflate';
import { printable } from '../../util/printable.ts';
import { packageVersion } from '../../util/version.ts';
import type { Collected } from './Collector.ts';
import type { Redaction } from './Redaction.ts';

export interface BundleOptions {
  /** The zip; what is there already is replaced. */
  readonly file: string;
  /** When it was made, ms since 1970. */
  readonly at: number;
  readonly collected: readonly Collected[];
  readonly redaction: Redaction;
}

/** Writes the zip, of mode 0600, whole or not at all. manifest.json in it says what is there, and what is not and why. */
export function writeBundle({ file, at, collected, redaction }: BundleOptions): void {
  const made = new Date(at);
  const manifest = {
    made: made.toISOString(),
    edge_agent: packageVersion(),
    files: collected.map(({ file, ms, problem }) => ({
      file,
      ms,
      ...(problem !== undefined && { problem: redaction.own(problem) }),
    })),
  };
  const files: [string, unknown][] = [
    ['manifest.json', manifest],
    ...collected
      .filter(({ problem }) => problem === undefined)
      .map(({ file, content }): [string, unknown] => [file, content]),
  ];
  const zip = zipSync(
    Object.fromEntries(files.map(([name, content]) => [name, strToU8(rendered(redaction.value(content)))])),
    { mtime: made },
  );
  const unfinished = `${file}.unfinished`;
  rmSync(unfinished, { force: true }); // one that is not ours to write would keep its mode
  try {
    writeFileSync(unfinished, zip, { mode: 0o600, flag: 'wx' });
    renameSync(unfinished, file);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

function rendered(content: unknown): string {
  if (Array.isArray(content) && content.every((line) => typeof line === 'string')) {
    return content.map((line) => `${printable(line)}\n`).join('');
  }
  return `${JSON.stringify(content, null, 2)}\n`;
}
