import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { awaitLock } from '../../src/cli/awaitLock.ts';
import { InstanceLock } from '../../src/ops/InstanceLock.ts';
import { installStandIns } from '../../src/simulator/standIns/installStandIns.ts';
import { EdgeError } from '../../src/util/EdgeError.ts';
import { run } from '../simulator/simulatedMac.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { tempDir } from '../support/tempDir.ts';
import { waitFor } from '../support/waitFor.ts';
import { edgeAgent, home, start } from './edgeAgent.ts';

/** A start on a busy machine, ms. */
const PATIENCE_MS = 30_000;
const LABEL = 'com.edge-relay.edge-agent';
const ENV = { EDGE_SECRET: 'canary-secret-value', XPC_SERVICE_NAME: LABEL };

const textOf = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : '');
/** As editors do: at no moment is there half a file. */
function write(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}
const isUp = (log: string) => textOf(log).includes('Command delivery');

describe('edge-agent run as a service of launchd', () => {
  it('waits for a broken configuration to be mended, says so once, and starts by itself', async () => {
    const { config, log, state } = home('monitring:\n  port: 1\n');
    mkdirSync(state);
    const { child, ended } = start(['run', '--config', config], { env: ENV });
    await waitFor('the words', () => textOf(log).includes('EDGE_CONFIG_INVALID'), PATIENCE_MS);
    const args = ['status', '--config', config];
    await waitFor('the status', () => existsSync(join(state, 'control.sock')), PATIENCE_MS);
    const status = await edgeAgent(args);
    expect(status.code).toBe(3);
    expect(status.out).toContain('it waits for config-invalid to be mended, and starts by itself then');
    expect(status.out).toMatch(new RegExp(`starts by itself then; process ${child.pid}, since \\d{4}-.* ago\\)\\n`));
    expect(status.out).toContain('monitring: is not a known key');
    expect(status.out).toContain('\nConditions\n'); // they stand now
    expect(JSON.parse((await edgeAgent([...args, '--json'])).out)).toMatchObject({
      running: false,
      conditions: [{ code: 'EDGE_CONFIG_INVALID', name: 'config-invalid' }],
    });
    // Another change that leaves the same problem is not told again.
    write(config, `${readFileSync(config, 'utf8')}# a comment\n`);
    child.kill('SIGHUP');
    write(config, readFileSync(config, 'utf8').replace('monitring:\n  port: 1\n', ''));
    await waitFor('the start', () => isUp(log), PATIENCE_MS);
    expect(textOf(log).match(/EDGE_CONFIG_INVALID/g)).toHaveLength(1);
    child.kill('SIGTERM');
    const { code, err } = await ended;
    expect(code).toBe(0);
    expect(err.match(/monitring/g)).toHaveLength(1);
  });

  it('ends with 0 when it is stopped while it waits, also for a file that says nothing of its log', async () => {
    const dir = tempDir();
    const config = join(dir, 'config.yaml');
    const { child, ended } = start(['run', '--config', config], { cwd: dir, env: { ...ENV, HOME: dir } });
    let err = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    await waitFor('the words', () => err.includes('there is no such file'), PATIENCE_MS);
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 0, signal: null });
  });

  it('ends from a terminal with its exit code, as ever', async () => {
    const { config } = home('monitring:\n  port: 1\n');
    for (const name of ['0', 'application.com.apple.Terminal.1152921500311', '']) {
      const ended = await edgeAgent(['run', '--config', config], { env: { ...ENV, XPC_SERVICE_NAME: name } });
      expect(ended.code).toBe(78);
    }
  });

  it('stays up for a state.db of a newer version, leaves it alone, and ends to be started anew when it changes', async () => {
    const { config, state, log } = home();
    mkdirSync(state, { mode: 0o700 });
    const db = new Database(join(state, 'state.db'));
    db.pragma('journal_mode = WAL');
    db.pragma('user_version = 99');
    db.close();
    const before = readFileSync(join(state, 'state.db'));
    const { ended } = start(['run', '--config', config], { env: ENV });
    await waitFor('the words', () => textOf(log).includes('EDGE_STATE_NEWER'), PATIENCE_MS);
    await waitFor('the status', () => existsSync(join(state, 'control.sock')), PATIENCE_MS);
    const status = await edgeAgent(['status', '--config', config]);
    expect(status).toMatchObject({ code: 3, out: expect.stringContaining('it waits for state-newer to be mended') });
    const second = await edgeAgent(['run', '--config', config]);
    expect(second.code).toBe(75); // the lock is held
    expect(readFileSync(join(state, 'state.db'))).toEqual(before);
    rmSync(join(state, 'state.db'));
    expect((await ended).code).toBe(78);
  });

  it('waits for the other agent with the same state to end, says so once, and touches nothing of it', async () => {
    const { config, log, state } = home();
    const first = start(['run', '--config', config], { env: { EDGE_SECRET: 'canary-secret-value' } });
    await waitFor('the start', () => isUp(log), PATIENCE_MS);
    const second = start(['run', '--config', config], { env: ENV });
    let err = '';
    second.child.stderr?.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    await waitFor('the words', () => err.includes('EDGE_ALREADY_RUNNING'), PATIENCE_MS);
    const word = join(state, 'standby.json');
    await waitFor('the word it leaves', () => existsSync(word), PATIENCE_MS);
    const beside = await edgeAgent(['status', '--config', config]);
    expect(beside.out).toMatch(
      new RegExp(`launchd {8}its agent, process ${second.child.pid}, waits since .*\\(EDGE_ALREADY_RUNNING\\)`),
    );
    second.child.kill('SIGHUP'); // has it look
    const status = await edgeAgent(['status', '--json', '--config', config]);
    expect(JSON.parse(status.out)).toMatchObject({ running: true, pid: first.child.pid });
    await waitFor('the word again', () => existsSync(word), PATIENCE_MS);
    expect(second.child.exitCode).toBeNull();
    first.child.kill('SIGTERM');
    expect((await first.ended).code).toBe(0);
    second.child.kill('SIGHUP');
    expect(await second.ended).toMatchObject({ code: 75, signal: null }); // launchd starts it anew
    expect(existsSync(word)).toBe(false);
    expect(err.match(/EDGE_ALREADY_RUNNING/g)).toHaveLength(1);
    expect(textOf(log)).not.toMatch(/EDGE_ALREADY_RUNNING|SIGHUP/);
  });

  it('is started once by launchd for a configuration that is broken, and runs when it is mended', async () => {
    const place = home('monitring:\n  port: 1\n');
    const [bin, remembered] = [join(tempDir(), 'bin'), join(tempDir(), 'state')];
    installStandIns(bin, remembered, { startServices: { throttleMs: 20 } });
    const launchctl = (...args: string[]) => run(join(bin, 'launchctl'), args);
    const program = join(import.meta.dirname, '../../src/index.ts');
    const plist = join(place.dir, 'agent.plist');
    const strings = [process.execPath, program, 'run', '--config', place.config].map(
      (arg) => `<string>${arg}</string>`,
    );
    writeFileSync(
      plist,
      `<plist version="1.0"><dict><key>Label</key>
      <string>${LABEL}</string>
      <key>ProgramArguments</key><array>${strings.join('')}</array>
      <key>EnvironmentVariables</key><dict><key>EDGE_SECRET</key><string>canary-secret-value</string></dict>
      <key>RunAtLoad</key><true/><key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict></dict></plist>`,
    );
    expect((await launchctl('bootstrap', 'gui/501', plist)).code).toBe(0);
    await waitFor('the words', () => textOf(place.log).includes('EDGE_CONFIG_INVALID'), PATIENCE_MS);
    write(place.config, readFileSync(place.config, 'utf8').replace('monitring:\n  port: 1\n', ''));
    await waitFor('the start', () => isUp(place.log), PATIENCE_MS);
    const { stdout } = await launchctl('print', `gui/501/${LABEL}`);
    expect(stdout).toContain('runs = 1\n');
    expect(stdout).toContain('last exit code = (never exited)');
    await launchctl('kill', 'SIGTERM', `gui/501/${LABEL}`);
    await waitFor(
      'the end',
      async () => /state = not running/.test((await launchctl('print', `gui/501/${LABEL}`)).stdout),
      PATIENCE_MS,
    );
    expect((await launchctl('print', `gui/501/${LABEL}`)).stdout).toMatch(/runs = 1\n\tlast exit code = 0\n/);
  });
});

