import { describe, expect, it } from 'vitest';
import {
  type Circumstances,
  causesOfRefusal,
  likelyCauses,
  type Refusal,
} from '../../../src/backend/diagnosis/causes.ts';
import { CAUSES, type Cause } from '../../../src/backend/diagnosis/causeTexts.ts';
import { ERRORS, type ErrorCode } from '../../../src/util/errors.ts';

const UPGRADE: Circumstances = { request: 'upgrade' };
const AFTER_SYNC: Circumstances = { request: 'upgrade', health: 200, sync: 200 };
const SYNC: Circumstances = { request: 'sync', health: 200 };
const html = { headers: { 'content-type': 'text/html' }, body: '<html>Access denied. token: none</html>' };
const json = (error: string) => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify({ error }) });
const error = (code: ErrorCode, detail = '') => ({ error: { code, detail } });

type Row = readonly [what: string, refusal: Refusal, circumstances: Circumstances, causes: readonly Cause[]];

/** The first causes, in order. */
const TABLE: readonly Row[] = [
  [
    '403 of which nothing else is known',
    { status: 403 },
    UPGRADE,
    ['header-lost', 'secret-wrong', 'agent-unknown', 'upgrade-blocked', 'socket-differs'],
  ],
  ['401 of which nothing else is known', { status: 401 }, UPGRADE, ['secret-wrong', 'header-lost']],
  [
    '403 on the upgrade where the sync was taken',
    { status: 403, body: 'no' },
    AFTER_SYNC,
    ['socket-differs', 'upgrade-blocked', 'header-lost'],
  ],
  [
    '403 without a body where the sync was taken',
    { status: 403, body: '' },
    AFTER_SYNC,
    ['closed-before-accept', 'socket-differs'],
  ],
  [
    '403 with a web page where the sync was taken',
    { status: 403, ...html },
    AFTER_SYNC,
    ['upgrade-blocked', 'socket-differs'],
  ],
  [
    '403 by a CDN',
    { status: 403, headers: { server: 'cloudflare' }, body: 'error 1020' },
    AFTER_SYNC,
    ['upgrade-blocked'],
  ],
  [
    'the same answer with and without the header',
    { status: 403 },
    { ...SYNC, unsigned: { status: 403 } },
    ['header-lost', 'secret-wrong'],
  ],
  [
    'another answer without the header',
    { status: 403 },
    { ...SYNC, unsigned: { status: 401 } },
    ['secret-wrong', 'agent-unknown', 'gateway-refuses'],
  ],
  [
    'the same answer but for what differs each time',
    { status: 403, ...json('no (request 7f3a)') },
    { ...SYNC, unsigned: { status: 403, ...json('no (request 90bc)') } },
    ['header-lost', 'secret-wrong'],
  ],
  [
    'other words without the header',
    { status: 403, ...json('forbidden') },
    { ...SYNC, unsigned: { status: 403, ...json('E1001') } },
    ['secret-wrong', 'agent-unknown'],
  ],
  [
    'an upgrade that is answered as a sync without the header',
    { status: 403, ...json('forbidden') },
    { ...AFTER_SYNC, unsigned: { status: 403, ...json('forbidden') }, stranger: { status: 403, ...json('forbidden') } },
    ['header-lost'],
  ],
  [
    'an upgrade that is answered by nobody the sync knows',
    { status: 403, body: 'Forbidden' },
    { ...AFTER_SYNC, unsigned: { status: 403, body: 'Forbidden' }, stranger: { status: 401, ...json('forbidden') } },
    ['upgrade-blocked', 'socket-differs'],
  ],
  ['403 that names the token', { status: 403, ...json('Invalid token') }, SYNC, ['secret-wrong']],
  ['403 that names the agent', { status: 403, ...json('Edge agent not registered') }, SYNC, ['agent-unknown']],
  ['403 that names the id', { status: 403, ...json('Invalid edge_agent_id') }, SYNC, ['id-refused']],
  [
    '401 that misses the header',
    { status: 401, ...json('Missing or invalid Authorization header') },
    SYNC,
    ['header-lost'],
  ],
  ['403 by a firewall', { status: 403, ...html }, SYNC, ['gateway-refuses', 'header-lost']],
  ['4001 with its reason', { close: { code: 4001, reason: 'Edge agent not registered' } }, UPGRADE, ['agent-unknown']],
  ['4001 without a reason', { close: { code: 4001, reason: '' } }, UPGRADE, ['secret-wrong', 'header-lost']],
  ['1008', { close: { code: 1008, reason: '' } }, AFTER_SYNC, ['socket-differs']],
  [
    '404 on the upgrade where the rest is there',
    { status: 404 },
    AFTER_SYNC,
    ['endpoint-absent', 'other-port', 'upgrade-lost', 'path-wrong'],
  ],
  [
    '404 on the upgrade where nothing is there',
    { status: 404 },
    { ...UPGRADE, health: 404, sync: 404 },
    ['path-wrong', 'endpoint-absent'],
  ],
  ['410', { status: 410 }, AFTER_SYNC, ['endpoint-absent']],
  ['404 on the sync where /health is there', { status: 404 }, SYNC, ['endpoint-absent', 'path-wrong']],
  [
    '404 on the sync where it is not',
    { status: 404 },
    { request: 'sync', health: 404 },
    ['path-wrong', 'endpoint-absent'],
  ],
  ['404 with a web page', { status: 404, ...html }, { request: 'sync', health: 404 }, ['path-wrong', 'web-page']],
  ['426', { status: 426 }, AFTER_SYNC, ['upgrade-lost']],
  ['400 on the upgrade', { status: 400 }, AFTER_SYNC, ['upgrade-lost']],
  [
    '400 that names the id',
    { status: 400, ...json('edge_agent_id is required') },
    AFTER_SYNC,
    ['id-refused', 'upgrade-lost'],
  ],
  ['200 in place of 101', { status: 200, ...json('') }, AFTER_SYNC, ['upgrade-lost']],
  ['200 with a web page', { status: 200, ...html }, AFTER_SYNC, ['web-page']],
  ['200 with a web page on the sync', { status: 200, ...html }, SYNC, ['web-page']],
  ['301 to https', { status: 301, headers: { location: 'https://backend.example.com/' } }, UPGRADE, ['https-wanted']],
  ['302 elsewhere', { status: 302, headers: { location: '/login' } }, SYNC, ['redirected', 'web-page']],
  ['407', { status: 407 }, UPGRADE, ['proxy-auth']],
  ['408', { status: 408 }, SYNC, ['behind-slow']],
  ['413', { status: 413 }, SYNC, ['contract-differs']],
  ['429', { status: 429 }, UPGRADE, ['rate-limited']],
  ['500', { status: 500 }, SYNC, ['backend-defect']],
  ['502', { status: 502, ...html }, SYNC, ['behind-down']],
  ['503 by the backend', { status: 503, ...json('switched off') }, UPGRADE, ['restarting']],
  ['503 by a proxy', { status: 503, ...html }, UPGRADE, ['behind-down']],
  ['504', { status: 504 }, SYNC, ['behind-slow']],
  ['1006 right after the handshake', { close: { code: 1006, reason: '' } }, AFTER_SYNC, ['cut-at-once']],
  [
    '1006 through a proxy',
    { close: { code: 1006, reason: '' } },
    { ...AFTER_SYNC, isProxied: true },
    ['cut-at-once', 'upgrade-blocked'],
  ],
  ['1002', { close: { code: 1002, reason: '' } }, AFTER_SYNC, ['frames-changed']],
  ['1011', { close: { code: 1011, reason: '' } }, AFTER_SYNC, ['backend-defect']],
  ['1012', { close: { code: 1012, reason: '' } }, AFTER_SYNC, ['restarting']],
  ['4409', { close: { code: 4409, reason: 'replaced' } }, AFTER_SYNC, ['replaced']],
  ['1000', { close: { code: 1000, reason: 'bye' } }, AFTER_SYNC, ['closed-on-purpose']],
  ['nothing on an open socket', {}, AFTER_SYNC, ['silent-socket']],
  [
    'a name that does not exist',
    error('EDGE_BACKEND_DNS', 'getaddrinfo ENOTFOUND x'),
    SYNC,
    ['name-wrong', 'resolver-down'],
  ],
  [
    'a resolver that does not answer',
    error('EDGE_BACKEND_DNS', 'getaddrinfo EAI_AGAIN x'),
    SYNC,
    ['resolver-down', 'name-wrong'],
  ],
  [
    'a proxy without a name',
    error('EDGE_BACKEND_DNS', 'getaddrinfo ENOTFOUND x'),
    { ...SYNC, isToProxy: true },
    ['proxy-name', 'resolver-down'],
  ],
  ['a refused connection', error('EDGE_BACKEND_UNREACHABLE', 'connect ECONNREFUSED'), SYNC, ['nothing-listens']],
  [
    'no connection in time',
    error('EDGE_BACKEND_UNREACHABLE', 'ETIMEDOUT: no connection within 10 s'),
    SYNC,
    ['firewall-drops'],
  ],
  ['no answer in time', error('EDGE_BACKEND_UNREACHABLE', 'ETIMEDOUT: no answer within 10 s'), SYNC, ['answers-late']],
  ['no route', error('EDGE_BACKEND_UNREACHABLE', 'connect ENETUNREACH'), SYNC, ['offline']],
  ['a reset', error('EDGE_BACKEND_UNREACHABLE', 'read ECONNRESET'), SYNC, ['cut-on-the-way']],
  ['an expired certificate', error('EDGE_TLS_EXPIRED'), SYNC, ['tls-expired']],
  ['an unknown authority', error('EDGE_TLS_UNTRUSTED'), SYNC, ['tls-chain', 'tls-inspected']],
  ['a certificate for another name', error('EDGE_TLS_HOST'), SYNC, ['tls-host']],
  ['another key than the pinned', error('EDGE_TLS_PIN'), SYNC, ['tls-pin']],
  ['no TLS', error('EDGE_TLS_FAILED'), SYNC, ['tls-none']],
  ['no TLS behind a proxy', error('EDGE_TLS_FAILED'), { ...SYNC, isProxied: true }, ['proxy-speaks', 'tls-none']],
  ['an unusable CA file', error('EDGE_CA_FILE'), SYNC, ['ca-file']],
  ['a proxy that asks who we are', error('EDGE_PROXY_AUTH'), SYNC, ['proxy-auth']],
  ['a proxy that will not connect', error('EDGE_PROXY_FAILED'), SYNC, ['proxy-refuses']],
  ['no secret', error('EDGE_SECRET_MISSING'), SYNC, ['secret-missing']],
];

