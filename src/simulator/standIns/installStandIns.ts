import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MacosVersion } from '../ChatDbFile.ts';

const PRODUCT_VERSIONS: Record<MacosVersion, string> = { 12: '12.7.6', 13: '13.7.8', 15: '15.7.2', 26: '26.1' };

/**
 * Writes stand-ins for `launchctl`, `plutil`, `security`, `open` and `sw_vers` into `binDir`, to be put first in PATH.
 * What they remember, and a line for each call (`calls.log`), is in `stateDir`.
 */
export function installStandIns(binDir: string, stateDir: string, o: { macos?: MacosVersion } = {}): void {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const values = {
    STATE: stateDir,
    NODE: process.execPath,
    LINT: join(import.meta.dirname, 'plistLint.ts'),
    VERSION: PRODUCT_VERSIONS[o.macos ?? 26],
  };
  for (const name of ['launchctl', 'plutil', 'security', 'open', 'sw_vers']) installStandIn(name, binDir, values);
}

/** Writes one executable, its `@NAME@` marks replaced by the values as shell words. */
export function installStandIn(name: string, binDir: string, values: Readonly<Record<string, string>>): void {
  mkdirSync(binDir, { recursive: true });
  const template = readFileSync(join(import.meta.dirname, `${name}.sh`), 'utf8');
  const script = template.replace(/@([A-Z]+)@/g, (mark, key: string) => {
    const value = values[key];
    return value === undefined ? mark : `'${value.replaceAll("'", `'\\''`)}'`;
  });
  const path = join(binDir, name);
  // It may hold the server's token, so it is nobody else's to read.
  writeFileSync(path, script, { mode: 0o700 });
  chmodSync(path, 0o700);
}
