import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CRASH_LOOP_FILE } from '../../src/ops/CrashLoop.ts';
import { servicePaths } from '../../src/ops/service/servicePaths.ts';
import type { Waiting } from '../../src/ops/waiting.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { tempDir } from '../support/tempDir.ts';
import { edgeAgent, home } from './edgeAgent.ts';

const T = Date.UTC(2026, 0, 1);
const iso = (ms: number) => new Date(T + ms).toISOString();

/** The status of an agent that left these traces; `launchctl`: the body of one, for the PATH. */
async function statusOf(o: {
  started?: number;
  stopped?: number;
  failures?: { count: number; last_code: string; last_at: number };
  logged?: number;
  /** When its run marked for the last time that it lives. */
  beat?: number;
  /** What its run wrote down when it ended by itself. */
  failed?: { code: string; at: number };
  launchctl?: string;
  hasPlist?: boolean;
  /** What the property list has. */
  plistText?: string;
  waits?: Waiting;
  damaged?: boolean;
}) {
  const { config, state, log } = home();
  if (o.started !== undefined) {
    const store = StateStore.open(join(state, 'state.db'), T);
    store.transaction(() => {
      store.meta.set('started_at', String(T + o.started!));
      if (o.stopped !== undefined) store.meta.set('stopped_at', String(T + o.stopped));
    });
    store.close();
  }
  mkdirSync(state, { recursive: true });
  if (o.failures) writeFileSync(join(state, CRASH_LOOP_FILE), JSON.stringify(o.failures));
  if (o.logged !== undefined) writeFileSync(log, `[${iso(o.logged)}] [INFO] the last words\n`);
  if (o.beat !== undefined) {
    const path = join(state, 'run.json');
    writeFileSync(path, JSON.stringify({ is_running: true, was_killed: false, kills: [] }));
    utimesSync(path, (T + o.beat) / 1000, (T + o.beat) / 1000);
  }
  if (o.failed) {
    const mark = { is_running: false, was_killed: false, kills: [], failed: o.failed };
    writeFileSync(join(state, 'run.json'), JSON.stringify(mark));
  }
  if (o.waits) writeFileSync(join(state, 'standby.json'), JSON.stringify(o.waits));
  if (o.damaged) writeFileSync(join(state, 'state.db'), Buffer.alloc(8192, 'garbage '));
  const bin = tempDir();
  if (o.launchctl !== undefined) {
    writeFileSync(join(bin, 'launchctl'), `#!/bin/bash\n${o.launchctl}\n`, { mode: 0o700 });
  }
  const own = tempDir();
  const { plist } = servicePaths(own);
  if (o.hasPlist) {
    mkdirSync(dirname(plist), { recursive: true });
    writeFileSync(plist, o.plistText ?? '');
  }
  const env = { PATH: `${bin}${delimiter}${process.env.PATH}`, HOME: own };
  const { code, out } = await edgeAgent(['status', '--config', config], { env });
  expect(code).toBe(3);
  const json = JSON.parse((await edgeAgent(['status', '--json', '--config', config], { env })).out);
  return { out, ended: json.ended, json };
}

