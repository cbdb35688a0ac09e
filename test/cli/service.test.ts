import { once } from 'node:events';
import { copyFileSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { controlSocketPath } from '../../src/ops/ControlServer.ts';
import { controlRequest } from '../../src/ops/controlClient.ts';
import { UpgradeRecord } from '../../src/ops/service/UpgradeRecord.ts';
import type { AgentStatus } from '../../src/ops/status.ts';
import { failStandIn } from '../../src/simulator/standIns/behave.ts';
import { tempDir } from '../support/tempDir.ts';
import { waitFor } from '../support/waitFor.ts';
import { edgeAgent, start } from './edgeAgent.ts';
import { type ServiceMac, serviceMac } from './serviceMac.ts';

/** The status of the agent that runs. */
const running = (mac: ServiceMac) =>
  waitFor(
    'an agent that answers',
    async () => {
      const socketPath = controlSocketPath(mac.stateDir);
      const answer = await controlRequest({ socketPath, method: 'GET', path: '/status' }).catch(() => undefined);
      return answer?.body as AgentStatus | undefined;
    },
    30_000,
  );
const serviceStatus = async (mac: ServiceMac) => {
  const { code, out } = await mac.run('service', 'status', '--json');
  return { code, ...JSON.parse(out) };
};

/** A Mac with the service in place, whose launchd says that it runs, as this process. */
async function shownAsRunning(pid: number) {
  const mac = serviceMac();
  privateNode(mac);
  await mac.place();
  const bin = tempDir();
  const printed = `printf '%s = {\\n\\tstate = running\\n\\tpid = ${pid}\\n}\\n' "$2"`;
  writeFileSync(join(bin, 'launchctl'), `#!/bin/bash\n${printed}\n`, { mode: 0o700 });
  mkdirSync(mac.stateDir, { recursive: true });
  return { mac, env: { ...mac.env, PATH: `${bin}:${mac.env.PATH}` } };
}

/** Puts the Node of this test in the place of the private one, with a record that fits but for `changes`. */
function privateNode(mac: ServiceMac, changes: object = {}): string {
  const path = join(mac.paths.runtimeDir, 'bin/edge-agent-node');
  mkdirSync(dirname(path), { recursive: true });
  try {
    linkSync(process.execPath, path);
  } catch {
    copyFileSync(process.execPath, path); // on another volume
  }
  const { size, mtimeMs } = statSync(path);
  const record = {
    node_version: process.versions.node,
    node_sha256: '0'.repeat(64),
    node_size: size,
    node_mtime_ms: mtimeMs,
    package_version: '0.1.0',
    source: process.execPath,
    installed_at: '2026-01-02T03:04:05.000Z',
    ...changes,
  };
  writeFileSync(join(mac.paths.runtimeDir, 'installed.json'), JSON.stringify(record));
  return path;
}
const nodeChanged = async (mac: ServiceMac) =>
  waitFor('EDGE_NODE_CHANGED', async () =>
    (await running(mac)).conditions.find(({ code }) => code === 'EDGE_NODE_CHANGED'),
  );

describe('edge-agent service', () => {
  it('starts what is installed, tells how it is, and starts it again', async () => {
    const mac = serviceMac();
    privateNode(mac);
    await mac.place();
    expect(await mac.run('service', 'start')).toMatchObject({ code: 0, err: '' });
    const first = await running(mac);
    const record = new UpgradeRecord(join(dirname(mac.paths.runtimeDir), 'app'));
    expect(await serviceStatus(mac)).toMatchObject({
      code: 0,
      installed: true,
      loaded: true,
      running: true,
      pid: first.pid,
      path: mac.paths.plist,
      plist: { found: 'same' },
      config: mac.config,
    });
    expect((await mac.run('service', 'start')).out).toContain(`runs already, with pid ${first.pid}`);
    record.write({ from: null, to: '0.0.0-checkout', plist: null, backup: null, begun_at: '' });
    const again = await mac.run('service', 'restart');
    expect(again).toMatchObject({ code: 0, err: '' });
    expect(again.out).toMatch(/interrupted is over: 0.0.0-checkout answers.\n.*Whether it does: edge-agent status\n$/);
    expect(record.read()).toBeUndefined();
    expect((await running(mac)).pid).not.toBe(first.pid);
    rmSync(mac.paths.plist);
    expect((await mac.run('service', 'status')).out).toMatch(
      /running, pid .*\nplist .* is missing: it will not start at the next login. Write it: edge-agent service install\n/,
    );
  });

  it('stops the agent in order, until somebody logs in or starts it', async () => {
    const mac = serviceMac();
    privateNode(mac);
    await mac.place();
    await mac.run('service', 'start');
    await running(mac);
    const record = new UpgradeRecord(join(dirname(mac.paths.runtimeDir), 'app'));
    record.write({ from: null, to: '0.0.0-checkout', plist: null, backup: null, begun_at: '' });
    const stopped = await mac.run('service', 'stop');
    expect(stopped).toMatchObject({ code: 0, err: '' });
    expect(stopped.out).toContain('It comes back at the next login');
    expect(record.read()).toBeUndefined();
    const log = readFileSync(join(mac.paths.logDir, 'edge-agent.log'), 'utf8');
    expect(log).toMatch(/\[INFO\] stopped\n$/);
    expect(log).not.toContain('EDGE_NODE_CHANGED'); // it is the Node that was installed
    expect(await mac.run('service', 'stop')).toMatchObject({ code: 0, out: expect.stringContaining('does not run') });
    expect(await serviceStatus(mac)).toMatchObject({ code: 3, installed: true, loaded: false, pid: null });
  });

  it('says what to do where nothing is installed', async () => {
    const mac = serviceMac();
    const started = await mac.run('service', 'start');
    expect(started.code).toBe(70);
    expect(started.err).toContain('the agent is not installed');
    expect(started.err).toContain('edge-agent service install');
    expect(await mac.run('service', 'status')).toMatchObject({
      code: 3,
      out: expect.stringContaining('not installed. Install it: edge-agent service install'),
    });
  });

  it('does not call running what only waits, and says for what', async () => {
    const pid = process.pid;
    const { mac, env } = await shownAsRunning(pid);
    const since = '2026-01-02T03:04:05.000Z';
    const word = { pid, code: 'EDGE_CONFIG_INVALID', detail: 'config.yaml:1:7  not valid YAML', since };
    writeFileSync(join(mac.stateDir, 'standby.json'), JSON.stringify(word));
    writeFileSync(mac.config, 'edge: [\n');
    const { code, out } = await edgeAgent(['service', 'status'], { env });
    expect(code).toBe(1);
    expect(out).toMatch(
      `state   waits for config-invalid to be mended, and starts by itself then; pid ${pid}, since ${since}\n        EDGE_CONFIG_INVALID: config.yaml:1:7 not valid YAML\n        Correct`,
    );
    const json = await edgeAgent(['service', 'status', '--json'], { env });
    expect({ code: json.code, ...JSON.parse(json.out) }).toMatchObject({ code: 1, running: true, waiting: word });
    writeFileSync(join(mac.stateDir, 'standby.json'), JSON.stringify({ ...word, pid: process.ppid }));
    expect((await edgeAgent(['service', 'status'], { env })).out).toMatch(/^state {3}running, pid/);
  });

  it('does not call running what a crash loop holds back', async () => {
    const { mac, env } = await shownAsRunning(process.pid);
    const failures = join(mac.stateDir, 'crash-loop.json');
    const failed = (last_at: number) =>
      writeFileSync(failures, JSON.stringify({ count: 6, last_code: 'EDGE_CONTROL_SOCKET', last_at }));
    failed(Date.now());
    const { code, out } = await edgeAgent(['service', 'status'], { env });
    expect(code).toBe(1);
    expect(out).toMatch(
      /^state {3}its start is held back; pid \d+\n {8}EDGE_CRASH_LOOP: 6 failures .* no start before/,
    );
    const json = await edgeAgent(['service', 'status', '--json'], { env });
    expect(JSON.parse(json.out)).toMatchObject({
      running: true,
      held_back: { code: 'EDGE_CRASH_LOOP', since: expect.any(String) },
    });
    failed(Date.now() - 3600_000);
    expect((await edgeAgent(['service', 'status'], { env })).out).toMatch(/^state {3}running, pid/);
  });

  it('says what launchd refuses, with what to do', async () => {
    const mac = serviceMac();
    await mac.place();
    const refusal = 'Bootstrap failed: 125: Domain does not support specified action';
    failStandIn(mac.standInState, 'launchctl bootstrap', { exit: 125, stderr: refusal });
    const { code, err } = await mac.run('service', 'start');
    expect(code).toBe(70);
    expect(err).toContain(`EDGE_LAUNCHD: launchctl bootstrap ended with 125: ${refusal}`);
    expect(err).toContain('log in to the Mac’s screen');
  });

  it('tells a property list that is not what would be written, and a Node that is not the one installed', async () => {
    const mac = serviceMac();
    await mac.place('--node', '/older/node');
    privateNode(mac, { node_size: 1 });
    const { code, plist, node } = await serviceStatus(mac);
    expect(code).toBe(3);
    expect(plist).toMatchObject({ found: 'different', extra: ['<string>/older/node</string>'] });
    expect(node.problem).toContain('is not the file that was installed there');
    const { out } = await mac.run('service', 'status');
    expect(out).toContain('has    <string>/older/node</string>');
    expect(out).toContain('edge-agent service install --new-node');
  });

  it('prints the property list for the private Node where there is one', async () => {
    const mac = serviceMac();
    const node = privateNode(mac);
    const { code, out } = await mac.run('service', 'plist');
    expect(code).toBe(0);
    expect(out).toContain(node.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'));
  });

  it('says once what is wrong where the Node that it runs on is gone', async () => {
    const mac = serviceMac();
    const node = privateNode(mac);
    await mac.place();
    rmSync(node);
    const { out } = await mac.run('service', 'status');
    expect(out).toContain(`${node} is gone`);
    expect(out.match(/edge-agent service install.*/g)).toEqual(['edge-agent service install --new-node']);
    rmSync(join(mac.paths.runtimeDir, 'installed.json'));
    expect((await serviceStatus(mac)).node.problem).toBe(`${node}, which launchd starts the agent with, is gone`);
  });

  it('is for macOS, but for printing the property list', async () => {
    for (const command of ['start', 'stop', 'restart', 'status', 'uninstall']) {
      const { code, err } = await edgeAgent(['service', command], { env: { EDGE_INSTALL_ALLOW_OS: '' } });
      expect({ code, err }).toEqual({ code: 69, err: expect.stringContaining('this is for macOS') });
    }
  });
});

describe('the daemon that launchd started', () => {
  it('tells that its Node is another file than was installed', async () => {
    const mac = serviceMac();
    privateNode(mac, { node_size: 1 });
    await mac.place();
    await mac.run('service', 'start');
    expect(await nodeChanged(mac)).toMatchObject({
      name: 'node-changed',
      text: expect.stringContaining('is not the file that was installed there'),
      fix: expect.stringContaining('remove the file'),
    });
  });

  it('tells that another Node runs it than the one that was installed', async () => {
    const mac = serviceMac();
    privateNode(mac);
    await mac.place('--node', process.execPath);
    await mac.run('service', 'start');
    expect((await nodeChanged(mac)).text).toContain(`it runs on ${process.execPath}`);
  });
});

/** A Node that says, and believes, that it is 20.20.2. */
function oldNode(dir: string): string {
  const [path, believes] = [join(dir, 'old node'), join(dir, 'believes.mjs')];
  const versions = "{ value: { ...process.versions, node: '20.20.2' } }";
  writeFileSync(believes, `Object.defineProperty(process, 'versions', ${versions});\n`);
  const real = `exec '${process.execPath}' --import '${believes}' "$@"`;
  writeFileSync(path, `#!/bin/sh\n[ "$1" != --version ] || exec echo v20.20.2\n${real}\n`, { mode: 0o755 });
  return path;
}

describe('the daemon that launchd started on a Node that is too old', () => {
  it('says so once and waits for another Node, and its status says why', async () => {
    const mac = serviceMac();
    const node = oldNode(dirname(mac.standInState));
    await mac.place('--node', node);
    await mac.run('service', 'start');
    const said = () => (existsSync(mac.paths.stderrLog) ? readFileSync(mac.paths.stderrLog, 'utf8') : '');
    await waitFor('its words', () => said().includes('EDGE_NODE_TOO_OLD: Node 20.20.2 is too old'));
    const first = await serviceStatus(mac);
    expect(first).toMatchObject({ code: 1, running: true });
    expect(first.node.problem).toContain(`${node} is Node 20.20.2, which is too old`);
    expect((await mac.run('service', 'status')).out).toContain('Mend it: edge-agent service install --new-node');
    expect((await serviceStatus(mac)).pid).toBe(first.pid);
    expect(said().match(/EDGE_NODE_TOO_OLD/g)).toHaveLength(1);
    expect(await mac.run('service', 'stop')).toMatchObject({ code: 0, err: '' });
  });
});

describe('edge-agent service uninstall', () => {
  it('keeps the secret, and deletes it with all the agent made when it is to purge', async () => {
    const mac = serviceMac();
    await mac.place();
    privateNode(mac);
    expect(mac.security('add-generic-password -s edge-agent -a edge_1 -w the-secret')).toBe(0);
    await mac.run('service', 'start');
    await running(mac);
    expect((await mac.run('service', 'uninstall')).code).toBe(0);
    expect(existsSync(mac.paths.plist)).toBe(false);
    expect(mac.security('find-generic-password -s edge-agent -a edge_1')).toBe(0);
    expect(existsSync(join(mac.stateDir, 'state.db'))).toBe(true);

    const listed = await mac.run('service', 'uninstall', '--purge');
    expect(listed.code).toBe(64);
    expect(listed.out).toContain(`${join(mac.stateDir, 'state.db')}\n`);
    expect(listed.out).toContain('the Keychain item edge-agent of edge_1');
    expect(mac.security('find-generic-password -s edge-agent -a edge_1')).toBe(0);

    const purged = await mac.run('service', 'uninstall', '--purge', '--yes');
    expect(purged).toMatchObject({ code: 0, err: '' });
    expect(purged.out).not.toContain('the-secret');
    expect(mac.security('find-generic-password -s edge-agent -a edge_1')).toBe(44);
    expect(existsSync(mac.stateDir)).toBe(false);
    expect(existsSync(mac.paths.logDir)).toBe(false);
    expect(existsSync(mac.config)).toBe(true);
  });

  it('says what it could not delete, deletes the rest, and does not call that done', async () => {
    const mac = serviceMac();
    mkdirSync(mac.stateDir, { recursive: true });
    writeFileSync(join(mac.stateDir, 'state.db'), '');
    writeFileSync(join(mac.standInState, 'keychain-fails'), '36');
    const { code, out, err } = await mac.run('service', 'uninstall', '--purge', '--yes');
    expect(code).toBe(70);
    expect(err).toContain('the Keychain is locked');
    expect(out).toContain(`Deleted ${join(mac.stateDir, 'state.db')}`);
  });

  it('purges to the end, and says how that went, although nobody reads what it says', async () => {
    const mac = serviceMac();
    writeFileSync(join(mac.standInState, 'keychain-fails'), '36');
    const { child, ended } = start(['service', 'uninstall', '--purge', '--yes'], { env: mac.env });
    ended.catch(() => {}); // its output is not there
    child.stdout?.destroy();
    expect(await once(child, 'exit')).toEqual([70, null]);
  });
});
