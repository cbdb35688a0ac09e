import { describeIssues, PROBE_HEADER, syncResponseSchema } from '../../protocol/wire.ts';
import type { Circumstances } from './causes.ts';
import { type Answer, ask } from './request.ts';
import type { Found, Sent } from './Step.ts';
import { refusedWith, statusText, type Walk } from './Walk.ts';

export const SHOWN_SECRET = '[secret]';
const JSON_BOTH_WAYS = { 'Content-Type': 'application/json', Accept: 'application/json' };

const FLAW_FIX = 'Have the backend’s people mend it; the agent takes the rest of the answer.';

const isGood = (status: number) => status >= 200 && status < 300;

/** Whether the backend is there at all. Not all have this endpoint, so that its absence is a remark only. */
export async function checkHealth(walk: Walk, circumstances: Circumstances, signal: AbortSignal): Promise<Found> {
  const { network, baseUrl, clock } = walk.o;
  const url = urlOf(baseUrl, '/health');
  const headers = { Accept: 'application/json' };
  const sent: Sent = { request: `GET ${url}`, headers };
  const { status, headers: came, body } = await ask(url, { network, headers, clock, signal });
  const received = { status, headers: came, body };
  const isPage = /html/i.test(came['content-type'] ?? '');
  if (isGood(status) && !isPage)
    return { status: 'pass', text: statusText(status), sent, received: { status, headers: came } };
  const found = { ...refusedWith(received, circumstances, `answered ${statusText(status)}`), sent };
  if (status === 404)
    return { ...found, status: 'warn', text: '404: there is no /health here, which not every backend has' };
  const isBad = status >= 500 || (status >= 300 && status < 400);
  return isBad ? found : { ...found, status: 'warn' };
}

/**
 * Whether the backend takes this agent's secret and id. The request reports nothing and says that it is a look; what
 * commands an answer holds all the same are left: they stay unacknowledged, and are offered again.
 */
export async function checkSync(
  walk: Walk,
  circumstances: Circumstances,
  signal: AbortSignal,
): Promise<Found & { doesProbe: boolean }> {
  const { network, baseUrl, secret, syncBody, clock } = walk.o;
  const url = urlOf(baseUrl, '/edge/sync');
  const body = JSON.stringify(syncBody);
  const headers = { ...identity(walk), ...JSON_BOTH_WAYS };
  const sent: Sent = { request: `POST ${url}`, headers: { ...headers, Authorization: `Bearer ${SHOWN_SECRET}` } };
  const signed = { ...headers, Authorization: `Bearer ${secret}` };
  const answer = await ask(url, { network, headers: signed, body, clock, signal });
  const { status, headers: came } = answer;
  if (isGood(status)) return { ...readAnswer(answer, circumstances), sent };

  const received = { status, headers: came, body: answer.body };
  const isDenied = status === 401 || status === 403;
  const unsigned = isDenied ? await walk.aside((within) => unsignedSync(walk, within)) : undefined;
  const found = refusedWith(received, { ...circumstances, unsigned }, `answered ${statusText(status)}`);
  const compared = unsigned ? `; without the Authorization header ${statusText(unsigned.status)}` : '';
  return {
    ...found,
    status: status === 404 ? 'warn' : 'fail', // a backend may do without
    text: found.text + compared,
    sent,
    doesProbe: false,
  };
}

/** What the backend says to a sync without the secret: how it speaks to those whose header it does not see. */
export function unsignedSync(walk: Walk, signal: AbortSignal): Promise<Answer> {
  const { network, baseUrl, syncBody, clock } = walk.o;
  const headers = { ...identity(walk), ...JSON_BOTH_WAYS };
  return ask(urlOf(baseUrl, '/edge/sync'), { network, headers, body: JSON.stringify(syncBody), clock, signal });
}

/** The body of a 2xx is not shown: it may hold what a person is to be told. */
function readAnswer({ status, headers, body }: Answer, circumstances: Circumstances): Found & { doesProbe: boolean } {
  const isPage = /html/i.test(headers['content-type'] ?? '');
  const received = { status, headers, ...(isPage ? { body } : {}) };
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return {
      ...refusedWith(received, circumstances, `${statusText(status)}, but the answer is not JSON`),
      doesProbe: false,
    };
  }
  const answer = syncResponseSchema.safeParse(json);
  if (!answer.success) {
    const text = `${statusText(status)}, but not what the protocol says: ${describeIssues(answer.error)}`;
    return { ...refusedWith(received, circumstances, text), doesProbe: false };
  }
  const doesProbe = (json as { probe?: unknown }).probe === true;
  const { flaws } = answer.data;
  if (flaws.length > 0) {
    const text = `${statusText(status)}, but not all of it is what the protocol says: ${flaws.join('; ')}`;
    return { status: 'warn', text, received, fix: FLAW_FIX, doesProbe };
  }
  const { length } = answer.data.commands;
  if (length === 0)
    return {
      status: 'pass',
      text: `${statusText(status)}: the secret and the agent id are right`,
      received,
      doesProbe,
    };
  return {
    status: 'warn',
    text: `${statusText(status)}: the secret and the agent id are right. The answer held ${length} command(s), which were left`,
    received,
    fix: 'Nothing, if the backend offers commands until they are acknowledged; the agent then gets them with the next sync.',
    doesProbe,
  };
}

/** Who asks, without the secret. */
export function identity({ o }: Walk): Record<string, string> {
  return { 'X-Edge-Agent-Id': o.agentId, [PROBE_HEADER]: 'doctor' };
}

function urlOf(baseUrl: string, path: string): URL {
  return new URL(baseUrl.replace(/\/+$/, '') + path);
}
