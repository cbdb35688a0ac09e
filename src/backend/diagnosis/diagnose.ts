import { sleep } from '../../util/Clock.ts';
import { EdgeError } from '../../util/EdgeError.ts';
import { isLoopback } from '../../util/loopback.ts';
import type { Circumstances } from './causes.ts';
import { CAUSES } from './causeTexts.ts';
import { checkHealth, checkSync } from './httpSteps.ts';
import type { ProbeSocket } from './ProbeSocket.ts';
import { connectTcp, type Endpoint, endpointOf, resolveName, shakeHands } from './reach.ts';
import type { Found, StepResult } from './Step.ts';
import { commandRoundTrip, pingPong, upgrade } from './socketSteps.ts';
import { failedBy, Walk, type WalkOptions } from './Walk.ts';

/**
 * Walks the whole way to the backend, step by step, and says where it ends and why:
 *
 *     DNS → TCP → TLS → GET /health → POST /edge/sync → WebSocket upgrade → ping/pong → test command
 *
 * Where a step leaves no way to the next, the next are skipped. With a proxy, DNS and TCP are those of the proxy. Takes
 * a minute at most and rejects never. The connection of a running agent stays: see `checkSocket`.
 */
export async function diagnose(options: WalkOptions): Promise<StepResult[]> {
  const walk = new Walk(options);
  const base = new URL(options.baseUrl);
  const isReached = await reach(walk, base);
  const doesProbe = isReached && (await checkHttp(walk, base));
  if (!isReached)
    for (const step of ['health', 'sync'] as const) walk.skip(step, targetOf(base), 'there is no connection');
  await checkSocket(walk, { base, isReached, doesProbe });
  return walk.results;
}

/** DNS, TCP and TLS; whether all of them went well enough to go on. */
async function reach(walk: Walk, url: URL): Promise<boolean> {
  const { network, clock } = walk.o;
  let proxy: URL | undefined;
  try {
    proxy = network.proxyFor(url);
  } catch (error) {
    await walk.step('dns', targetOf(url), { request: 'health', isProxied: true }, () => Promise.reject(error));
    for (const step of ['tcp', 'tls'] as const) walk.skip(step, targetOf(url), 'it is not known which way to go');
    return false;
  }
  const first = endpointOf(proxy ?? url);
  const target = proxy ? `${nameOf(first)} (the proxy)` : nameOf(first);
  const isProxied = proxy !== undefined;
  const circumstances: Circumstances = { request: 'health', isProxied };
  const toFirst: Circumstances = { ...circumstances, isToProxy: isProxied };
  const tls = targetOf(url);

  const dns = await walk.step('dns', target, toFirst, () => resolveName(first));
  if (dns.status === 'fail') {
    walk.skip('tcp', target, 'the name is not known');
    walk.skip('tls', tls, 'there is no connection');
    return false;
  }
  const tcp = await walk.step('tcp', target, toFirst, (signal) => connectTcp(first, signal));
  if (tcp.status === 'fail') {
    walk.skip('tls', tls, 'there is no connection');
    return false;
  }
  if (!isSecure(url)) {
    if (isLoopback(url)) walk.skip('tls', tls, 'it stays on this Mac');
    else await walk.step('tls', tls, circumstances, async () => UNENCRYPTED);
    return true;
  }
  const secure = new URL(url.href.replace(/^ws/, 'http'));
  const shaken = await walk.step('tls', tls, circumstances, async (signal) => {
    const shake = shakeHands(secure, network, { signal, now: clock.now() });
    const found = await shake.catch((error: unknown) => failedBy(error, circumstances));
    return withCaFile(found, walk.o.caFileProblem());
  });
  return shaken.status !== 'fail';
}

/** Without its file the agent trusts fewer, which may be all that is wrong. */
function withCaFile(found: Found, problem: string | undefined): Found {
  if (problem === undefined) return found;
  const { text, fix } = CAUSES['ca-file'];
  const status = found.status === 'pass' ? 'warn' : found.status;
  return { ...found, status, text: `${found.text}. ${problem}`, causes: [text, ...(found.causes ?? [])], fix };
}

const UNENCRYPTED = {
  status: 'warn',
  text: 'there is none: the secret and every message cross the network in the clear',
  fix: 'Use https: and wss: in backend.url and backend.websocket_url.',
} as const;

