import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync, writeFileSync } from 'node:fs';
import { type ClientRequest, createServer } from 'node:http';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { Agent } from '../../src/Agent.ts';
import { loadConfig } from '../../src/config/loadConfig.ts';
import { SecretSource } from '../../src/config/SecretSource.ts';
import { CrashLoop } from '../../src/ops/CrashLoop.ts';
import { InstanceLock } from '../../src/ops/InstanceLock.ts';
import { createLog } from '../../src/ops/log.ts';
import { listen } from '../backend/httpServer.ts';
import { home } from '../cli/edgeAgent.ts';
import { simulatedMac } from '../simulator/simulatedMac.ts';
import { FakeClock, settle } from '../support/FakeClock.ts';
import { waitFor } from '../support/waitFor.ts';

/** Node's, in the order of a request's life; which of them there are depends on its version. */
const CHANNELS = ['http.client.request.created', 'http.client.request.start'] as const;

/** Requests of this process that have begun and not ended: while there are any, the clock must not run away from them. */
function requestsUnderWay() {
  const requests = new Set<ClientRequest>();
  const heard = (message: unknown) => void requests.add((message as { request: ClientRequest }).request);
  for (const name of CHANNELS) subscribe(name, heard);
  onTestFinished(() => {
    for (const name of CHANNELS) unsubscribe(name, heard);
  });
  return () => {
    for (const request of requests) if (request.closed || request.destroyed) requests.delete(request);
    return requests.size;
  };
}

it.each(['a backend that answers', 'a backend that is down'])(
  'writes next to nothing in an hour in which nothing happens, with %s',
  async (kind) => {
    const isUp = kind.endsWith('answers');
    let syncs = 0;
    const backend = createServer((_request, response) => {
      syncs += 1;
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"commands":[],"ack_events":[]}');
    });
    const port = await listen(backend);
    if (!isUp) backend.close();
    const mac = await simulatedMac();
    const { config: file, log: logFile, state } = home();
    const yaml = readFileSync(file, 'utf8').replace(':9\n', `:${port}\n`);
    writeFileSync(file, yaml.replace('db_path: chat.db', `db_path: ${mac.chatDbPath}`));
    const clock = new FakeClock(Date.now());
    const config = loadConfig(file);
    const log = createLog({ file: logFile, level: 'info', format: 'text', maxBytes: 1e7, maxFiles: 2, clock });
    const secrets = new SecretSource({
      environment: 'canary',
      file: undefined,
      keychain: undefined,
      readKeychain: () => expect.unreachable(),
    });
    await secrets.load();
    const lock = InstanceLock.acquire(join(state, 'lock.db'));
    const crashLoop = new CrashLoop({ path: join(state, 'crash-loop.json'), clock });
    const agent = Agent.fromConfig(config, secrets, { log, lock, crashLoop, clock });
    const underWay = requestsUnderWay();
    const pass = async (ms: number) => {
      for (const end = clock.monotonic() + ms; clock.monotonic() < end; ) {
        await clock.advance(5000);
        await waitFor('the requests', () => underWay() === 0);
        await settle();
      }
    };
    await agent.start();
    await pass(600_000);
    const before = readFileSync(logFile, 'utf8').split('\n');
    await pass(3_600_000);
    const lines = readFileSync(logFile, 'utf8').split('\n').slice(before.length);
    if (isUp) expect(syncs).toBeGreaterThan(100);
    expect(lines.length, lines.join('\n')).toBeLessThanOrEqual(isUp ? 0 : 15);
    const stopped = agent.stop();
    await settle();
    await pass(10_000);
    await stopped;
  },
);
