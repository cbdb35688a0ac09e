import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listen } from '../backend/httpServer.ts';
import { tempDir } from '../support/tempDir.ts';
import { waitFor } from '../support/waitFor.ts';
import { edgeAgent, home, start } from './edgeAgent.ts';

const SECRET = 'canary-secret-value';

/** A running agent with a secret in its environment. */
async function running(place = home(), env: Record<string, string> = {}) {
  const agent = start(['run', '--config', place.config], { env: { EDGE_SECRET: SECRET, ...env } });
  const isUp = async () => (await edgeAgent(['status', '--json', '--config', place.config])).code !== 3;
  await waitFor('the agent to answer', isUp);
  await waitFor('its first line', () => existsSync(place.log)); // the control socket is there a moment before it
  return { ...place, ...agent };
}

describe('edge-agent run', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('stops in order on %s', async (signal) => {
    const { child, ended, log } = await running();
    child.kill(signal);
    expect(await ended).toMatchObject({ code: 0, out: '', err: '' });
    const lines = readFileSync(log, 'utf8');
    expect(lines).toMatch(new RegExp(`\\[INFO\\] ${signal}: stopping\\n[^]*\\[INFO\\] stopped\\n$`));
    expect(lines).not.toContain(SECRET);
  });

  it('reopens its log on SIGHUP', async () => {
    const { child, log } = await running();
    renameSync(log, `${log}.moved`);
    child.kill('SIGHUP');
    await waitFor('a new log file', () => {
      try {
        return readFileSync(log, 'utf8').includes('SIGHUP');
      } catch {
        return false;
      }
    });
  });

  it('puts its log at debug on SIGUSR2 and back on the next, and says so either way', async () => {
    const { child, log } = await running(home('', '\n  level: warn'));
    const says = (words: string) => waitFor(words, () => readFileSync(log, 'utf8').includes(words));
    child.kill('SIGUSR2');
    await says('[INFO] SIGUSR2: the log is at level debug, with texts and whole handles');
    child.kill('SIGUSR2');
    await says('[INFO] SIGUSR2: the log is at level warn again');
    child.kill('SIGTERM');
    await waitFor('its end', () => child.exitCode !== null);
    expect(readFileSync(log, 'utf8')).not.toContain('stopping');
  });

  it('takes the level that the backend sets', async () => {
    let answers = 0;
    const backend = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ config_updates: { log_level: answers++ === 0 ? 'error' : 'debug' } }));
    });
    const url = `http://127.0.0.1:${await listen(backend)}`;
    const place = home();
    const text = readFileSync(place.config, 'utf8').replace('http://127.0.0.1:9', `${url}\n  sync_interval_seconds: 1`);
    writeFileSync(place.config, text);
    const { log } = await running(place);
    await waitFor('debug', () => readFileSync(log, 'utf8').includes('[DEBUG]'));
  });

  it('lets a second one with the same state go at once, which touches nothing', async () => {
    const { config, log, dir } = await running();
    await waitFor('the end of its start', () => readFileSync(log, 'utf8').includes('Command delivery'));
    const before = { log: readFileSync(log, 'utf8'), files: readdirSync(dir) };
    const second = await edgeAgent(['run', '--config', config]);
    expect(second).toMatchObject({ code: 75, out: '' });
    expect(second.err).toContain('EDGE_ALREADY_RUNNING');
    // The first goes on with its log meanwhile.
    const added = readFileSync(log, 'utf8').slice(before.log.length);
    expect(added).not.toMatch(/EDGE_ALREADY_RUNNING|chat\.db opened|Command delivery/);
    expect(readdirSync(dir)).toEqual(before.files);
  });

  it.each([
    ['an exception', 'throw error'],
    ['a rejection', 'Promise.reject(error)'],
  ])('writes down %s that nobody caught, and ends', async (_name, fail) => {
    const defect = `process.on('SIGUSR2', () => {
      const error = new Error('boom +15550100002 ' + process.env.EDGE_SECRET); ${fail}; })`;
    const preload = `--import=data:text/javascript,${encodeURIComponent(defect)}`;
    const { child, ended, log } = await running(home(), { NODE_OPTIONS: preload });
    child.kill('SIGUSR2');
    const { code, err } = await ended;
    expect(code).toBe(70);
    expect(err).toContain('EDGE_INTERNAL');
    expect(err).not.toContain('boom');
    // The secret is no longer in the environment, so that no program started from here inherits it.
    expect(readFileSync(log, 'utf8').trimEnd().split('\n').at(-1)).toMatch(
      /\[ERROR\] EDGE_INTERNAL: Error: boom …0002 undefined\\n {4}at /,
    );
  });

  it('ends as the disk’s trouble, not as a defect, when a write failed where nobody caught it', async () => {
    const place = home();
    const preload = join(place.dir, 'preload.mjs');
    const edgeError = resolve(import.meta.dirname, '../../src/util/EdgeError.ts');
    writeFileSync(
      preload,
      `import { EdgeError } from ${JSON.stringify(edgeError)};
      process.on('SIGUSR2', () => { throw new EdgeError('EDGE_STATE_IO', 'SQLITE_IOERR_FSYNC'); });`,
    );
    const { child, ended, log } = await running(place, { NODE_OPTIONS: `--import=${preload}` });
    child.kill('SIGUSR2');
    expect(await ended).toMatchObject({ code: 74, err: expect.stringContaining('EDGE_STATE_IO') });
    expect(readFileSync(log, 'utf8')).not.toContain('EDGE_INTERNAL');
  });

  it('stops in order when its state has been deleted, and says that it is gone', async () => {
    const { child, ended, log, state } = await running();
    rmSync(state, { recursive: true });
    child.kill('SIGTERM');
    expect((await ended).code).toBe(0);
    expect(readFileSync(log, 'utf8')).toMatch(
      /\[ERROR\] EDGE_STATE_IO: .*it was moved, deleted or replaced[\s\S]*stopped\n$/,
    );
  });

  it('starts again at once after it was killed', async () => {
    const first = await running();
    first.child.kill('SIGKILL');
    await first.ended;
    await running(first);
  });

  it('starts nothing and writes nothing with a configuration that is broken', async () => {
    const { config, dir } = home('monitring:\n  port: 1\n');
    expect(await edgeAgent(['run', '--config', config])).toMatchObject({ code: 78, out: '' });
    expect(readdirSync(dir)).toEqual(['config.yaml']);
  });

  it('says that there is no configuration, and how to come by one', async () => {
    const ended = await edgeAgent(['run'], { cwd: tempDir(), env: { HOME: tempDir() } });
    expect(ended.code).toBe(78);
    expect(ended.err).toContain('config.yaml  there is no such file; copy config.yaml.example there');
  });

  it('says that the state directory cannot be used', async () => {
    const { config, state } = home();
    writeFileSync(state, 'in the way');
    const ended = await edgeAgent(['run', '--config', config]);
    expect(ended.code).toBe(77);
    expect(ended.err).toMatch(/^edge-agent: EDGE_STATE_DIR: .*\n {2}The state directory cannot be written\.\n {2}Give/);
  });
});
