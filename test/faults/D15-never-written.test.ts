import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { ANN, BEN, type FaultRun } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';

/** All by which a file can be made, changed or taken away. */
const CALLS = [
  'open,openat,creat,unlink,unlinkat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,truncate,ftruncate',
  'fallocate,write,pwrite64,writev,pwritev,pwritev2,copy_file_range,sendfile,chmod,fchmod,fchmodat,chown,fchown',
  'fchownat,utimensat,mmap',
].join(',');
const dir = mkdtempSync(join(tmpdir(), 'edge-trace-'));
afterAll(() => rmSync(dir, { recursive: true }));
const trace = join(dir, 'calls');
let before: string | undefined;

faultTest('D15 writes to no file of chat.db, and takes none away', {
  needs: ['linux', 'strace'],
  rig: { wrapper: ['strace', '-f', '-qq', '-y', '-s', '0', '-A', '-o', trace, '-e', `trace=${CALLS}`] },
  timeoutMs: 120_000,
  setup(run) {
    run.rig.mac.fillHistory({ messages: 50, until: Date.now() - 86_400_000 });
    before = digest(run); // what comes later is in the -wal
  },
  async fault(run) {
    const { mac } = run.rig;
    for (let n = 0; n < 5; n++) await run.both(n % 2 ? BEN : ANN);
    const guid = run.write(ANN);
    await run.quiet(60_000);
    mac.people.edit(guid, 'in other words');
    await waitFor('the edit', () => run.ledger.told('message_edited').length === 1);
    // The last of its readers and writers to leave, and the first to come, puts SQLite's files in order.
    await run.crash();
    await run.restart();
    await run.both();
    await run.quiet(60_000);
    expect(digest(run)).toBe(before);
    await run.rig.agent.kill('SIGTERM');
    mac.chatDb.close();
    await run.restart();
    mac.chatDb.open();
    await run.both();
  },
  expect(run) {
    const calls = readFileSync(trace, 'utf8').split('\n');
    const touching = calls.filter((line) => line.includes(run.rig.mac.chatDbPath));
    expect(touching.length).toBeGreaterThan(0);
    const changing = touching.filter((line) => !isOnlyReading(line) && !isOpeningOfWal(line));
    const shm = changing.filter((line) => line.includes('chat.db-shm'));
    expect(changing.filter((line) => !shm.includes(line))).toEqual([]);
    const kinds = new Set(shm.map((line) => /^\d+\s+(\w+)/.exec(line)![1]!));
    run.note = `on the -shm: ${[...kinds].join(', ')}`;
    // The index of the -wal that all connections share: readers mark there how far they read.
    expect([...kinds].filter((kind) => !['openat', 'mmap', 'ftruncate', 'pwrite64'].includes(kind))).toEqual([]);
  },
});

function isOnlyReading(line: string): boolean {
  if (line.includes('resumed>')) return true; // its beginning is a line of its own
  if (/\bopen(at)?\(/.test(line)) return /O_RDONLY/.test(line) && !/O_CREAT|O_TRUNC/.test(line);
  return /\bmmap\(/.test(line) && (line.includes('MAP_PRIVATE') || !line.includes('PROT_WRITE'));
}

/** SQLite opens the -wal for both, whatever it may do, makes it where there is none, and as root gives it chat.db's owner. */
function isOpeningOfWal(line: string): boolean {
  return /\b(openat\([^,]*, "[^"]*-wal", (?!.*O_TRUNC)|fchown\([^,]*-(wal|shm)>)/.test(line);
}

function digest({ rig }: FaultRun): string {
  return createHash('sha256').update(readFileSync(rig.mac.chatDbPath)).digest('hex');
}
