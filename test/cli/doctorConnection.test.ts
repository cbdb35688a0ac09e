import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { StepResult } from '../../src/backend/diagnosis/Step.ts';
import { faultyBackend, refuse } from '../backend/diagnosis/faultyBackend.ts';
import { AGENT, SECRET as HUB_SECRET, startHub } from '../hub/testHub.ts';
import { selfSigned } from '../support/certificates.ts';
import { startRig } from '../support/startRig.ts';
import { waitFor } from '../support/waitFor.ts';
import { edgeAgent, home } from './edgeAgent.ts';

const SECRET = 'canary-5f0c2e9a';

/** A folder whose configuration names this backend, with the WebSocket on. */
function homeFor(url: string): { dir: string; config: string } {
  const { dir, config } = home();
  const text = readFileSync(config, 'utf8')
    .replace('http://127.0.0.1:9', url)
    .replace('enabled: false', 'enabled: true');
  writeFileSync(config, text);
  return { dir, config };
}

function stepsOf(out: string): Record<string, StepResult> {
  const { connection } = JSON.parse(out) as { connection: StepResult[] };
  return Object.fromEntries(connection.map((result) => [result.step, result]));
}

describe('edge-agent doctor --only connection', () => {
  it('finds every step well with a hub, while no agent runs', async () => {
    const { hub } = await startHub();
    const { config } = homeFor(hub.url);
    const { code, out, err } = await edgeAgent(['doctor', '--only', 'connection', '--config', config], {
      env: { EDGE_SECRET: HUB_SECRET },
    });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^pass {2}connection {2}every step/);
    expect(out).toMatch(/pass {5}probe {4}\S+: a test command came, and its ack was taken/);
  });

  it('leaves the agent that runs its socket, and reads of its state without changing it', async () => {
    const rig = await startRig();
    const before = await rig.agent.status();
    const { code, out } = await edgeAgent(
      ['doctor', '--only', 'connection', '--json', '--config', rig.path('config.yaml')],
      { env: { EDGE_SECRET: rig.secret } },
    );
    expect(code).toBe(0);
    expect(stepsOf(out).probe?.status).toBe('pass');
    const same = { ...(before.websocket as object), last_frame_seconds_ago: expect.any(Number) };
    expect((await rig.agent.status()).websocket).toEqual(same);
    const id = await rig.command('send_message_now', { thread_id: '+15550100002', text: 'still here' });
    await waitFor('the bubble', () => rig.bubblesTo('+15550100002').length === 1);
    expect(rig.agent.log).not.toContain('WebSocket closed');
    expect(id).toBeTruthy();
  });

  it('says what was sent, what came back, why, whom to ask and what to do, with exit code 2', async () => {
    const { url } = await faultyBackend({
      upgrade: (socket) =>
        refuse(socket, 403, { 'Content-Type': 'text/html', Server: 'nginx' }, '<html>blocked</html>'),
    });
    const { config } = homeFor(url);
    const { code, out } = await edgeAgent(['doctor', '--only', 'connection', '--config', config], {
      env: { EDGE_SECRET: SECRET },
    });
    expect(code).toBe(2);
    expect(out).toMatch(/^fail {2}connection {2}upgrade \S+: answered 403 Forbidden/);
    for (const text of [
      'Authorization: Bearer [secret]',
      `X-Edge-Agent-Id: ${AGENT}`,
      'server: nginx',
      'body: <html>blocked</html>',
      '1. A proxy, firewall or CDN in between refuses upgrades',
      'ask the backend’s people:',
      'do: Ask those who run it to allow WebSocket upgrades',
    ]) {
      expect(out).toContain(text);
    }
    expect(out).not.toContain(SECRET);
  });

  it('says so where there is no secret', async () => {
    const { url } = await faultyBackend();
    const { config } = homeFor(url);
    const { code, out } = await edgeAgent(['doctor', '--only', 'connection', '--json', '--config', config]);
    expect(code).toBe(2);
    expect(stepsOf(out).sync).toMatchObject({
      status: 'fail',
      text: expect.stringMatching(/^EDGE_SECRET_MISSING: neither EDGE_SECRET/),
      fix: expect.stringContaining('Set EDGE_SECRET'),
    });
  });

  it('names a CA file that cannot be used as the first cause of a certificate that nobody trusts', async () => {
    const { url } = await faultyBackend({}, selfSigned('IP:127.0.0.1'));
    const { config } = homeFor(`${url}\n  ca_file: missing.pem`);
    const { code, out } = await edgeAgent(['doctor', '--only', 'connection', '--json', '--config', config], {
      env: { EDGE_SECRET: SECRET },
    });
    expect(code).toBe(2);
    expect(stepsOf(out).tls).toMatchObject({ status: 'fail', text: expect.stringContaining('EDGE_TLS_UNTRUSTED') });
    expect(stepsOf(out).tls?.text).toContain('EDGE_CA_FILE');
    expect(stepsOf(out).tls?.causes[0]).toMatch(/^backend\.ca_file cannot be used/);
  });

  it('guesses what was meant, and refuses a report of nothing', async () => {
    const { config } = home();
    const misspelt = await edgeAgent(['doctor', '--only', 'conection', '--config', config]);
    expect(misspelt.code).toBe(64);
    expect(misspelt.err).toContain('Did you mean connection?');
    const nothing = await edgeAgent(['doctor', '--only', 'chat.db', '--report', '-', '--config', config]);
    expect(nothing).toMatchObject({ code: 64, out: '', err: expect.stringContaining('--only connection') });
  });
});

