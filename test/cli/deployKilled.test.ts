import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Deployed, type Deployment, deploy } from '../../src/cli/service/deploy.ts';
import { forgetIfUp, type RanBefore, ranBefore } from '../../src/cli/service/ranBefore.ts';
import { ControlServer, controlSocketPath } from '../../src/ops/ControlServer.ts';
import { Releases } from '../../src/ops/service/Releases.ts';
import { UpgradeRecord } from '../../src/ops/service/UpgradeRecord.ts';
import { systemClock } from '../../src/util/Clock.ts';
import { tempDir } from '../support/tempDir.ts';

interface Does {
  /** Whether it answers once it is started. */
  readonly answers: boolean;
  /** What it does to state.db at its start. */
  readonly work?: string;
}

process.setMaxListeners(100); // those that are killed here never end

/** A Mac that runs 1.0.0 of the releases that it has; each `upgrade` may be killed at one of the points it passes. */
async function machine(programs: Record<string, Does>) {
  const [stateDir, appDir] = [tempDir(), tempDir()];
  const [database, plistPath] = [join(stateDir, 'state.db'), join(stateDir, 'a.plist')];
  const sql = (text: string) => {
    const db = new Database(database);
    db.exec(text);
    db.close();
  };
  sql("CREATE TABLE sends (state); INSERT INTO sends VALUES ('queued'); PRAGMA user_version = 3");
  for (const version of Object.keys(programs)) {
    mkdirSync(join(appDir, `${version}-x`));
    writeFileSync(join(appDir, `${version}-x`, 'package.json'), JSON.stringify({ version }));
  }
  const releases = new Releases({ dir: appDir, program: 'index.js' });
  releases.use(releases.find('1.0.0-x'));
  writeFileSync(plistPath, 'of 1.0.0');

  let time = 0;
  const tick = () => {
    time += 1_500;
    return time;
  };
  let server: ControlServer | undefined;
  let [isLoaded, pid, passed, killAt] = [false, 0, 0, Number.POSITIVE_INFINITY];
  let killed = Promise.withResolvers<'killed'>();
  const point = async () => {
    if (++passed !== killAt) return;
    killed.resolve('killed');
    await new Promise(() => {});
  };
  const load = async () => {
    isLoaded = true;
    const version = releases.current()!.version;
    const { answers, work } = programs[version]!;
    if (work) sql(work);
    if (!answers) return;
    const body = { running: true, version, pid: ++pid };
    server = new ControlServer({ path: controlSocketPath(stateDir), routes: { 'GET /status': () => ({ body }) } });
    await server.start();
  };
  const unload = async () => {
    const was = isLoaded;
    isLoaded = false;
    await server?.stop();
    server = undefined;
    return was;
  };
  onTestFinished(() => void unload());
  const service = {
    state: async () => ({ running: isLoaded }),
    stop: async () => {
      await point();
      const was = await unload();
      await point();
      return was;
    },
    start: async () => {
      await point();
      await load();
      await point();
    },
    install: async (plist: string) => {
      await point();
      writeFileSync(plistPath, plist);
      await point();
      await unload();
      await point();
      await load();
      await point();
    },
  };
  const clock = {
    ...systemClock,
    now: () => Date.UTC(2026, 0, 1) + tick(),
    monotonic: tick,
    after: (_ms: number, then: () => void) => systemClock.after(1, () => void point().then(then)),
  };
  const record = new UpgradeRecord(appDir);
  const common = { record, releases, service, plistPath, clock, config: { state: { dir: stateDir } } };
  const inUse = common as unknown as RanBefore;
  const upgrade = async (version: string): Promise<Deployed> => {
    const { left: _left, ...before } = await ranBefore(inUse);
    const d = {
      ...common,
      before,
      release: releases.find(`${version}-x`),
      plist: `of ${version}`,
      configFile: join(stateDir, 'config.yaml'),
      waitMs: 5_000,
      progress: { step() {} },
    };
    return deploy(d as unknown as Deployment);
  };
  await load();
  return {
    appDir,
    upgrade,
    record,
    sql,
    stop: unload,
    before: () => ranBefore(inUse),
    forgetIfUp: () => forgetIfUp({ ...inUse, limitMs: 5_000 }),
    /** False where it was done before it passed that many points. */
    killedAt: async (at: number, version: string) => {
      [passed, killAt, killed] = [0, at, Promise.withResolvers()];
      const first = await Promise.race([upgrade(version), killed.promise]);
      killAt = Number.POSITIVE_INFINITY;
      return first === 'killed';
    },
    now: () => {
      const db = new Database(database, { readonly: true });
      const sends = db.prepare('SELECT state FROM sends').pluck().all();
      const schema = db.pragma('user_version', { simple: true });
      db.close();
      const plist = readFileSync(plistPath, 'utf8');
      return { current: releases.current()?.version, plist, sends, schema, left: record.read() };
    },
  };
}

/** Each point of a deployment once, on a Mac of its own. Returns how many there are. */
async function eachPoint(
  mac: () => ReturnType<typeof machine>,
  version: string,
  then: (m: Awaited<ReturnType<typeof machine>>, at: number) => Promise<void>,
) {
  for (let at = 1; ; at++) {
    const one = await mac();
    if (!(await one.killedAt(at, version))) return at - 1;
    await then(one, at);
  }
}

