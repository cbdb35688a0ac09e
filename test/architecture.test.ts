import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const src = resolve(import.meta.dirname, '../src');

/** What each room may import besides itself, util and protocol. docs/ARCHITECTURE.md says why. */
const ALLOWED: Record<string, readonly string[]> = {
  'index.ts': ['cli'],
  cli: ['Agent.ts', 'ops', 'config', 'state', 'chatdb', 'relay', 'backend'],
  'Agent.ts': ['relay', 'commands', 'messaging', 'backend', 'chatdb', 'state', 'ops', 'config'],
  relay: ['chatdb', 'state', 'backend', 'messaging'],
  commands: ['state', 'messaging'],
  messaging: ['chatdb', 'state'],
  backend: [],
  chatdb: [],
  state: [],
  ops: ['state', 'chatdb'],
  protocol: [],
  config: [],
  simulator: ['chatdb'],
  hub: [],
  util: [],
};
/** The same inside hub/; every room there may use protocol and util. */
const HUB_ALLOWED: Record<string, readonly string[]> = {
  'index.ts': ['cli'],
  cli: ['Hub.ts'],
  'Hub.ts': ['edge', 'commands', 'responders', 'rooms', 'admin'],
  edge: ['commands', 'responders'],
  rooms: ['commands'],
  admin: ['commands', 'edge'],
  commands: ['responders'],
  responders: [],
};

function files(dir: string): string[] {
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name);
    if (statSync(path).isDirectory()) return files(path);
    return path.endsWith('.ts') ? [path] : [];
  });
}

const imports = files(src).flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map((match) => ({
    from: relative(src, file),
    to: relative(src, resolve(dirname(file), match[1]!)),
  })),
);
const roomOf = (path: string) => path.split('/')[0]!;

describe('the rooms of src', () => {
  it('are the ones the architecture names', () => {
    const extra = readdirSync(src).filter((name) => !(name in ALLOWED));
    expect(extra).toEqual([]);
  });

  it('import only what lies below them', () => {
    const wrong = imports.filter(({ from, to }) => {
      const [room, target] = [roomOf(from), roomOf(to)];
      return room !== target && !['util', 'protocol'].includes(target) && !ALLOWED[room]?.includes(target);
    });
    expect(wrong).toEqual([]);
  });

  it('keep util and protocol at the bottom', () => {
    const wrong = imports.filter(
      ({ from, to }) =>
        (roomOf(from) === 'util' && roomOf(to) !== 'util') ||
        (roomOf(from) === 'protocol' && !['protocol', 'util'].includes(roomOf(to))),
    );
    expect(wrong).toEqual([]);
  });

  it('keep the same order inside hub', () => {
    const inHub = (path: string) => path.split('/')[1]!;
    const wrong = imports.filter(({ from, to }) => {
      if (roomOf(from) !== 'hub' || roomOf(to) !== 'hub' || inHub(from) === inHub(to)) return false;
      return !HUB_ALLOWED[inHub(from)]?.includes(inHub(to));
    });
    expect(wrong).toEqual([]);
  });

  it('hold files of a size one can keep in mind', () => {
    const lines = files(src)
      .map((file) => ({ file: relative(src, file), lines: readFileSync(file, 'utf8').split('\n').length }))
      .sort((a, b) => a.lines - b.lines);
    expect(lines.filter((entry) => entry.lines > 400)).toEqual([]);
  });

  it('read time through the Clock and end the process in one place only', () => {
    const wrong = files(src)
      .filter((file) => !/(simulator|hub)\//.test(file) && !file.endsWith('util/Clock.ts'))
      .flatMap((file) =>
        readFileSync(file, 'utf8')
          .split('\n')
          .filter((line) => /\bDate\.now\(|performance\.now\(|\bsetTimeout\(|\bsetInterval\(/.test(line))
          .map((line) => `${relative(src, file)}: ${line.trim()}`),
      );
    expect(wrong).toEqual([]);
    const exits = files(src)
      .filter((file) => /process\.exit\(|process\.argv/.test(readFileSync(file, 'utf8')))
      .map((file) => relative(src, file));
    expect(
      exits.filter((file) => !['index.ts', 'hub/index.ts'].includes(file) && !file.startsWith('simulator/')),
    ).toEqual([]);
  });

  it('run their statements without compiling them anew, as SQLite does for a LIMIT that is a bare parameter', () => {
    const wrong = files(src).flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/.*LIMIT\s+[@?:$](?!\{).*/g)].map(
        ([line]) => `${relative(src, file)}: ${line}`,
      ),
    );
    expect(wrong).toEqual([]);
  });
});