describe('awaitLock', () => {
  const waiting = (stop: Promise<string>) => {
    const dir = tempDir();
    const [path, file] = [join(dir, 'lock.db'), join(dir, 'config.yaml')];
    writeFileSync(file, '');
    const clock = new FakeClock();
    const lock = InstanceLock.acquire(path);
    let outcome: string | undefined;
    const error = new EdgeError('EDGE_ALREADY_RUNNING', 'another agent');
    const over = awaitLock({ path, file, error, clock, stop }).then((how) => {
      outcome = how;
      return how;
    });
    return { clock, lock, file, over, outcome: () => outcome };
  };
  const never = new Promise<string>(() => undefined);

  it('looks every 10 s whether the lock is free', async () => {
    const { clock, lock, over, outcome } = waiting(never);
    await clock.advance(60_000);
    expect(outcome()).toBeUndefined();
    lock.release();
    await clock.advance(10_000);
    expect(await over).toBe('look');
  });

  it('ends when the configuration has changed, which may name another state directory, or when it is stopped', async () => {
    const changed = waiting(never);
    write(changed.file, 'state:\n  dir: other\n');
    await changed.clock.advance(1_000);
    expect(await changed.over).toBe('look');
    changed.lock.release();
    const stopped = waiting(Promise.resolve('SIGTERM'));
    expect(await stopped.over).toBe('stop');
    stopped.lock.release();
  });
});

