import { ERRORS } from '../util/errors.ts';

/** Answers to a handshake that say something of their own. */
const STATUSES: ReadonlySet<number> = new Set([
  200, 301, 302, 303, 307, 308, 400, 401, 403, 404, 407, 408, 410, 426, 429, 500, 502, 503, 504,
]);
/** What became of a dial, and the errors of Node and OpenSSL on the way to a socket. */
const OUTCOMES: ReadonlySet<string> = new Set([
  'open',
  'abandoned',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'EPROTO',
  'ETIMEDOUT',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);
/** Close codes that RFC 6455 and its registry define end here. */
const LAST_REGISTERED = 1015;

/** The label of a metric for how a dial ended: what a backend may invent is `other`, so that there are few. */
export function dialLabel(result: string): string {
  const status = /^status_(\d+)$/.exec(result)?.[1];
  if (status !== undefined) return STATUSES.has(Number(status)) ? result : 'status_other';
  return OUTCOMES.has(result) || result in ERRORS ? result : 'other';
}

/** The label of a metric for a close code: `3xxx` and `4xxx` are the backend’s own, but for 4001, which the protocol has. */
export function closeLabel(code: number): string {
  if ((code >= 1000 && code <= LAST_REGISTERED) || code === 4001) return String(code);
  if (code >= 3000 && code < 5000) return `${Math.floor(code / 1000)}xxx`;
  return 'other';
}
