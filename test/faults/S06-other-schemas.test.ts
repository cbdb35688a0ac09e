import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { StateStore } from '../../src/state/StateStore.ts';
import { SCHEMA_VERSION } from '../../src/state/schema.ts';
import { expectAllKept, VERSIONS, writeFixture } from '../state/fixtures/openFixture.ts';
import { tempDir } from '../support/tempDir.ts';
import { ANN, BEN } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { missing } from './harness/needs.ts';
import { settings } from './harness/settings.ts';

const CAT = '+15550100004';

for (const version of VERSIONS) {
  faultTest(`S6 goes on with what a state.db of version ${version} had under way`, {
    startsAgent: false,
    async fault(run) {
      const { rig, ledger } = run;
      writeFixture(version, join(rig.path('state'), 'state.db'));
      const words = (what: string) => `private words of ${what}`;
      const wrote = (guid: string, thread: string, text: string) => run.wrote({ guid, thread, text, kind: 'live' });
      // What the backend had of it before.
      for (const [guid, thread, answer] of [
        ['M-DONE', ANN, `re ${words('message done')}`],
        ['M-OLD', CAT, words('reflex')],
      ] as const) {
        const text = words('message done');
        ledger.inserted.push({ guid, thread, text, kind: 'live', answers: [answer] });
        ledger.accepted.set(guid, { thread, text, isHistory: false, bodies: new Set(), copies: 1 });
      }
      wrote('M-PENDING', ANN, words('message pending'));
      wrote('M-RETRIED', BEN, words('message retried'));
      run.rig.mac.people.receive({ from: CAT, text: words('message parked'), guid: 'M-PARKED' });
      wrote('M-PARKED', CAT, words('message parked'));
      if (version >= 2) {
        run.rig.mac.people.receive({ from: BEN, text: words('message undecided'), guid: 'M-UNDECIDED' });
        wrote('M-UNDECIDED', BEN, words('message undecided'));
      }
      for (const [id, thread, outcome] of [
        ['c-queued', ANN, 'completed'],
        // The chat.db that could prove them is gone.
        ['c-sending', BEN, 'unknown'],
        ['c-accepted', CAT, 'unknown'],
      ] as const) {
        ledger.asked.push({ id, thread, text: words(`command ${id}`), outcome });
      }
      await run.restart();
      await run.both();
    },
    expect({ rig, ledger }) {
      const store = StateStore.openReadOnly(join(rig.path('state'), 'state.db'));
      expect(store.schedules.byId('s-pending')?.state).toBe('pending');
      store.close();
      expect([...ledger.acks.keys()]).toEqual(expect.arrayContaining(['c-done', 'c-unknown', 's-pending', 's-fired']));
      expect(ledger.told('agent_status').length).toBeGreaterThan(1);
    },
  });
}

const noStrace = missing(['strace']);

it.skipIf(noStrace !== undefined)(
  `S6 keeps everything, wherever the migration is killed between two of its writes${noStrace ? `: ${noStrace}` : ''}`,
  () => {
    const module = pathToFileURL(join(import.meta.dirname, '../../src/state/StateStore.ts'));
    const script = join(tempDir(), 'open.mjs');
    writeFileSync(script, `(await import('${module}')).StateStore.open(process.argv[2], 10).close();`);
    for (const version of VERSIONS.slice(0, -1)) {
      for (let nth = 1, step = 1, isKilled = true; isKilled; nth += step) {
        const path = join(tempDir(), 'state.db');
        writeFixture(version, path);
        const at = ['-P', path, '-P', `${path}-wal`, '-e', `inject=pwrite64:signal=SIGKILL:when=${nth}`];
        const { status, signal } = spawnSync('strace', ['-o', '/dev/null', ...at, process.execPath, script, path]);
        isKilled = signal === 'SIGKILL';
        if (!isKilled) expect([status, nth > 20]).toEqual([0, true]);
        const store = StateStore.open(path, 10);
        expectAllKept(store, version);
        store.close();
        // The first writes each, then further and further apart.
        if (!settings.isLong && nth >= 3) step = Math.ceil(nth / 2);
      }
    }
  },
  settings.isLong ? 1_200_000 : 60_000,
);

faultTest('S6 refuses a state.db of a newer version, and leaves it as it is', {
  ends: 78,
  startsAgent: false,
  stderr: /EDGE_STATE_NEWER/,
  async fault({ rig }) {
    const path = join(rig.path('state'), 'state.db');
    writeFixture(SCHEMA_VERSION, path, (db) => db.pragma(`user_version = ${SCHEMA_VERSION + 1}`));
    const before = readFileSync(path);
    await expect(rig.startAgent()).rejects.toThrow('EDGE_STATE_NEWER');
    expect(readFileSync(path).equals(before)).toBe(true);
    const db = new Database(path, { readonly: true });
    expect(db.pragma('user_version', { simple: true })).toBe(SCHEMA_VERSION + 1);
    db.close();
  },
  expect: ({ rig }) => expect(rig.agent.log).toContain(`schema version ${SCHEMA_VERSION + 1}`),
});