describe('an agent that does not answer', () => {
  it('is told from one that does not run, with its process and what to do', async () => {
    const { config, log } = home();
    const { child } = start(['run', '--config', config], { env: { EDGE_SECRET: 'canary-secret-value' } });
    await waitFor('the start', () => isUp(log), PATIENCE_MS);
    child.kill('SIGSTOP');
    const stoppedAt = Date.now();
    const args = ['--config', config];
    const [text, json, retry, send] = await Promise.all([
      edgeAgent(['status', ...args]),
      edgeAgent(['status', '--json', ...args]),
      edgeAgent(['retry', '--all', ...args]),
      edgeAgent(['send', '--to', '+15550100002', '--text', 'Hello', ...args]),
    ]);
    expect(text.code).toBe(4);
    expect(text.out).toContain('edge-agent does not answer as edge_15550100001');
    expect(text.out).toContain(`process ${child.pid} does not answer`);
    expect(text.out).toContain('edge-agent service restart');
    expect(JSON.parse(json.out)).toMatchObject({
      conditions: expect.arrayContaining([expect.objectContaining({ name: 'not-answering' })]),
    });
    // Its last sign of life, and not the moment in which it was asked.
    const { since } = JSON.parse(json.out).conditions.find((one: { name: string }) => one.name === 'not-answering');
    expect(Date.parse(since)).toBeLessThanOrEqual(stoppedAt);
    for (const { code, err } of [retry, send])
      expect([code, err]).toEqual([75, expect.stringContaining('EDGE_NOT_ANSWERING')]);
    expect(send.err).toContain('The text may still go out. Look at the thread in Messages before you send it again');
    child.kill('SIGCONT');
    expect((await edgeAgent(['status', ...args])).code).toBeLessThan(2);
  });
});
