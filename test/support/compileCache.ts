import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Hundreds of processes of the program start in a run of the tests: the first leaves the others what V8 and the stripping
 * of types made of the sources, which is half of what a start costs. Gone when the run is over.
 */
export function setup(): (() => void) | undefined {
  if (process.env.NODE_COMPILE_CACHE) return; // of whoever runs the tests, or made for the other project
  const dir = mkdtempSync(join(tmpdir(), 'edge-compiled-'));
  process.env.NODE_COMPILE_CACHE = dir;
  return () => rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
}
