import type { ErrorCode } from '../../util/errors.ts';
import { CAUSES, type Cause, type CauseText } from './causeTexts.ts';

/** What came back in place of what was wanted: an answer, the close of a socket, or an error. */
export interface Refusal {
  status?: number | undefined;
  close?: { readonly code: number; readonly reason: string } | undefined;
  /** What networkFailure says of the error. */
  error?: { readonly code: ErrorCode; readonly detail: string } | undefined;
  /** By names in lower case. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** The beginning of the answer's body. */
  body?: string | undefined;
}

type Saying = Pick<Refusal, 'status' | 'close' | 'body'>;

/** What else is known when it came back. */
export interface Circumstances {
  request: 'health' | 'sync' | 'upgrade';
  /** Status of GET /health and of POST /edge/sync; undefined where nothing is known of them. */
  health?: number | undefined;
  sync?: number | undefined;
  /** What the same request without Authorization got; undefined where it was not made. */
  unsigned?: Saying | undefined;
  /** What POST /edge/sync without Authorization got, where it was made: how the backend speaks to strangers. */
  stranger?: Saying | undefined;
  isProxied?: boolean | undefined;
  /** What could not be reached is the proxy itself: the backend has no part in it. */
  isToProxy?: boolean | undefined;
}

export interface Advice {
  /** In order of likelihood; at least one. */
  readonly causes: readonly string[];
  /** For the backend's people. */
  readonly ask: readonly string[];
  /** What to do about the likeliest. */
  readonly fix: string;
}

/** More causes than this help nobody. */
const MAX_CAUSES = 5;
/** Close codes of the backend's own, or of the RFC, by which credentials are refused. */
const CREDENTIAL_CLOSES: readonly number[] = [4001, 1008, 4003, 4401, 4403];

/** Why something was refused, most likely first, what to ask and what to do. For the doctor and the log alike. */
export function causesOfRefusal(refusal: Refusal, circumstances: Circumstances): Advice {
  const causes = likelyCauses(refusal, circumstances).slice(0, MAX_CAUSES);
  const texts = causes.map((cause): CauseText => CAUSES[cause]);
  return {
    causes: texts.map(({ text }) => text),
    ask: [...new Set(texts.flatMap(({ ask }) => ask ?? []))],
    fix: texts[0]!.fix,
  };
}

/** The same by name: most likely first, at least one. */
export function likelyCauses(refusal: Refusal, circumstances: Circumstances): Cause[] {
  const { status, close, error } = refusal;
  if (error) return causesOfError(error.code, error.detail, circumstances);
  if (close) return causesOfClose(close.code, refusal, circumstances);
  // Nothing at all came, on a connection that stands.
  return status === undefined ? ['silent-socket'] : causesOfStatus(status, refusal, circumstances);
}

function causesOfStatus(status: number, refusal: Refusal, circumstances: Circumstances): Cause[] {
  const isUpgrade = circumstances.request === 'upgrade';
  const isPage = isWebPage(refusal);
  if (status === 401 || status === 403) return causesOfDenial(status, refusal, circumstances);
  if (status === 407) return ['proxy-auth'];
  if (status === 404 || status === 410) {
    if (isPage && !isGood(circumstances.health)) return ['path-wrong', 'web-page', 'endpoint-absent'];
    if (!isUpgrade)
      return isGood(circumstances.health) ? ['endpoint-absent', 'path-wrong'] : ['path-wrong', 'endpoint-absent'];
    return isGood(circumstances.sync) || isGood(circumstances.health)
      ? ['endpoint-absent', 'other-port', 'upgrade-lost', 'path-wrong']
      : ['path-wrong', 'endpoint-absent', 'other-port'];
  }
  if (status >= 300 && status < 400) {
    return refusal.headers?.location?.startsWith('https:') || refusal.headers?.location?.startsWith('wss:')
      ? ['https-wanted', 'redirected', 'web-page']
      : ['redirected', 'web-page'];
  }
  if (status === 429) return ['rate-limited'];
  if (status === 408 || status === 504) return ['behind-slow', 'behind-down'];
  if (status === 502) return ['behind-down', 'restarting'];
  if (status === 503) return isPage ? ['behind-down', 'restarting'] : ['restarting', 'behind-down'];
  if (status >= 500) return ['backend-defect', 'behind-down'];
  if (status >= 200 && status < 300)
    return isUpgrade && !isPage ? ['upgrade-lost', 'web-page', 'path-wrong'] : ['web-page', 'path-wrong'];
  if (isUpgrade && [400, 405, 426].includes(status)) {
    return isAbout(refusal, /agent.?id/i)
      ? ['id-refused', 'upgrade-lost']
      : ['upgrade-lost', 'path-wrong', 'contract-differs'];
  }
  if (isPage) return ['gateway-refuses', 'contract-differs'];
  return status < 500 && status >= 400 ? ['contract-differs', 'id-refused'] : ['unknown'];
}

