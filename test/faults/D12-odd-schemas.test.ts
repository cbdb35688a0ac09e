import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { ChatDbFile, type MacosVersion } from '../../src/simulator/ChatDbFile.ts';
import { raised, readsAgain } from './harness/conditions.ts';
import type { FaultRun } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';

const FILES = ['chat.db', 'chat.db-wal', 'chat.db-shm'] as const;

/** How long a condition that comes and goes is shown without a break, ms. */
const FLAP_MS = 10_000;
/** The agent's clock leaps no further at once, so that no answer counts as overdue, ms. */
const STEP_MS = 5_000;

/** What may lie in the place of chat.db, what it is called, and what is said of it. */
const BROKEN: readonly [what: string, code: string, says: RegExp, lay: (path: string) => void][] = [
  ['an empty file', 'EDGE_CHATDB_SCHEMA', /is empty/, (path) => writeFileSync(path, '')],
  ['noise', 'EDGE_CHATDB_CORRUPT', /not a database/, (path) => writeFileSync(path, randomBytes(8192))],
  ['one without a table', 'EDGE_CHATDB_SCHEMA', /lacks table handle/, (path) => lacking(path, 'handle')],
  ['one without a column', 'EDGE_CHATDB_SCHEMA', /lacks message\.date/, (path) => lacking(path, 'message.date')],
];

faultTest('D12 refuses what is no chat.db, each with its code, and goes on when it is one again', {
  async fault(run) {
    const { mac } = run.rig;
    const folder = join(mac.chatDbPath, '..');
    const aside = run.rig.path('aside');
    mkdirSync(aside);
    run.runs = BROKEN.length;
    for (const [what, code, says, lay] of BROKEN) {
      await run.quiet(10_000);
      const mark = run.mark;
      mac.chatDb.close();
      for (const name of FILES) renameSync(join(folder, name), join(aside, name));
      lay(mac.chatDbPath);
      await raised(run, code);
      expect(run.logSince(mark), what).toMatch(says);
      for (const name of FILES) rmSync(join(folder, name), { force: true });
      for (const name of FILES) renameSync(join(aside, name), join(folder, name));
      mac.chatDb.open();
      await run.both();
      // That there is no file, as in each of these moves for a moment, came and went: it may stand for ten seconds more.
      for (let passed = 0; passed < FLAP_MS; passed += STEP_MS) await run.clock.pass(STEP_MS);
      await readsAgain(run);
    }
  },
});

faultTest('D12 leaves the -wal of a chat.db that is empty for a moment as it is, which may hold every message', {
  async fault(run) {
    const { mac } = run.rig;
    const aside = run.rig.path('aside.db');
    mac.chatDb.close();
    const wal = `${mac.chatDbPath}-wal`;
    const before = readFileSync(wal);
    expect(before.length).toBeGreaterThan(0);
    renameSync(mac.chatDbPath, aside);
    writeFileSync(mac.chatDbPath, '');
    await raised(run, 'EDGE_CHATDB_SCHEMA');
    await run.clock.pass(3000);
    expect(existsSync(wal) && readFileSync(wal).equals(before)).toBe(true);
    renameSync(aside, mac.chatDbPath);
    mac.chatDb.open();
    await run.both();
  },
});

for (const macos of [12, 13, 15, 26] satisfies MacosVersion[]) {
  faultTest(`D12 does without a column of macOS ${macos} that is not there, and minds none that nobody knows`, {
    rig: {
      mac: {
        macos,
        schema: {
          without: ['message.thread_originator_guid', 'attachment.is_sticker'],
          extra: ['message.of_the_future INTEGER DEFAULT 7', 'chat.of_the_future'],
        },
      },
    },
    async fault(run) {
      const lacks = await lacksOf(run);
      expect(lacks).toEqual(['inline replies (message.thread_originator_guid)', 'stickers (attachment.is_sticker)']);
      await run.both();
    },
  });
}

async function lacksOf({ rig }: FaultRun): Promise<unknown> {
  return ((await rig.agent.status()).chatdb as { lacks?: unknown }).lacks;
}

function lacking(path: string, name: string): void {
  const file = new ChatDbFile({ path: `${path}.new`, macos: 26, schema: { without: [name] } });
  file.open();
  file.close();
  renameSync(`${path}.new`, path);
}