describe('edge-agent status of an agent that does not run', () => {
  it('says that it was stopped on request, and when', async () => {
    const { out, ended } = await statusOf({ started: 0, stopped: 5000 });
    expect(ended).toEqual({ why: 'stopped', at: iso(5000), code: null, launchd: null, missing_node: null });
    expect(out).toMatch(/^ {2}why {12}on request: .*`edge-agent service start` starts it$/m);
  });

  it('says with what it ended by itself, also where it was not up for long enough to say that it started', async () => {
    const failures = { count: 2, last_code: 'EDGE_STATE_DIR', last_at: T + 9000 };
    const { out, ended } = await statusOf({ started: 0, stopped: 5000, failures });
    expect(ended).toMatchObject({ why: 'failed', at: iso(9000), code: 'EDGE_STATE_DIR' });
    expect(out).toMatch(
      /why {12}it ended by itself at 2026-01-01T00:00:09.000Z with EDGE_STATE_DIR\n {17}The state directory cannot/,
    );
  });

  it('says with what it ended by itself after it was up for long, which is no crash loop and no kill', async () => {
    const { out, ended } = await statusOf({ started: 0, failed: { code: 'EDGE_STATE_IO', at: T + 90_000 } });
    expect(ended).toMatchObject({ why: 'failed', at: iso(90_000), code: 'EDGE_STATE_IO' });
    expect(out).toMatch(/why {12}it ended by itself at 2026-01-01T00:01:30.000Z with EDGE_STATE_IO\n/);
    const failures = { count: 2, last_code: 'EDGE_STATE_DIR', last_at: T - 9000 };
    const later = await statusOf({ started: 0, failures, failed: { code: 'EDGE_STATE_IO', at: T + 90_000 } });
    expect(later.ended).toMatchObject({ why: 'failed', code: 'EDGE_STATE_IO' });
  });

  it('does not take an agent whose state.db is gone for one that never ran', async () => {
    const { out, ended } = await statusOf({ beat: 5000 });
    expect(ended).toMatchObject({ why: 'state-gone' });
    expect(out).toMatch(/^edge-agent does not run as edge_15550100001\n/);
    expect(out).toMatch(/why {12}its state.db is gone, .*\n {17}put it back before it is started/);
    expect(out).not.toMatch(/never|nothing taken in/);
    const failed = await statusOf({ failed: { code: 'EDGE_STATE_IO', at: T } });
    expect(failed.out).toMatch(/^edge-agent does not run as edge_15550100001\n.*with EDGE_STATE_IO\n/);
    expect(failed.out).toContain('  state.db       is gone, or cannot be read');
    expect(failed.out).not.toMatch(/never|nothing taken in/);
  });

  it('says so and names the problems of a configuration that is not even YAML, from where it was kept', async () => {
    const { config, state, log } = home();
    StateStore.open(join(state, 'state.db'), T).close();
    writeFileSync(log, `[${iso(0)}] [INFO] the last words\n`);
    writeFileSync(config, readFileSync(config, 'utf8').replace('edge:\n', 'edge: [\n'));
    const { code, out, err } = await edgeAgent(['status', '--config', config], { env: { HOME: tempDir() } });
    expect({ code, out }).toEqual({ code: 3, out: expect.stringMatching(/^edge-agent does not run as unknown/) });
    expect(out).toContain('] [INFO] the last words');
    expect(err).toMatch(/config.yaml:\d+:\d+ {2}not valid YAML/);
    const logs = await edgeAgent(['logs', '--config', config]);
    expect(logs).toEqual({ code: 0, signal: null, err: '', out: `[${iso(0)}] [INFO] the last words\n` });
  });

  it('does not take the default place for the one of a configuration that nothing can be read from', async () => {
    const [own, config] = [tempDir(), join(tempDir(), 'none.yaml')];
    const ended = await edgeAgent(['status', '--config', config], { env: { HOME: own } });
    expect(ended).toMatchObject({ code: 78, out: expect.stringMatching(/^edge-agent does not run/) });
    expect(ended.err).toContain('there is no such file');
    expect(ended.err).toContain(`is of state.dir ${join(own, 'Library/Application Support/edge-agent')}:`);
  });

  it('says that it is in a crash loop', async () => {
    const failures = { count: 6, last_code: 'EDGE_INTERNAL', last_at: T + 9000 };
    const { out, ended } = await statusOf({ started: 0, failures });
    expect(ended).toMatchObject({ why: 'crash-loop', code: 'EDGE_INTERNAL' });
    expect(out).toMatch(/^edge-agent does not run .* it failed again and again/);
  });

  it('says that it was killed, and when it was last heard of', async () => {
    const { out, ended } = await statusOf({ started: 0, stopped: -5000, logged: 7000 });
    expect(ended).toEqual({ why: 'killed', at: iso(7000), code: null, launchd: null, missing_node: null });
    expect(out).toContain('or the Mac lost its power, at about 2026-01-01T00:00:07.000Z');
    expect(out).toContain('  [2026-01-01T00:00:07.000Z] [INFO] the last words');
  });

  it.each([
    ['its mark', 40_000, 60_000, 60_000],
    ['its log', 65_000, 60_000, 65_000],
    ['its start', undefined, undefined, 0],
  ])('dates a kill by %s where that is the latest trace', async (_, logged, beat, at) => {
    const { ended } = await statusOf({ started: 0, ...(logged && { logged }), ...(beat && { beat }) });
    expect(ended).toMatchObject({ why: 'killed', at: iso(at) });
  });

  it('says what launchd knows: its exit code in words, or that it does not know the agent', async () => {
    const print = `[ "$1" = print ] && [[ $2 == gui/*/com.edge-relay.edge-agent ]] || exit 64`;
    const known = await statusOf({
      hasPlist: true,
      launchctl: `${print}; printf '%s = {\\n\\tstate = not running\\n\\tlast exit code = 78: EX_CONFIG\\n}\\n' "$2"`,
    });
    expect(known.ended).toEqual({
      why: 'never-ran',
      at: null,
      code: null,
      launchd: {
        installed: true,
        loaded: true,
        pid: null,
        state: 'not running',
        last_exit_code: 78,
        last_signal: null,
      },
      missing_node: null,
    });
    expect(known.out).toContain(
      'launchd        knows it, not running; its last exit code was 78 (the configuration cannot be used, `edge-agent check-config`; or launchd could not run the program: `edge-agent doctor`)\n',
    );
    const starting = await statusOf({
      started: 0,
      stopped: 5000,
      launchctl: `${print}; printf '%s = {\\n\\tstate = running\\n}\\n' "$2"`,
    });
    expect(starting.ended).toMatchObject({ why: 'starting', launchd: { state: 'running' } });
    expect(starting.out).toMatch(
      /^edge-agent starts as .*: its process is there and does not answer yet\n {2}why {12}it needs/,
    );
  });

  it.each([
    ['start', 'installed', true],
    ['install', 'not installed', false],
  ])('advises `service %s` where it is %s and launchd does not know it', async (command, _name, hasPlist) => {
    const launchctl = `echo 'Could not find service' >&2; exit 113`;
    const { out, ended } = await statusOf({ started: 0, stopped: 5000, launchctl, hasPlist });
    expect(ended.launchd).toMatchObject({ installed: hasPlist, loaded: false });
    expect(out).toContain(`launchd        does not know it, so nothing starts it: \`edge-agent service ${command}\`\n`);
    expect(out).toContain(`\`edge-agent service ${command}\` starts it\n`);
  });

  it('says that the Node of the service is gone, and what brings it back', async () => {
    const words = ['/gone/node', '/a/index.js', 'run', '--config', '/a.yaml'].map((word) => `<string>${word}</string>`);
    const plistText = `<key>ProgramArguments</key><array>${words.join('')}</array>`;
    const { out, ended } = await statusOf({ started: 0, stopped: 5000, hasPlist: true, plistText });
    expect(ended.missing_node).toBe('/gone/node');
    expect(out).toContain('node           /gone/node, which the service runs, is gone');
    expect(out).toContain('`edge-agent service install --new-node` starts it\n');
    expect(out).not.toContain('service start');
  });

  const waits: Waiting = { pid: process.pid, code: 'EDGE_SQLITE_MISSING', detail: 'no binary', since: iso(3000) };
  const runs = (pid: number) => `printf '%s = {\\n\\tstate = running\\n\\tpid = ${pid}\\n}\\n' "$2"`;

  it('says that it waits, for what, since when and what to do, and nothing that is not known', async () => {
    const { out, json } = await statusOf({ waits, damaged: true, launchctl: runs(process.pid) });
    expect(out).toMatch(
      `it waits for sqlite-missing to be mended, and starts by itself then; process ${process.pid}, since ${iso(3000)} (`,
    );
    expect(out).toContain('state.db       is gone, or cannot be read from here');
    expect(out).toMatch(
      /\nConditions\n {2}.*EDGE_SQLITE_MISSING\) since 2026-01-01T00:00:03.000Z .*\n {4}no binary\n.*\n.*npm ci/,
    );
    expect(out).not.toMatch(/nothing taken in|last inbound|when it ended|service start/);
    expect(json).toMatchObject({ running: false, waiting: waits, ended: null, stored: false });
  });

  it('says that it does not run, and what launchd has of it, where state.db cannot be read', async () => {
    const launchctl = `echo 'Could not find service' >&2; exit 113`;
    const { out, json } = await statusOf({ damaged: true, launchctl, hasPlist: true });
    expect(out).toMatch(/^edge-agent does not run as edge_15550100001\n {2}why {12}not known: state.db/);
    expect(out).toContain('what to do stands below, and then `edge-agent service start`');
    expect(out).toMatch(/ {2}launchd {8}does not know it.*\n {2}state.db {7}is gone, or cannot be read from here/);
    expect(out).toMatch(/\nConditions\n {2}.*EDGE_STATE_CORRUPT\).*\n.*not a database\n.*\n {4}Restart the agent/);
    expect(json).toMatchObject({
      running: false,
      stored: false,
      ended: { why: 'unknown', launchd: { loaded: false } },
    });
  });

  it('does not take another process for one that waits', async () => {
    const { json } = await statusOf({ started: 0, stopped: 5000, waits, launchctl: runs(process.pid + 1) });
    expect(json).toMatchObject({ waiting: null, ended: { why: 'starting' } });
  });
});
