import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EXAMINED } from '../../src/cli/examined.ts';
import { controlSocketPath } from '../../src/ops/ControlServer.ts';
import { writeInstalledNode } from '../../src/ops/service/installedNode.ts';
import { privateNodePath } from '../../src/ops/service/NodeRuntime.ts';
import { SERVICE_LABEL, servicePaths } from '../../src/ops/service/servicePaths.ts';
import { failStandIn } from '../../src/simulator/standIns/behave.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { startHub } from '../hub/testHub.ts';
import { agentStatus } from '../support/agentStatus.ts';
import { startRig } from '../support/startRig.ts';
import { waitFor } from '../support/waitFor.ts';
import { type DoctorMac, doctorMac } from './doctorMac.ts';
import { edgeAgent } from './edgeAgent.ts';

const DAY_MS = 86_400_000;

const statuses = (found: Record<string, { status: string }>) =>
  Object.fromEntries(Object.entries(found).map(([name, { status }]) => [name, status]));

/** A backend whose clock is wrong by so much. */
async function backendOff(ms: number): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(404, { Date: new Date(Date.now() + ms).toUTCString() }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A state.db as an agent leaves it that has taken in up to ROWID 0. */
function leaveState({ stateDir }: DoctorMac): string {
  const path = join(stateDir, 'state.db');
  const store = StateStore.open(path, Date.now());
  store.epochs.start({ dev: '1', ino: '1', now: Date.now(), rowid: 0, guid: null, newestMessageAt: null });
  store.close();
  return path;
}

describe('edge-agent doctor on a Mac', () => {
  it('finds nothing amiss where all was set up well, and leaves out what is not there yet', async () => {
    const { hub } = await startHub();
    const on = await doctorMac(hub.url);
    on.mac.people.receive({ from: '+15550100002', text: 'hello' });
    const { found, err } = await on.doctor();
    expect(err).toBe('');
    expect(Object.keys(found)).toEqual([...EXAMINED]);
    expect(statuses(found)).toEqual({
      ...Object.fromEntries(EXAMINED.map((name) => [name, 'pass'])),
      state: 'skip',
      service: 'skip',
      binary: 'skip',
      connection: 'fail', // that secret is not the hub's
    });
    expect(found.macos?.text).toMatch(/^macOS 26\.1; .*any;-;/);
    expect(found.inbound?.text).toMatch(/^the newest message came \d\.\d s ago$/);
  });

  it('warns of what will stop the agent one day, each with its fix', async () => {
    const on = await doctorMac(await backendOff(-120_000));
    await on.call('pmset', '-a', 'sleep', '10', 'autorestart', '0', 'womp', '0');
    await on.call('defaults', 'delete', '/Library/Preferences/com.apple.loginwindow', 'autoLoginUser');
    writeFileSync(join(on.mac.standInStatePath, 'filevault'), '');
    on.mac.messages.accounts = ['iMessage'];
    on.mac.people.receive({ from: '+15550100002', text: 'long ago', dateAt: Date.now() - 2 * DAY_MS });
    leaveState(on);
    writeFileSync(join(on.stateDir, 'state.db.corrupt-1'), '');
    chmodSync(on.stateDir, 0o755);
    chmodSync(on.config, 0o644);
    const only = ['account', 'sleep', 'login', 'filevault', 'clock', 'state', 'files', 'inbound'];
    const { code, found } = await on.doctor(...only);
    expect(code).toBe(1);
    expect(statuses(found)).toEqual(Object.fromEntries(only.map((name) => [name, 'warn'])));
    expect(found).toMatchObject({
      account: { text: expect.stringContaining('sms_fallback'), fix: expect.stringContaining('Forwarding') },
      sleep: {
        text: expect.stringMatching(/sleep after 10 min.*power failure.*network/),
        fix: expect.stringMatching(/^sudo pmset -a sleep 0 autorestart 1 womp 1 /),
      },
      login: { text: expect.stringContaining('nobody'), fix: expect.stringContaining('Users & Groups') },
      filevault: { fix: expect.stringContaining('Privacy & Security → FileVault') },
      clock: { text: expect.stringMatching(/2 min.* ahead of/), fix: expect.stringContaining('sntp') },
      state: { text: expect.stringContaining('state.db.corrupt-1'), fix: expect.stringContaining("Ana'\\''s home") },
      files: {
        text: expect.stringMatching(/mode 755, expected 700; .*config\.yaml has mode 644, expected 600$/),
        fix: expect.stringMatching(/^chmod 700 '.*state' && chmod 600 '.*config\.yaml'$/),
      },
      inbound: { text: expect.stringMatching(/2 d ago; 1 row at most/), fix: expect.stringContaining('imagent') },
    });
  });

  it('fails what stops the agent now', async () => {
    const on = await doctorMac(await backendOff(3_600_000));
    on.mac.messages.accounts = [];
    const path = leaveState(on);
    writeFileSync(path, Buffer.alloc(8192, 'garbage '));
    chmodSync(join(on.home, 'secret'), 0o644);
    const only = ['account', 'clock', 'state', 'files'];
    const { code, found } = await on.doctor(...only);
    expect(code).toBe(2);
    expect(statuses(found)).toEqual(Object.fromEntries(only.map((name) => [name, 'fail'])));
    expect(found).toMatchObject({
      account: { text: expect.stringMatching(/^EDGE_SEND_NO_ACCOUNT/), fix: expect.stringContaining('sign in') },
      clock: { text: expect.stringMatching(/1 h behind/) },
      state: { text: expect.stringMatching(/^EDGE_STATE_CORRUPT/) },
      files: { fix: expect.stringMatching(/^chmod 600 '.*secret'$/) },
    });
  });

  it.each([
    ['older', 2, 'warn', 'EDGE_STATE_OLDER'],
    ['newer', 99, 'fail', 'EDGE_STATE_NEWER'],
  ])('tells a state.db of an %s version', async (_name, version, status, code) => {
    const on = await doctorMac();
    const path = leaveState(on);
    expect((await on.doctor('state')).found.state?.status).toBe('pass');
    const db = new Database(path);
    db.pragma(`user_version = ${version}`);
    db.close();
    const { state } = (await on.doctor('state')).found;
    expect(state).toMatchObject({ status, text: expect.stringMatching(`^${code}`) });
  });

  it.each([
    ['11.7.10', 'fail', /too old/],
    ['27.0', 'warn', /newer than any/],
    ['14.2', 'pass', /read from its words/],
    ['?', 'warn', /sw_vers -productVersion ended with 0 and said: \?/],
  ])('knows macOS %s', async (version, status, text) => {
    const on = await doctorMac();
    writeFileSync(join(on.mac.binPath, 'sw_vers'), `#!/bin/bash\necho '${version}'\n`);
    expect((await on.doctor('macos')).found.macos).toMatchObject({ status, text: expect.stringMatching(text) });
  });

  it('is not held up by programs that hang, and looks at the rest', async () => {
    const on = await doctorMac();
    on.mac.messages.automation = 'unanswered';
    for (const program of ['pmset', 'fdesetup', 'sw_vers']) {
      failStandIn(on.mac.standInStatePath, program, { hang: true });
    }
    // Its child holds the pipe open when it is killed itself.
    writeFileSync(join(on.mac.binPath, 'defaults'), '#!/bin/bash\nsleep 60\n');
    const { code, found } = await on.doctor();
    expect(code).toBe(2);
    for (const name of ['sleep', 'filevault', 'macos', 'login']) {
      const text = expect.stringContaining('did not end within 1.5 s');
      expect(found[name]).toMatchObject({ status: 'warn', text, fix: expect.stringContaining('by hand') });
    }
    expect(found.messages).toMatchObject({ status: 'fail', fix: expect.stringContaining('dialog') });
    expect(statuses(found)).toMatchObject({ automation: 'skip', account: 'skip', disk: 'pass', files: 'pass' });
  });

  it('passes over what only a Mac has, where it runs on none', async () => {
    const on = await doctorMac();
    for (const name of ['sw_vers', 'pmset', 'defaults', 'fdesetup', 'osascript']) {
      chmodSync(join(on.mac.binPath, name), 0o600);
    }
    const { found } = await on.doctor('macos', 'automation', 'messages', 'account', 'sleep', 'login', 'filevault');
    expect([...new Set(Object.values(found).map(({ status }) => status))]).toEqual(['skip']);
    expect(found.sleep?.text).toBe('there is no pmset here: this is no Mac');
  });
});

describe('edge-agent doctor about Messages', () => {
  it('names the place where the permission to control it is given, and the program that needs it', async () => {
    const on = await doctorMac();
    const node = join(on.home, 'Library/Application Support/edge-agent/runtime/bin/edge-agent-node');
    mkdirSync(join(node, '..'), { recursive: true });
    writeFileSync(node, '');
    on.mac.messages.automation = 'denied';
    const { code, found } = await on.doctor('automation', 'messages', 'account');
    expect(code).toBe(2);
    expect(statuses(found)).toEqual({ automation: 'fail', messages: 'skip', account: 'skip' });
    expect(found.automation?.fix).toContain(`System Settings → Privacy & Security → Automation: under ${node} switch`);
    on.mac.messages.automation = 'granted';
    const { found: granted } = await on.doctor('automation');
    expect(granted.automation).toMatchObject({
      status: 'pass',
      text: expect.stringContaining(`once more, for ${node}`),
    });
  });

  it('tells one that does not run from one that hangs, and starts none', async () => {
    const on = await doctorMac();
    on.mac.messages.quit();
    const ended = await on.doctor('automation', 'messages', 'account');
    expect(statuses(ended.found)).toEqual({ automation: 'skip', messages: 'warn', account: 'skip' });
    expect(ended.found.messages?.fix).toBe('open -gja Messages');
    expect(on.mac.messages.process.launches).toBe(0);
    on.mac.messages.launch();
    on.mac.messages.process.hang();
    const { found } = await on.doctor('messages');
    expect(found.messages).toMatchObject({ status: 'fail', text: expect.stringContaining('does not answer') });
  });
});

describe('edge-agent doctor about the installation', () => {
  /** As an install leaves it: a copy of Node, its record, the LaunchAgent, loaded. */
  async function installed() {
    const on = await doctorMac();
    const { plist, runtimeDir } = servicePaths(on.home);
    const node = privateNodePath(runtimeDir);
    for (const path of [plist, node]) mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(node, 'Node', { mode: 0o755 });
    const { size, mtimeMs } = statSync(node);
    writeInstalledNode(join(runtimeDir, 'installed.json'), {
      node_version: '26.1.0',
      node_sha256: createHash('sha256').update('Node').digest('hex'),
      node_size: size,
      node_mtime_ms: mtimeMs,
      package_version: '0.1.0',
      source: '/usr/local/bin/node',
      installed_at: '2026-01-01T00:00:00.000Z',
    });
    const wanted = await edgeAgent(['service', 'plist', '--config', on.config], { env: on.env });
    writeFileSync(plist, wanted.out);
    await on.call('launchctl', 'bootstrap', DOMAIN, plist);
    return { ...on, plist, node };
  }
  const DOMAIN = `gui/${process.getuid!()}`;

  it('finds nothing amiss after an install, and names what has changed since', async () => {
    const on = await installed();
    const well = await on.doctor('service', 'binary');
    expect(well.found).toMatchObject({
      service: { status: 'pass', text: 'the LaunchAgent is as it should be, and loaded' },
      binary: { status: 'pass', text: expect.stringContaining(`Node 26.1.0 at ${on.node}`) },
    });

    writeFileSync(on.plist, readFileSync(on.plist, 'utf8').replace('<integer>20</integer>', '<integer>5</integer>'));
    writeFileSync(on.node, 'None');
    const changed = await on.doctor('service', 'binary');
    expect(changed.code).toBe(1);
    expect(changed.found).toMatchObject({
      service: {
        status: 'warn',
        text: expect.stringMatching(/<integer>5<\/integer>.*<integer>20<\/integer>/),
        fix: expect.stringMatching(/^edge-agent service install/),
      },
      binary: {
        status: 'warn',
        text: expect.stringMatching(/^EDGE_NODE_CHANGED: .*is not the file that was installed there/),
        fix: expect.stringContaining(`add (+, Cmd-Shift-G) exactly: ${on.node}`),
      },
    });
  });

  it('fails where launchd has not loaded it, or the Node is gone', async () => {
    const on = await installed();
    await on.call('launchctl', 'bootout', `${DOMAIN}/${SERVICE_LABEL}`);
    rmSync(on.node);
    const { found } = await on.doctor('service', 'binary');
    expect(found.service).toMatchObject({
      text: expect.stringContaining('launchd has not loaded it'),
      fix: 'edge-agent service install --new-node',
    });
    expect(found.binary).toMatchObject({ status: 'fail', text: expect.stringContaining('is gone') });
    writeFileSync(on.node, 'Node');
    const back = await on.doctor('service');
    expect(back.found.service).toMatchObject({ status: 'fail', fix: 'edge-agent service start' });
    rmSync(on.plist);
    mkdirSync(on.plist);
    const unreadable = await on.doctor('service');
    expect(unreadable.found.service).toMatchObject({ status: 'fail', text: expect.stringContaining('EISDIR') });
  });

  it('tells of a Node that is only ad-hoc signed, of one that an update moves, and of another configuration', async () => {
    const on = await installed();
    mkdirSync(join(on.mac.standInStatePath, 'codesign'), { recursive: true });
    writeFileSync(join(on.mac.standInStatePath, 'codesign/default'), 'adhoc');
    const other = join(on.home, 'other.yaml');
    const plist = readFileSync(on.plist, 'utf8');
    writeFileSync(other, readFileSync(on.config, 'utf8'), { mode: 0o600 });
    const args = ['doctor', '--json', '--only', 'service', '--only', 'binary'];
    const cwd = join(on.home, 'here');
    mkdirSync(cwd);
    renameSync(other, join(cwd, 'config.yaml'));
    const { out } = await edgeAgent(args, { cwd, env: on.env });
    const [service, binary] = (JSON.parse(out) as { checks: { status: string; fix: string; text: string }[] }).checks;
    expect(service).toMatchObject({
      status: 'warn',
      fix: `edge-agent doctor --config '${on.config.replaceAll("'", "'\\''")}'`,
    });
    expect(binary).toMatchObject({ status: 'warn', text: expect.stringContaining('ad-hoc') });

    rmSync(join(on.node, '../../installed.json'));
    const brewed = join(on.home, 'Cellar/node');
    writeFileSync(on.plist, plist.replace(on.node, brewed));
    expect((await on.doctor('binary')).found.binary).toMatchObject({
      status: 'fail',
      text: expect.stringContaining('is gone'),
    });
    mkdirSync(join(on.home, 'Cellar'));
    writeFileSync(brewed, 'Node');
    const { found } = await on.doctor('binary');
    expect(found.binary).toMatchObject({ status: 'warn', fix: 'edge-agent service install' });
  });
});

describe('edge-agent doctor beside the agent', () => {
  const ask = async (config: string, ...only: string[]) => {
    const args = ['doctor', '--json', '--config', config, ...only.flatMap((name) => ['--only', name])];
    const { out } = await edgeAgent(args);
    const { checks } = JSON.parse(out) as { checks: { name: string; status: string; text: string; fix: string }[] };
    return Object.fromEntries(checks.map((check) => [check.name, check]));
  };

  it('believes what the agent has met more than what it meets itself', async () => {
    const rig = await startRig();
    const config = rig.path('config.yaml');
    rig.mac.messages.automation = 'denied';
    const before = await ask(config, 'automation');
    expect(before.automation).toMatchObject({ status: 'warn', text: expect.stringContaining('this terminal') });
    await rig.command('send_message_now', { thread_id: '+15550100002', text: 'hello' });
    await rig.agent.ready(({ conditions }) => conditions.some(({ name }) => name === 'automation-denied'));
    const after = await ask(config, 'automation', 'chat.db');
    expect(after.automation).toMatchObject({ status: 'fail', text: expect.stringContaining('the running agent') });
    expect(after['chat.db']).toMatchObject({ status: 'pass', text: expect.not.stringContaining('launchd') });
  });

  it('fails where the agent answers and has stopped taking in messages', async () => {
    const on = await doctorMac();
    on.mac.people.receive({ from: '+15550100002', text: 'hello', dateAt: Date.now() - 600_000 });
    const answer = JSON.stringify(agentStatus({ cursor: { epoch: 1, rowid: 0 } }));
    const server = createServer((_request, response) => void response.end(answer));
    await new Promise<void>((resolve) => server.listen(controlSocketPath(on.stateDir), resolve));
    onTestFinished(() => void server.close());
    const { code, found } = await on.doctor('inbound');
    expect(code).toBe(2);
    expect(found.inbound).toMatchObject({
      status: 'fail',
      text: expect.stringMatching(/stopped at ROWID 0 .* goes on to 1; what comes next is 10 min( \d+ s)? old$/),
      fix: expect.stringContaining('edge-agent service restart'),
    });
  });

  it('fails where the agent does not answer', async () => {
    const rig = await startRig();
    const config = rig.path('config.yaml');
    rig.mac.people.receive({ from: '+15550100002', text: 'hello', dateAt: Date.now() - 600_000 });
    await waitFor(
      'the cursor',
      async () => ((await rig.agent.status()).cursor as { rowid: number } | null)?.rowid === 1,
    );
    expect((await ask(config, 'inbound')).inbound).toMatchObject({ status: 'pass' });
    process.kill(rig.agent.nodePid!, 'SIGSTOP');
    onTestFinished(() => void process.kill(rig.agent.nodePid!, 'SIGCONT'));
    expect((await ask(config, 'inbound')).inbound).toMatchObject({
      status: 'fail',
      text: expect.stringContaining('does not answer'),
      fix: expect.stringContaining('edge-agent service restart'),
    });
  });
});
