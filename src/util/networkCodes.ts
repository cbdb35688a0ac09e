import type { ErrorCode } from './errors.ts';

/** Failures in which no request reached the backend's HTTP, or no answer came back: every other request fares the same. */
export const NETWORK_CODES = [
  'EDGE_BACKEND_UNREACHABLE',
  'EDGE_BACKEND_DNS',
  'EDGE_TLS_EXPIRED',
  'EDGE_TLS_UNTRUSTED',
  'EDGE_TLS_HOST',
  'EDGE_TLS_PIN',
  'EDGE_TLS_FAILED',
  'EDGE_PROXY_AUTH',
  'EDGE_PROXY_FAILED',
] as const satisfies readonly ErrorCode[];

/** Failures in which the backend's HTTP answered: whatever it refuses, the way to it is open. */
const ANSWER_CODES: ReadonlySet<string | null> = new Set<ErrorCode>([
  'EDGE_BACKEND_ANSWER',
  'EDGE_BACKEND_AUTH',
  'EDGE_BACKEND_BUSY',
  'EDGE_BACKEND_NOT_FOUND',
  'EDGE_BACKEND_REDIRECT',
  'EDGE_BACKEND_REJECTED',
]);

export function isAnswerCode(code: string | null): boolean {
  return ANSWER_CODES.has(code);
}

export function isNetworkCode(code: string | null): boolean {
  return (NETWORK_CODES as readonly (string | null)[]).includes(code);
}
