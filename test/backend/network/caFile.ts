import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '../../support/tempDir.ts';

/** A file for backend.ca_file with these certificates; returns its path. */
export function caFile(...certs: string[]): string {
  const path = join(tempDir(), 'ca.pem');
  writeFileSync(path, certs.join('\n'));
  return path;
}
