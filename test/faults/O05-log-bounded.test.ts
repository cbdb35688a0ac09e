import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { faultTest } from './harness/faultTest.ts';

const MAX_BYTES = 4096;
const MAX_FILES = 3;
/** Where a small disk is mounted for the agent alone; empty for everybody else. */
const disk = mkdtempSync(join(tmpdir(), 'edge-log-'));
afterAll(() => rmSync(disk, { recursive: true }));

faultTest('O5 begins a new log at its size, and keeps no more files than it may', {
  rig: { config: { logging: { max_bytes: MAX_BYTES, max_files: MAX_FILES } } },
  async fault(run) {
    const { rig } = run;
    const logs = () => readdirSync(rig.path('.')).filter((name) => name.startsWith('edge-agent.log'));
    for (let n = 0; n < 35; n++) run.write(`+155501000${10 + (n % 5)}`);
    await run.quiet(30_000);
    await waitFor('all files', () => logs().length === MAX_FILES);
    expect(logs().sort()).toEqual(['edge-agent.log', 'edge-agent.log.1', 'edge-agent.log.2']);
    for (const name of logs()) expect(statSync(rig.path(name)).size).toBeLessThanOrEqual(MAX_BYTES);
  },
});

/** Writes to both outputs ten times a second from within, as a library or Node itself may, and counts it in `file`. */
const chatter = (file: string) =>
  `data:text/javascript,${encodeURIComponent(`
    import { appendFileSync } from 'node:fs';
    setInterval(() => {
      process.stdout.write('words');
      process.stderr.write('words');
      appendFileSync(${JSON.stringify(file)}, '.');
    }, 100).unref();`)}`;

for (const [name, shell] of [
  ['closed', 'exec "$@" >&- 2>&-'],
  ['pipes that nobody reads any more', 'exec "$@" > >(true) 2> >(true)'],
] as const) {
  faultTest(`O5 goes on when its outputs are ${name}`, {
    rig: (dir) => ({ wrapper: ['bash', '-c', shell, 'bash'], nodeArgs: ['--import', chatter(join(dir, 'said'))] }),
    async fault(run) {
      const said = run.rig.path('../said');
      const words = () => (existsSync(said) ? statSync(said).size : 0);
      const known = words();
      await waitFor('some words', () => words() > known + 3);
      await run.both();
    },
  });
}

faultTest(
  'O5 goes on when the disk of its log is full, counts the lines that are lost, and says so once there is room',
  {
    needs: ['linux', 'root', 'mount'],
    rig: {
      config: { logging: { file: join(disk, 'edge-agent.log') } },
      wrapper: ['unshare', '-m', 'bash', '-c', `mount -t tmpfs -o size=64k none ${disk} && exec "$@"`, 'bash'],
    },
    async fault(run) {
      const { rig } = run;
      const seen = `/proc/${rig.agent.nodePid}/root${disk}`;
      const lost = async () => Number((await rig.agent.status()).log_lines_lost);
      await waitFor('the disk to be full', () => fills(join(seen, 'other')));
      for (let n = 0; n < 8; n++) await run.both(); // the page that the log ends in still has room
      await waitFor('lost lines', async () => (await lost()) > 0, 40_000);
      await run.quiet(60_000);
      rmSync(join(seen, 'other'));
      await run.both();
      await waitFor('no more of them', async () => (await lost()) === 0, 40_000);
      expect(readFileSync(join(seen, 'edge-agent.log'), 'utf8')).toMatch(
        /\[WARN\] \d+ log lines could not be written: ENOSPC/,
      );
    },
  },
);

function fills(file: string): boolean {
  try {
    writeFileSync(file, Buffer.alloc(1024), { flag: 'a' });
    return false;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return true;
    throw error;
  }
}
