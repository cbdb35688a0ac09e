import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { freePort } from '../../scripts/rig/freePort.ts';
import { controlSocketPath } from '../../src/ops/ControlServer.ts';
import { Metrics } from '../../src/ops/metrics.ts';
import { prometheusText } from '../../src/ops/prometheus.ts';
import { ChatDbFile } from '../chatdb/support/chatDbFile.ts';
import { agentStatus } from '../support/agentStatus.ts';
import { waitFor } from '../support/waitFor.ts';
import { edgeAgent, home, start } from './edgeAgent.ts';

const PATIENCE_MS = 30_000;

interface Answer {
  status: number | undefined;
  body: string;
}

/** A program with a monitoring port, whose starts failed so often before. */
async function monitored(failures?: { count: number; at: number }) {
  const port = await freePort();
  const place = home(`monitoring:\n  port: ${port}\n`);
  if (failures) {
    mkdirSync(place.state, { mode: 0o700 });
    const loop = { count: failures.count, last_code: 'EDGE_STATE_IO', last_at: failures.at };
    writeFileSync(join(place.state, 'crash-loop.json'), JSON.stringify(loop));
  }
  const agent = start(['run', '--config', place.config], { env: { EDGE_SECRET: 'canary-secret-value' } });
  const ways = [{ host: '127.0.0.1', port }, { socketPath: controlSocketPath(place.state) }];
  const ask = (way: object, path: string, method = 'GET') =>
    new Promise<Answer>((resolve, reject) => {
      const call = request({ ...way, path, method }, (response) => {
        text(response).then((body) => resolve({ status: response.statusCode, body }), reject);
      });
      call.on('error', reject).end();
    });
  /** What both ways answer, which has to be the same. */
  const both = async (path: string, method?: string): Promise<Answer> => {
    const [port, socket] = await Promise.all(ways.map((way) => ask(way, path, method)));
    expect(socket).toEqual(port);
    return port!;
  };
  await waitFor('both ways to answer', () => both('/live').catch(() => undefined), PATIENCE_MS);
  return { ...place, ...agent, ask, both, ways };
}

it('a running agent tells live from ready from healthy, the same over the socket and the loopback port', async () => {
  const { dir, both, child, ended } = await monitored();
  // Its chat.db does not exist yet.
  await waitFor('the condition', async () => (await both('/health')).status === 503, PATIENCE_MS);
  expect(await both('/live')).toMatchObject({ status: 200 });
  await waitFor('the start', async () => !(await both('/ready')).body.includes('starting'), PATIENCE_MS);
  expect(await both('/ready')).toEqual({
    status: 503,
    body: JSON.stringify({ ready: false, reasons: ['chat.db is not open'] }),
  });
  const { conditions } = JSON.parse((await both('/health')).body);
  expect(conditions[0]).toMatchObject({ code: 'EDGE_CHATDB_MISSING', severity: 'critical', visible_after: 0 });
  expect(conditions[0].fix).toMatch(/^Sign in to Messages/);
  for (const path of ['/health', '/ready', '/live']) {
    expect(await both(path, 'HEAD')).toEqual({ status: (await both(path)).status, body: '' });
  }

  const file = new ChatDbFile(join(dir, 'chat.db'));
  await waitFor('it to be ready', async () => (await both('/ready')).status === 200, PATIENCE_MS);
  await waitFor('it to be rid of the condition', async () => {
    return !(await both('/health')).body.includes('EDGE_CHATDB');
  });
  file.close();
  child.kill('SIGTERM');
  expect(await ended).toMatchObject({ code: 0, err: '' });
});

it('a running agent has every figure that the documents and the board count on', async () => {
  const { ask, ways } = await monitored();
  const names = (exposition: string) => [...exposition.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name);
  // Of a socket that is not there nothing is known.
  const known = names(String((await prometheusText(new Metrics(), agentStatus())).body)).filter(
    (name) => !/round_trip|frame_age/.test(name!),
  );
  for (const way of ways) {
    const { status, body } = await ask(way, '/metrics');
    expect(status).toBe(200);
    expect(names(body)).toEqual(known);
    expect(body).toMatch(/^edge_agent_info\{agent_id="edge_15550100001",version="[\d.]+"\} 1$/m);
  }
});

it('one whose start is held back lives, is not ready, and says why, until it is stopped', async () => {
  const { both, ask, ways, config, child, ended } = await monitored({ count: 8, at: Date.now() });
  expect((await both('/live')).status).toBe(200);
  expect(await both('/ready')).toEqual({
    status: 503,
    body: JSON.stringify({ ready: false, reasons: ['its start is held back: EDGE_CRASH_LOOP'] }),
  });
  const health = await both('/health');
  expect(health.status).toBe(503);
  expect(JSON.parse(health.body)).toMatchObject({ healthy: false, conditions: [{ code: 'EDGE_CRASH_LOOP' }] });
  expect((await both('/metrics')).status).toBe(404);
  // The status has the particulars, over the socket alone.
  expect((await ask(ways[0]!, '/status')).status).toBe(404);
  expect((await edgeAgent(['status', '--config', config])).code).toBe(3);
  child.kill('SIGTERM');
  expect(await ended).toMatchObject({ code: 0 });
});