/** The words in which backends say what was wrong; the first that fit decide. */
const OWN_WORDS: readonly (readonly [RegExp, Cause])[] = [
  [/missing.*(authori[sz]|auth header|token|credential)|authori[sz]ation header|not authenticated/i, 'header-lost'],
  [/not registered|unknown (edge )?agent|no such agent/i, 'agent-unknown'],
  [/agent.?id/i, 'id-refused'],
  [/token|secret|signature|credential/i, 'secret-wrong'],
];

/** A denial has many reasons; what is known gives and takes points. Those without any are left out. */
function causesOfDenial(status: number, refusal: Refusal, c: Circumstances): Cause[] {
  const isUpgrade = c.request === 'upgrade';
  const inBetween = isUpgrade ? 'upgrade-blocked' : 'gateway-refuses';
  const points = new Map<Cause, number>([
    ['header-lost', 3],
    // 401: it does not know who asks. 403: it does, and this one may not.
    ['secret-wrong', status === 401 ? 3.5 : 2.5],
    ['agent-unknown', status === 401 ? 1 : 2],
    [inBetween, isUpgrade ? 1.5 : 0.5],
  ]);
  const add = (cause: Cause, more: number) => points.set(cause, (points.get(cause) ?? 0) + more);
  if (isUpgrade) add('socket-differs', 1);
  const said = isWebPage(refusal) ? undefined : OWN_WORDS.find(([words]) => isAbout(refusal, words))?.[1];
  if (said) {
    add(said, 10);
    add(inBetween, -2); // nothing in between speaks like that
  }
  if (c.unsigned) add('header-lost', likenessPoints(refusal, c.unsigned));
  if (c.stranger && c.unsigned && isSame(refusal, c.unsigned)) {
    const isBackend = isSame(refusal, c.stranger);
    add('header-lost', isBackend ? 4 : -4);
    if (!isBackend && !said) add(inBetween, 4); // to nobody's secret, and not as the backend speaks
  }
  if (isUpgrade && isGood(c.sync)) {
    add('socket-differs', 4);
    add(inBetween, 2);
    add('secret-wrong', -2);
    add('agent-unknown', -1);
  } else if (isUpgrade && c.sync !== undefined) add('socket-differs', -1);
  if (isUpgrade && status === 403 && refusal.body?.trim() === '') add('closed-before-accept', isGood(c.sync) ? 8 : 2);
  if (isWebPage(refusal) || isGateway(refusal)) add(inBetween, 6);
  if (c.isProxied) add(inBetween, 1);
  return [...points]
    .filter(([, likelihood]) => likelihood > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([cause]) => cause);
}

function causesOfClose(code: number, refusal: Refusal, circumstances: Circumstances): Cause[] {
  if (CREDENTIAL_CLOSES.includes(code)) {
    const denied = causesOfDenial(code === 4403 || code === 4003 ? 403 : 401, refusal, circumstances);
    // A gateway closes nothing with a code: the backend itself has spoken.
    const own = denied.filter((cause) => cause !== 'upgrade-blocked' && cause !== 'closed-before-accept');
    return code === 1008 ? [...own, 'closed-on-purpose'] : own;
  }
  if (code === 1006 || code === 1005)
    return circumstances.isProxied ? ['cut-at-once', 'upgrade-blocked'] : ['cut-at-once'];
  if (code === 1012 || code === 1013) return ['restarting', 'rate-limited'];
  if (code === 1011 || code === 1014) return ['backend-defect', 'behind-down'];
  if (code === 1002 || code === 1003 || code === 1007 || code === 1009) return ['frames-changed', 'backend-defect'];
  if (code === 4409) return ['replaced'];
  return ['closed-on-purpose', 'restarting'];
}