/** Whether the backend knows what a look by the doctor is. */
async function checkHttp(walk: Walk, base: URL): Promise<boolean> {
  const isProxied = walk.o.network.proxyFor(base) !== undefined;
  const target = targetOf(base);
  await walk.step('health', target, { request: 'health', isProxied }, (signal) =>
    checkHealth(walk, { request: 'health', isProxied }, signal),
  );
  const circumstances: Circumstances = { request: 'sync', health: walk.statusOf('health'), isProxied };
  let doesProbe = false;
  await walk.step('sync', target, circumstances, async (signal) => {
    requireSecret(walk);
    const { doesProbe: does, ...found } = await checkSync(walk, circumstances, signal);
    doesProbe = does;
    return found;
  });
  return doesProbe;
}

/**
 * A backend knows one socket an agent, and a second one takes the place of the first. Where the agent runs and has its
 * socket, another is opened only if the answer to the sync said that the backend tells a look from an agent.
 */
async function checkSocket(walk: Walk, o: { base: URL; isReached: boolean; doesProbe: boolean }): Promise<void> {
  const { websocketUrl, agent, agentId, network, clock } = walk.o;
  if (websocketUrl === undefined) return skipSocket(walk, targetOf(o.base), 'websocket.enabled is false');
  const url = new URL(websocketUrl);
  const target = targetOf(url);
  if (agent?.isSocketUp && !o.doesProbe) {
    const since = agent.since === null ? '' : ` since ${agent.since}`;
    const text = `the running agent has its socket${since}; a second one would take its place, so none was opened`;
    await walk.step('upgrade', target, { request: 'upgrade' }, async () => ({ status: 'pass', text }));
    return skipRest(walk, target, 'the socket is the agent’s');
  }
  const isReached = isSameServer(url, o.base) ? o.isReached : await reach(walk, url);
  if (!isReached) return skipSocket(walk, target, 'there is no connection');

  const isProxied = network.proxyFor(url) !== undefined;
  const circumstances: Circumstances = {
    request: 'upgrade',
    health: walk.statusOf('health'),
    sync: walk.statusOf('sync'),
    isProxied,
  };
  url.searchParams.set('edge_agent_id', agentId);
  let socket: ProbeSocket | undefined;
  const opened = (one: ProbeSocket) => {
    socket = one;
  };
  try {
    const { status } = await walk.step('upgrade', target, circumstances, async (signal) => {
      requireSecret(walk);
      return upgrade(walk, { url: url.href, circumstances, signal, opened });
    });
    if (status !== 'pass') return skipRest(walk, target, 'there is no socket');
    await talk(walk, { socket: socket!, target, circumstances });
  } finally {
    await socket?.close((ms) => sleep(clock, ms));
  }
}

async function talk(
  walk: Walk,
  { socket, target, circumstances }: { socket: ProbeSocket; target: string; circumstances: Circumstances },
): Promise<void> {
  const ping = await walk.step('ping', target, circumstances, () => pingPong(walk, socket, circumstances));
  if (ping.status === 'fail') return void walk.skip('probe', target, 'the socket carries nothing');
  if (!socket.isProbe) return void walk.skip('probe', target, 'the backend offers no test command');
  await walk.step('probe', target, circumstances, () => commandRoundTrip(walk, socket, circumstances));
}

function requireSecret({ o }: Walk): void {
  if (o.secret === undefined) throw o.secretProblem ?? new EdgeError('EDGE_SECRET_MISSING', 'there is no secret');
}

function skipSocket(walk: Walk, target: string, why: string): void {
  walk.skip('upgrade', target, why);
  skipRest(walk, target, why);
}

function skipRest(walk: Walk, target: string, why: string): void {
  walk.skip('ping', target, why);
  walk.skip('probe', target, why);
}

function isSameServer(a: URL, b: URL): boolean {
  return targetOf(a) === targetOf(b) && isSecure(a) === isSecure(b);
}

const isSecure = ({ protocol }: URL) => protocol === 'https:' || protocol === 'wss:';

const targetOf = (url: URL) => nameOf(endpointOf(url));

const nameOf = ({ host, port }: Endpoint) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);
