import { readFileSync, statSync } from 'node:fs';
import { messageOf } from '../util/EdgeError.ts';
import { ConfigError } from './ConfigError.ts';

/** No configuration is larger; what is larger is another file, bytes. */
export const MAX_CONFIG_BYTES = 256 * 1024;

/** The text of the file, a BOM removed. @throws ConfigError */
export function readConfigText(file: string): string {
  const fail = (text: string) => new ConfigError([{ file, line: undefined, column: undefined, text }]);
  let bytes: Buffer;
  try {
    const stat = statSync(file);
    if (!stat.isFile()) throw fail(`is ${stat.isDirectory() ? 'a folder' : 'not a file'}, expected a YAML file`);
    if (stat.size > MAX_CONFIG_BYTES) {
      throw fail(`has ${stat.size} bytes, expected at most ${MAX_CONFIG_BYTES}; is it the right file?`);
    }
    bytes = readFileSync(file);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') {
      throw fail('there is no such file; copy config.yaml.example there, then set edge.agent_id and backend.url');
    }
    if (code === 'EACCES' || code === 'EPERM') throw fail('may not be read by this user; check its owner and mode');
    throw fail(`cannot be read: ${messageOf(error)}`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw fail('is not UTF-8 text; save it as UTF-8');
  }
}
