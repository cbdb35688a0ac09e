import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { listen } from '../backend/httpServer.ts';
import { waitFor } from '../support/waitFor.ts';
import { edgeAgent, home, start } from './edgeAgent.ts';

const SECRET = 'canary"5f0c/2e9a&b';

/** What was sent, in the forms in which error pages show it. */
function echoes({ headers }: IncomingMessage): string[] {
  const sent = headers.authorization ?? '';
  const base64 = Buffer.from(JSON.stringify(headers)).toString('base64');
  return [sent, JSON.stringify(sent), encodeURIComponent(sent), base64];
}

it('shows no form of the secret that a backend echoes: in the log at DEBUG, the status and the doctor', async () => {
  let round = 0;
  const backend = createServer((request, response) => {
    const said = echoes(request);
    const [status, head] = [
      [302, { location: `/${'x'.repeat(180)}${said[2]}` }],
      [200, { 'content-encoding': said[2]! }],
      [500, {}],
      [403, {}],
    ][round++ % 4] as [number, Record<string, string>];
    response.writeHead(status, { ...head, 'set-cookie': `a=${said[2]}`, server: said[2]! }).write(said[0]);
    for (const part of said.join(' ').match(/.{1,7}/g)!) response.write(part);
    response.end();
  });
  const upgrader = new WebSocketServer({ noServer: true });
  let dials = 0;
  backend.on('upgrade', (request, socket, head) => {
    const said = echoes(request).join(' ');
    if (dials++ % 2 === 0) socket.end(`HTTP/1.1 503 ${encodeURIComponent(said)}\r\nRetry-After: 0\r\n\r\n${said}`);
    else
      upgrader.handleUpgrade(request, socket, head, (ws) => {
        ws.send(JSON.stringify({ type: said, data: said }));
        ws.send(JSON.stringify({ type: 'config_update', data: { [said]: 1 } }));
        ws.send(said);
        ws.close(4001, said.slice(0, 100));
      });
  });
  const url = `http://127.0.0.1:${await listen(backend)}`;
  const { config, log } = home();
  const text = readFileSync(config, 'utf8')
    .replace('http://127.0.0.1:9', url)
    .replace('enabled: false', 'enabled: true');
  writeFileSync(config, text.replace('file: edge-agent.log', 'file: edge-agent.log\n  level: debug'));
  const env = { EDGE_SECRET: SECRET };
  const { child, ended } = start(['run', '--config', config], { env });
  await waitFor('a few answers', () => round > 2 && dials > 1, 12_000);
  await waitFor('4001', () => readFileSync(log, 'utf8').includes('4001'));
  const status = await edgeAgent(['status', '--json', '--config', config], { env });
  const doctor = await edgeAgent(['doctor', '--json', '--only', 'connection', '--config', config], { env });
  const report = await edgeAgent(['doctor', '--report', '-', '--only', 'connection', '--config', config], { env });
  child.kill('SIGTERM');
  const { err, out } = await ended;
  const everything = [
    readFileSync(log, 'utf8'),
    err,
    out,
    ...[status, doctor, report].flatMap((one) => [one.out, one.err]),
  ];
  for (const shown of everything) {
    expect(shown).not.toMatch(/canary|5f0c/);
    for (const [encoded] of shown.matchAll(/[\w+/-]{12,}/g)) {
      for (const shift of [0, 1, 2, 3]) {
        expect(Buffer.from(encoded.slice(shift), 'base64').toString('latin1')).not.toMatch(/nary|5f0c/);
      }
    }
  }
}, 60_000);
