import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MacosVersion } from '../ChatDbFile.ts';

const PRODUCT_VERSIONS: Record<MacosVersion, string> = { 12: '12.7.6', 13: '13.7.8', 15: '15.7.2', 26: '26.1' };
const NAMES = [
  'caffeinate',
  'codesign',
  'defaults',
  'fdesetup',
  'launchctl',
  'open',
  'plutil',
  'pmset',
  'security',
  'sw_vers',
  'tccutil',
] as const;
/** `pmset -g custom` of a Mac mini that was set up to stay awake and to start again after a power loss. */
const POWER = {
  womp: 1,
  autorestart: 1,
  Sleep_On_Power_Button: 1,
  powernap: 1,
  networkoversleep: 0,
  disksleep: 0,
  sleep: 0,
  ttyskeepawake: 1,
  displaysleep: 10,
  tcpkeepalive: 1,
};

export interface StandInOptions {
  /** @default 26 */
  readonly macos?: MacosVersion;
  /**
   * Whether launchctl really starts the programs of what is bootstrapped: with the plist's ThrottleInterval, or with
   * `throttleMs` in its place. They end with bootout, or soon after `stateDir` was removed. @default false
   */
  readonly startServices?: boolean | { readonly throttleMs: number };
  /** Settings of pmset, by name; beside those of a Mac that was set up well. */
  readonly power?: Readonly<Record<string, number>>;
  /** @default false */
  readonly fileVault?: boolean;
  /** Who is logged in at start; null for nobody. @default a user */
  readonly autoLoginUser?: string | null;
}

/**
 * Writes stand-ins for programs of macOS (NAMES) into `binDir`, to be put first in PATH. What they remember, and a line
 * for each call (`calls.log`), is in `stateDir`; the head of each script says what a test can set there. See also
 * failStandIn.
 */
export function installStandIns(binDir: string, stateDir: string, o: StandInOptions = {}): void {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const values = {
    STATE: stateDir,
    COMMON: join(import.meta.dirname, 'common.sh'),
    NODE: process.execPath,
    PLUTIL: join(import.meta.dirname, 'plutil.ts'),
    JOB: join(import.meta.dirname, 'launchdJob.ts'),
    VERSION: PRODUCT_VERSIONS[o.macos ?? 26],
  };
  for (const name of NAMES) installStandIn(name, binDir, values);
  writeIn(
    stateDir,
    'pmset',
    Object.entries({ ...POWER, ...o.power }).map(([name, value]) => `${name} ${value}`),
  );
  if (o.fileVault) writeIn(stateDir, 'filevault', []);
  const { startServices: starts = false, autoLoginUser = 'agent' } = o;
  if (starts) writeIn(stateDir, 'launchd/starts', starts === true ? [] : [`${starts.throttleMs}`]);
  if (autoLoginUser !== null) {
    writeIn(stateDir, 'defaults/:Library:Preferences:com.apple.loginwindow/autoLoginUser', [autoLoginUser]);
  }
}

function writeIn(folder: string, name: string, lines: readonly string[]): void {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
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
