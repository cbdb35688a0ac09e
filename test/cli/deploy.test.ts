import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { type Deployment, deploy } from '../../src/cli/service/deploy.ts';
import { UpgradeRecord } from '../../src/ops/service/UpgradeRecord.ts';
import { systemClock } from '../../src/util/Clock.ts';
import { EdgeError } from '../../src/util/EdgeError.ts';
import { tempDir } from '../support/tempDir.ts';

const [OLD, NEW] = ['1.0.0-old', '2.0.0-new'].map((id) => ({ id, version: id.slice(0, 5), folder: `/${id}` }));

/** A service that runs OLD. `work`: what NEW does to state.db when it is started, before it ends; nothing ever answers. */
function machine(work: string, { stopFails = false } = {}) {
  const stateDir = tempDir();
  const [database, plistPath] = [join(stateDir, 'state.db'), join(stateDir, 'a.plist')];
  const sql = (text: string) => {
    const db = new Database(database);
    db.exec(text);
    db.close();
  };
  sql("CREATE TABLE sends (state); INSERT INTO sends VALUES ('queued'); PRAGMA user_version = 3");
  writeFileSync(plistPath, 'old');
  const steps: string[] = [];
  const hangUps: number[] = [];
  let current: typeof OLD | undefined = OLD;
  let now = 0;
  const start = async () => {
    steps.push(`start ${current!.id}`);
    hangUps.push(process.listenerCount('SIGHUP'));
    if (current === NEW) sql(work);
  };
  const deployment = {
    release: NEW,
    releases: {
      current: () => current,
      use: (release: typeof OLD) => {
        current = release;
      },
      keepOnly: () => {},
    },
    service: {
      stop: async () => {
        if (!stopFails) return true;
        stopFails = false;
        throw new EdgeError('EDGE_LAUNCHD', 'the agent does not end');
      },
      start,
      install: async (plist: string) => {
        writeFileSync(plistPath, plist);
        await start();
      },
    },
    before: { release: OLD, plist: 'old', backup: undefined },
    record: new UpgradeRecord(tempDir()),
    plist: 'new',
    plistPath,
    config: { state: { dir: stateDir } },
    configFile: join(stateDir, 'config.yaml'),
    clock: { ...systemClock, now: () => 0, monotonic: () => (now += 100_000) },
    waitMs: 1,
    progress: { step: (name: string) => steps.push(name) },
  };
  const schema = () => {
    const db = new Database(database, { readonly: true });
    const version = db.pragma('user_version', { simple: true });
    db.close();
    return version;
  };
  return { stateDir, steps, hangUps, schema, run: () => deploy(deployment as unknown as Deployment) };
}

describe('deploying a release that does not answer', () => {
  it('puts the state back where the release has changed its schema and nothing else', async () => {
    const { run, steps, schema } = machine('PRAGMA user_version = 4');
    expect((await run()).outcome).toBe('rolled-back');
    expect(steps.at(-1)).toBe('start 1.0.0-old');
    expect(schema()).toBe(3);
  });

  it('never goes back to a state that has forgotten what the release did', async () => {
    const { run, steps, schema } = machine("PRAGMA user_version = 4; UPDATE sends SET state = 'sent'");
    expect((await run()).outcome).toBe('silent');
    expect(steps.slice(-2)).toEqual(['no way back', 'start 2.0.0-new']);
    expect(schema()).toBe(4);
  });

  it('starts again what ran where the state cannot be backed up', async () => {
    const { stateDir, run, steps } = machine('');
    writeFileSync(join(stateDir, 'backups'), 'in the way');
    expect((await run()).outcome).toBe('rolled-back');
    expect(steps).toEqual(['stop', 'roll back', 'start 1.0.0-old']);
  });

  it('leaves the release to go on trying where the state cannot be put back', async () => {
    const { stateDir, run, steps, schema } = machine('PRAGMA user_version = 4');
    mkdirSync(join(stateDir, 'state.db.next'));
    expect((await run()).outcome).toBe('silent');
    expect(steps.slice(-2)).toEqual(['no way back', 'start 2.0.0-new']);
    expect(schema()).toBe(4);
  });

  it('starts again what ran where launchd says that it does not end', async () => {
    const { run, steps } = machine('', { stopFails: true });
    expect((await run()).outcome).toBe('rolled-back');
    expect(steps).toEqual(['roll back', 'start 1.0.0-old']);
  });

  it('goes on to its end when the terminal is closed', async () => {
    const before = process.listenerCount('SIGHUP');
    const { run, hangUps } = machine('');
    await run();
    expect(hangUps).toEqual([before + 1, before + 1]);
    expect(process.listenerCount('SIGHUP')).toBe(before);
  });
});
