import type { ErrorCode } from '../../util/errors.ts';

export interface NetworkFailure {
  code: ErrorCode;
  /** The texts of the error and of the attempts it stands for. */
  detail: string;
}

/** Codes of Node (`dns`, `tls`) and of OpenSSL's X509_V_ERR_*, as Node names them in lib/_tls_wrap and ncrypto. */
const BY_CODE: ReadonlyMap<string, ErrorCode> = new Map([
  ['ENOTFOUND', 'EDGE_BACKEND_DNS'],
  ['EAI_AGAIN', 'EDGE_BACKEND_DNS'],
  ['EAI_NODATA', 'EDGE_BACKEND_DNS'],
  ['EAI_FAIL', 'EDGE_BACKEND_DNS'],
  ['CERT_HAS_EXPIRED', 'EDGE_TLS_EXPIRED'],
  ['CERT_NOT_YET_VALID', 'EDGE_TLS_EXPIRED'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'EDGE_TLS_UNTRUSTED'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'EDGE_TLS_UNTRUSTED'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'EDGE_TLS_UNTRUSTED'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'EDGE_TLS_UNTRUSTED'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'EDGE_TLS_UNTRUSTED'],
  ['CERT_UNTRUSTED', 'EDGE_TLS_UNTRUSTED'],
  ['INVALID_CA', 'EDGE_TLS_UNTRUSTED'],
  ['CERT_SIGNATURE_FAILURE', 'EDGE_TLS_UNTRUSTED'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'EDGE_TLS_HOST'],
  ['EPROTO', 'EDGE_TLS_FAILED'],
]);

/** What an error of node:net, node:tls, node:http or ws means, as a code of the catalogue. */
export function networkFailure(error: unknown): NetworkFailure {
  const { code } = error as NodeJS.ErrnoException;
  const known = BY_CODE.get(code ?? '') ?? (code?.startsWith('ERR_SSL_') ? 'EDGE_TLS_FAILED' : undefined);
  return { code: known ?? 'EDGE_BACKEND_UNREACHABLE', detail: reasonOf(error) };
}

/** `connect` to several addresses fails with no text at all. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  const { code, message } = error as NodeJS.ErrnoException;
  return code && !message.includes(code) ? `${code}: ${message}` : message;
}