const BY_ERROR: Partial<Record<ErrorCode, readonly Cause[]>> = {
  EDGE_SECRET_MISSING: ['secret-missing'],
  EDGE_SECRET_FILE_MODE: ['secret-missing'],
  EDGE_TLS_EXPIRED: ['tls-expired', 'tls-inspected'],
  EDGE_TLS_UNTRUSTED: ['tls-chain', 'tls-inspected'],
  EDGE_TLS_HOST: ['tls-host', 'tls-inspected'],
  EDGE_TLS_PIN: ['tls-pin', 'tls-inspected'],
  EDGE_TLS_FAILED: ['tls-none', 'cut-on-the-way'],
  EDGE_CA_FILE: ['ca-file'],
  EDGE_PROXY_AUTH: ['proxy-auth'],
  EDGE_PROXY_FAILED: ['proxy-refuses', 'offline'],
  EDGE_BACKEND_TOO_LARGE: ['contract-differs'],
};

function causesOfError(code: ErrorCode, detail: string, { isProxied, isToProxy }: Circumstances): Cause[] {
  if (code === 'EDGE_TLS_FAILED' && isProxied) return ['proxy-speaks', 'tls-none', 'cut-on-the-way'];
  const known = BY_ERROR[code];
  if (known) return [...known];
  if (code === 'EDGE_BACKEND_DNS') {
    if (isToProxy) return ['proxy-name', 'resolver-down'];
    return /ENOTFOUND|ENODATA/.test(detail) ? ['name-wrong', 'resolver-down'] : ['resolver-down', 'name-wrong'];
  }
  if (/ECONNREFUSED/.test(detail)) return ['nothing-listens'];
  if (/EHOSTUNREACH|ENETUNREACH|ENETDOWN|EADDRNOTAVAIL/.test(detail)) return ['offline', 'firewall-drops'];
  if (/no answer within/.test(detail)) return ['answers-late', 'firewall-drops'];
  if (/ETIMEDOUT|no connection within/.test(detail)) return ['firewall-drops', 'offline', 'nothing-listens'];
  return ['cut-on-the-way', 'firewall-drops'];
}

const isGood = (status: number | undefined) => status !== undefined && status >= 200 && status < 300;

function isWebPage({ headers, body }: Refusal): boolean {
  return /html/i.test(headers?.['content-type'] ?? '') || /^\s*<(!doctype|html)/i.test(body ?? '');
}

/** Headers by which a CDN, a firewall or a caching proxy tells that the answer is its own. */
function isGateway({ headers }: Refusal): boolean {
  return /cloudflare|akamai|cloudfront|imperva|incapsula|squid|zscaler|bluecoat|fortigate/i.test(
    `${headers?.server ?? ''} ${headers?.via ?? ''}`,
  );
}

function isAbout({ body, close }: Refusal, words: RegExp): boolean {
  // An echo of what was sent, blotted out, is not what the backend says.
  return words.test(`${close?.reason ?? ''} ${body ?? ''}`.replaceAll('[secret]', ''));
}

/** Whoever answers otherwise without the header has seen it; other words alone are a weaker sign than another status. */
function likenessPoints(signed: Refusal, unsigned: Saying): number {
  if (isSame(signed, unsigned)) return 4;
  return isSameKind(signed, unsigned) ? -2.5 : -20;
}

function isSame(a: Saying, b: Saying): boolean {
  return isSameKind(a, b) && shape(a.body) === shape(b.body);
}

function isSameKind(a: Saying, b: Saying): boolean {
  return a.status === b.status && a.close?.code === b.close?.code && shape(a.close?.reason) === shape(b.close?.reason);
}

/** What is left of an answer without what differs each time: numbers, times, ids. */
function shape(text = ''): string {
  return text.replace(/[\w-]{16,}|[\da-f]{4,}|\d+/gi, '#');
}