describe('the report for the backend’s people', () => {
  const echo = `token ${SECRET} of +15550100002 and ann@example.com | \`\`\` <script>`;
  const backend = () =>
    faultyBackend({
      health: (response) => response.writeHead(500, { server: `x ${SECRET}` }).end(echo),
      sync: (response) => response.writeHead(403, { 'content-type': 'text/plain' }).end(echo),
      socket: (ws) => ws.close(4001, `${SECRET} +15550100002`),
    });

  it('holds no secret and no handle, whatever the backend wrote, and nothing that ends its blocks', async () => {
    const { url } = await backend();
    const { config } = homeFor(url);
    const { code, out } = await edgeAgent(['doctor', '--report', '-', '--only', 'connection', '--config', config], {
      env: { EDGE_SECRET: SECRET },
    });
    expect(code).toBe(2);
    for (const canary of [SECRET, '+15550100002', 'ann@example.com']) expect(out).not.toContain(canary);
    expect(out).toContain('body: token [secret] of …0002 and ….com | ``` <script>');
    expect(out).toContain('close code 4001, reason: [secret] …0002');
    expect(out.match(/^````$/gm)).toHaveLength(4); // two blocks with the echo, each held by a longer fence
    expect(out.replace(/^(`{3,})[a-z]*\n.*?^\1$/gms, '')).not.toMatch(/<script>|```/);
  });

  it('is text to whom reads it, whatever the backend wrote: no image, no link, no table, no other direction', async () => {
    const reason = '![x](//evil.example/i) **OK** _ok_ &lt;b> ~~no~~ | \u061c\u202e';
    const { url } = await faultyBackend({ socket: (ws) => ws.close(4001, reason) });
    const { config } = homeFor(url);
    const { out } = await edgeAgent(['doctor', '--report', '-', '--only', 'connection', '--config', config], {
      env: { EDGE_SECRET: SECRET },
    });
    const prose = out.replace(/^(`{3,})[a-z]*\n.*?^\1$/gms, '');
    expect(prose).toContain('&#33;&#91;x&#93;(//evil.example/i) &#42;&#42;OK');
    expect(prose).not.toMatch(/!\[|\]\(|\*\*|~~|_ok|&lt;/);
    expect(out).not.toMatch(/\p{Bidi_Control}/u);
  });

  it('says who, what, when and with which versions, and has lines to try it from elsewhere', async () => {
    const { url } = await backend();
    const { config } = homeFor(url);
    const { out } = await edgeAgent(['doctor', '--report', '-', '--only', 'connection', '--config', config], {
      env: { EDGE_SECRET: SECRET },
    });
    expect(out).toMatch(/\| begun \(UTC\) \| 20\d\d-\d\d-\d\dT[\d:.]+Z \|/);
    for (const row of [
      `agent id | ${AGENT}`,
      `backend | ${url}`,
      `Node | ${process.version}`,
      'the agent | does not run',
    ]) {
      expect(out).toContain(`| ${row}`);
    }
    const socket = `'${url.replace('http', 'ws')}/edge/ws?edge_agent_id=${AGENT}'`;
    const secret = '"Authorization: Bearer $EDGE_SECRET"';
    expect(out).toContain(`curl -i '${url}/edge/sync' -H ${secret} -H 'X-Edge-Agent-Id: ${AGENT}'`);
    expect(out).toContain(`wscat -c ${socket} -H ${secret} -H 'X-Edge-Agent-Id: ${AGENT}' -H 'X-Edge-Probe: doctor'`);
    expect(out).toContain(`websocat -H=${secret} -H='X-Edge-Agent-Id: ${AGENT}' -H='X-Edge-Probe: doctor' ${socket}`);
  });

  it('goes into a file that others cannot read, beside what is printed', async () => {
    const { hub } = await startHub();
    const { dir, config } = homeFor(hub.url);
    const args = ['doctor', '--only', 'connection', '--config', config, '--report'];
    const env = { EDGE_SECRET: HUB_SECRET };
    const { code, out, err } = await edgeAgent([...args, 'report.md'], { cwd: dir, env });
    expect(code).toBe(0);
    expect(out).toMatch(/^pass {2}connection/);
    expect(err).toContain(join(dir, 'report.md'));
    expect(readFileSync(join(dir, 'report.md'), 'utf8')).toContain('Every step went well.');
    expect(statSync(join(dir, 'report.md')).mode & 0o777).toBe(0o600);
    const unwritable = await edgeAgent([...args, 'nowhere/report.md'], { cwd: dir, env });
    expect(unwritable).toMatchObject({ code: 74, err: expect.stringContaining('the report cannot be written') });
  });
});
