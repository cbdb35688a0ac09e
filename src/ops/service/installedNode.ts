import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

const recordSchema = z.object({
  node_version: z.string(),
  node_sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** With the size and time of the file nothing needs to be hashed while they are the same. */
  node_size: z.number(),
  node_mtime_ms: z.number(),
  package_version: z.string(),
  /** The file that was copied. */
  source: z.string(),
  installed_at: z.string(),
});

/** What runtime/installed.json says of the private copy of Node. */
export type InstalledNode = z.infer<typeof recordSchema>;

/** Undefined where there is none. @throws Error where it cannot be read, or is no such record */
export function readInstalledNode(path: string): InstalledNode | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const parsed = recordSchema.safeParse(JSON.parse(text));
  if (!parsed.success) throw new Error('it is not a record of a Node');
  return parsed.data;
}

/** Whole or not at all. */
export function writeInstalledNode(path: string, record: InstalledNode): void {
  const next = `${path}.next`;
  writeFileSync(next, `${JSON.stringify(record, undefined, 2)}\n`, { mode: 0o600, flush: true });
  renameSync(next, path);
}