describe('a deployment that was killed', () => {
  it('is gone on with from every point of it', async () => {
    const mac = () => machine({ '1.0.0': { answers: true }, '2.0.0': { answers: true } });
    const points = await eachPoint(mac, '2.0.0', async (one, at) => {
      const { outcome } = await one.upgrade('2.0.0');
      expect({ at, outcome, ...one.now() }).toEqual({
        at,
        outcome: 'runs',
        current: '2.0.0',
        plist: 'of 2.0.0',
        sends: ['queued'],
        schema: 3,
        left: undefined,
      });
    });
    expect(points).toBeGreaterThan(6);
  });

  it('goes back to what ran before it, with its state, where the next one does not answer either', async () => {
    const mac = () =>
      machine({
        '1.0.0': { answers: true },
        '2.0.0': { answers: false, work: 'PRAGMA user_version = 4' },
        '3.0.0': { answers: false },
      });
    const points = await eachPoint(mac, '2.0.0', async (one, at) => {
      const { outcome } = await one.upgrade('3.0.0');
      expect({ at, outcome, ...one.now() }).toEqual({
        at,
        outcome: 'rolled-back',
        current: '1.0.0',
        plist: 'of 1.0.0',
        sends: ['queued'],
        schema: 3,
        left: undefined,
      });
    });
    expect(points).toBeGreaterThan(12);
  });

  it('goes back to the new one where that has come up after all', async () => {
    const mac = await machine({
      '1.0.0': { answers: true },
      '2.0.0': { answers: true, work: 'PRAGMA user_version = 4' },
      '3.0.0': { answers: false },
    });
    expect(await mac.killedAt(7, '2.0.0')).toBe(true); // while it is waited for
    expect(mac.now()).toMatchObject({ current: '2.0.0', left: { from: '1.0.0-x', to: '2.0.0-x', plist: 'of 1.0.0' } });
    expect((await mac.upgrade('3.0.0')).outcome).toBe('rolled-back');
    expect(mac.now()).toMatchObject({ current: '2.0.0', plist: 'of 2.0.0', schema: 4, left: undefined });
  });

  it('is over where the new one answers, however it is stopped later', async () => {
    const mac = await machine({ '1.0.0': { answers: true }, '2.0.0': { answers: true }, '3.0.0': { answers: false } });
    expect(await mac.killedAt(7, '2.0.0')).toBe(true);
    expect((await mac.forgetIfUp())?.version).toBe('2.0.0');
    await mac.stop();
    expect((await mac.upgrade('3.0.0')).outcome).toBe('rolled-back');
    expect(mac.now()).toMatchObject({ current: '2.0.0', plist: 'of 2.0.0', left: undefined });
  });

  it('is not over where what is in use does not answer, or nothing is loaded', async () => {
    const mac = await machine({ '1.0.0': { answers: true }, '2.0.0': { answers: false } });
    expect(await mac.killedAt(7, '2.0.0')).toBe(true);
    expect(await mac.forgetIfUp()).toBeUndefined();
    await mac.stop();
    expect(await mac.forgetIfUp()).toBeUndefined();
    expect(mac.now().left).toMatchObject({ from: '1.0.0-x' });
  });

  it.each([
    ['is what a later one goes back to where it has started since', 1, '1.0.0'],
    ['leaves nothing to go back to where it never started', -1, undefined],
  ])('as a first install, %s', async (_what, later, current) => {
    const mac = await machine({ '1.0.0': { answers: false }, '2.0.0': { answers: false } });
    const begun = Date.UTC(2026, 0, 1);
    mac.record.write({
      from: null,
      to: '1.0.0-x',
      plist: null,
      backup: null,
      begun_at: new Date(begun).toISOString(),
    });
    mac.sql(`CREATE TABLE meta (key, value); INSERT INTO meta VALUES ('started_at', '${begun + later}')`);
    await mac.stop();
    expect((await mac.before()).release?.version).toBe(current);
  });

  it('takes what is in place for what ran where the one that ran is gone', async () => {
    const mac = await machine({ '1.0.0': { answers: false }, '2.0.0': { answers: false } });
    mac.record.write({ from: '0.9.0-x', to: '1.0.0-x', plist: 'of 0.9.0', backup: null, begun_at: '' });
    expect(await mac.upgrade('2.0.0')).toEqual({ outcome: 'rolled-back', agent: undefined });
    expect(mac.now()).toMatchObject({ current: '1.0.0', plist: 'of 1.0.0', left: undefined });
  });

  it('takes what is in place where the record names what is no release', async () => {
    const mac = await machine({ '1.0.0': { answers: false }, '2.0.0': { answers: false } });
    const elsewhere = tempDir();
    writeFileSync(join(elsewhere, 'package.json'), JSON.stringify({ version: '0.1.0' }));
    mkdirSync(join(mac.appDir, '1.0.0-damaged'));
    for (const from of [relative(mac.appDir, elsewhere), 'current', '1.0.0-damaged']) {
      mac.record.write({ from, to: '1.0.0-x', plist: 'of another', backup: null, begun_at: '' });
      expect(await mac.upgrade('2.0.0')).toEqual({ outcome: 'rolled-back', agent: undefined });
      expect(mac.now()).toMatchObject({ current: '1.0.0', plist: 'of 1.0.0', left: undefined });
    }
  });
});
