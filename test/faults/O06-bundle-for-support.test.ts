import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { expect, onTestFinished } from 'vitest';
import { tempDir } from '../support/tempDir.ts';
import { bundleOf } from './harness/bundle.ts';
import { ANN, BEN, CANARY, FaultRun } from './harness/FaultRun.ts';
import { plainCase } from './harness/plainCase.ts';
import { settings } from './harness/settings.ts';
import { says, silence } from './harness/treatments.ts';

const CARLA = 'carla.person@example.com';
/** How long a person waits for the bundle, ms. */
const MOST_MS = 15_000;

interface Trouble {
  /** What is broken, and how it is put right again. */
  begin(run: FaultRun): unknown;
  end?(run: FaultRun): unknown;
  /** Files that cannot be made, each with the reason. */
  without?: Record<string, RegExp>;
  /** What tells the trouble: a file and what is in it. */
  tells: readonly [file: string, text: RegExp];
}

const chatDb = ({ rig }: FaultRun) => rig.mac.chatDbPath;
const config = ({ rig }: FaultRun) => rig.path('config.yaml');
const kept = new Map<string, Buffer>();
const spoil = (path: string, bytes: string) => {
  kept.set(path, readFileSync(path));
  writeFileSync(path, bytes);
};
const restore = (path: string) => writeFileSync(path, kept.get(path)!);
let locker: ChildProcess | undefined;

/** From the agent that was killed on there is none. */
const TROUBLES: Record<string, Trouble> = {
  nothing: { begin() {}, tells: ['status.json', /"running": true/] },
  'a backend that answers nothing': {
    begin({ front, rig }) {
      front.treat = () => silence;
      front.upgrade = () => ({ raw() {} });
      rig.cable.reset();
    },
    end: ({ front }) => front.standAside(),
    tells: ['connection.json', /"status": "fail"|^not done after 10 s$/],
  },
  'a backend that refuses the secret and quotes what it got': {
    begin({ front, rig }) {
      front.treat = ({ body }) => says(403, `${body} ${rig.secret}`);
    },
    end: ({ front }) => front.standAside(),
    tells: ['connection.json', /"status": "fail"/],
  },
  'a chat.db that another program holds': {
    async begin(run) {
      const code = `import Database from ${JSON.stringify(import.meta.resolve('better-sqlite3'))};
        new Database(process.argv[1]).exec('BEGIN EXCLUSIVE'); console.log('held');
        setInterval(() => {}, 1000);`;
      locker = spawn(process.execPath, ['--input-type=module', '-e', code, chatDb(run)]);
      onTestFinished(() => void locker?.kill('SIGKILL'));
      await Promise.race([once(locker.stdout!, 'data'), once(locker, 'exit')]);
      expect(locker.exitCode).toBeNull();
    },
    end: async () => {
      locker!.kill('SIGKILL');
      await once(locker!, 'exit');
    },
    tells: ['status.json', /"running": true/],
  },
  'no chat.db': {
    begin: (run) => renameSync(chatDb(run), `${chatDb(run)}.away`),
    end: (run) => renameSync(`${chatDb(run)}.away`, chatDb(run)),
    without: { 'chatdb.json': /ENOENT/ },
    tells: ['doctor.json', /EDGE_CHATDB_MISSING/],
  },
  'an agent that hangs': {
    begin: ({ rig }) => process.kill(rig.agent.nodePid!, 'SIGSTOP'),
    end: ({ rig }) => process.kill(rig.agent.nodePid!, 'SIGCONT'),
    without: { 'metrics.txt': /no answer within 5 s/ },
    tells: ['manifest.json', /no answer within 5 s/],
  },
  'a configuration with a slip in it': {
    begin: (run) => spoil(config(run), `edge:\n  agent_id: a\nbackend:\n  url: x\nwatchdog:\n  wake_handle: ${ANN}x\n`),
    end: (run) => restore(config(run)),
    tells: ['config.json', /backend\.url/],
  },
  'an agent that was killed': {
    begin: ({ rig }) => rig.agent.kill('SIGKILL'),
    without: { 'metrics.txt': /no agent listens/ },
    tells: ['status.json', /"running": false/],
  },
  'no log': {
    begin: ({ rig }) => renameSync(rig.path('edge-agent.log'), rig.path('log.away')),
    end: ({ rig }) => renameSync(rig.path('log.away'), rig.path('edge-agent.log')),
    without: { 'log.txt': /there is no .*edge-agent\.log/, 'metrics.txt': /no agent listens/ },
    tells: ['files.json', /state\.db/],
  },
  'a state.db of garbage': {
    begin({ rig }) {
      for (const suffix of ['-wal', '-shm']) rmSync(rig.path(`state/state.db${suffix}`), { force: true });
      spoil(rig.path('state/state.db'), CANARY.repeat(1000));
    },
    without: { 'statedb.json': /not a database/, 'status.json': /./, 'metrics.txt': /no agent listens/ },
    tells: ['manifest.json', /not a database/],
  },
  'a chat.db of garbage': {
    begin(run) {
      for (const suffix of ['-wal', '-shm']) rmSync(`${chatDb(run)}${suffix}`, { force: true });
      spoil(chatDb(run), CANARY.repeat(1000));
    },
    without: {
      'chatdb.json': /not a database/,
      'statedb.json': /not a database/,
      'status.json': /./,
      'metrics.txt': /no agent listens/,
    },
    tells: ['doctor.json', /EDGE_CHATDB_/],
  },
};

plainCase('O6 makes a bundle for support whatever is broken, in time and without a word that is private', {
  timeoutMs: 120_000,
  async run() {
    // At level debug the log has every text: what support must not get is there to be got.
    const run = await FaultRun.create(tempDir(), {
      rig: { config: { logging: { level: 'debug' }, privacy: { threads: { deny: [BEN] } } } },
    });
    onTestFinished(() => run.close());
    const { rig } = run;
    await rig.startAgent();
    await run.both();
    await run.both(CARLA);
    await run.quiet(15_000);
    for (const text of [CANARY, CARLA]) expect(rig.agent.log).toContain(text);
    const times: number[] = [];
    for (const [name, { begin, end, without = {}, tells }] of Object.entries(TROUBLES)) {
      await begin(run);
      const { files, problems, tookMs } = await bundleOf(config(run), rig.path('bundle.zip'), {
        EDGE_SECRET: rig.secret,
      });
      await end?.(run);
      times.push(tookMs);
      expect.soft(tookMs, name).toBeLessThan(MOST_MS * settings.patience);
      for (const [file, reason] of Object.entries(without))
        expect.soft(`${problems[file]}`, `${name}: ${file}`).toMatch(reason);
      expect.soft(`${files[tells[0]] ?? problems[tells[0]]}`, name).toMatch(tells[1]);
      expect.soft(files['log.txt'] ?? '', name).not.toContain('[DEBUG]');
      const whole = Object.values(files).join('\n');
      for (const canary of [rig.secret, CANARY, ANN, BEN, CARLA, 'carla.person', ANN.slice(1), 'edge_15550100001']) {
        expect.soft(whole.includes(canary) ? canary : '', name).toBe('');
      }
    }
    return { runs: times.length, note: `bundle in ${Math.round(Math.max(...times))} ms at most` };
  },
});