describe('the likely causes', () => {
  it.each(TABLE)('of %s begin with the likeliest', (_what, refusal, circumstances, causes) => {
    expect(likelyCauses(refusal, circumstances).slice(0, causes.length)).toEqual(causes);
  });

  it('do not take an echo of the secret for a word on it', () => {
    const echoed = likelyCauses({ status: 403, body: 'Forbidden: [secret]' }, UPGRADE);
    expect(echoed).toEqual(likelyCauses({ status: 403, body: 'Forbidden' }, UPGRADE));
  });

  it('leave out what the evidence excludes', () => {
    const toldApart = likelyCauses({ status: 403 }, { ...SYNC, unsigned: { status: 401 } });
    expect(toldApart).not.toContain('header-lost');
    const named = likelyCauses({ status: 403, ...json('Invalid token') }, { ...UPGRADE, sync: 403 });
    expect(named).not.toContain('upgrade-blocked');
    expect(named).not.toContain('socket-differs');
  });

  it('are there for every status, close code and error, each with something to do', () => {
    const statuses = Array.from({ length: 600 }, (_, status) => ({ status }));
    const closes = [...Array.from({ length: 16 }, (_, at) => 1000 + at), 3000, 3500, 4000, 4999].map((code) => ({
      close: { code, reason: '' },
    }));
    const errors = (Object.keys(ERRORS) as ErrorCode[]).map((code) => error(code));
    for (const refusal of [...statuses, ...closes, ...errors]) {
      for (const request of ['health', 'sync', 'upgrade'] as const) {
        const advice = causesOfRefusal(refusal, { request });
        expect(advice.causes.length).toBeGreaterThan(0);
        expect(advice.causes.length).toBeLessThanOrEqual(5);
        expect(advice.fix).not.toBe('');
      }
    }
  });

  it('are all used', () => {
    const used = new Set(TABLE.flatMap(([, refusal, circumstances]) => likelyCauses(refusal, circumstances)));
    expect(Object.keys(CAUSES).filter((cause) => !used.has(cause as Cause))).toEqual(['unknown']);
  });
});
