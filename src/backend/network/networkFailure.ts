import { EdgeError } from '../../util/EdgeError.ts';
import type { ErrorCode } from '../../util/errors.ts';

export interface NetworkFailure {
  code: ErrorCode;
  /** The texts of the error and of the attempts it stands for; at most 500 characters. */
  detail: string;
}

/** A certificate may have a thousand names, and Node lists them all. */
const MAX_DETAIL = 500;

/**
 * Codes of Node (`dns`, `tls`, as in lib/_tls_wrap and ncrypto), of OpenSSL's X509_V_ERR_* as Node names them, and of ws.
 * What is in no table is a connection that was not made or broke: errno of the kernel, time-outs, resets.
 */
const BY_CODE: ReadonlyMap<string, ErrorCode> = new Map([
  ['ENOTFOUND', 'EDGE_BACKEND_DNS'],
  ['CERT_HAS_EXPIRED', 'EDGE_TLS_EXPIRED'],
  ['CERT_NOT_YET_VALID', 'EDGE_TLS_EXPIRED'],
  ['ERROR_IN_CERT_NOT_BEFORE_FIELD', 'EDGE_TLS_EXPIRED'],
  ['ERROR_IN_CERT_NOT_AFTER_FIELD', 'EDGE_TLS_EXPIRED'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'EDGE_TLS_UNTRUSTED'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'EDGE_TLS_UNTRUSTED'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'EDGE_TLS_UNTRUSTED'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'EDGE_TLS_UNTRUSTED'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'EDGE_TLS_UNTRUSTED'],
  ['UNABLE_TO_DECRYPT_CERT_SIGNATURE', 'EDGE_TLS_UNTRUSTED'],
  ['UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY', 'EDGE_TLS_UNTRUSTED'],
  ['CERT_UNTRUSTED', 'EDGE_TLS_UNTRUSTED'],
  ['CERT_REJECTED', 'EDGE_TLS_UNTRUSTED'],
  ['CERT_REVOKED', 'EDGE_TLS_UNTRUSTED'],
  ['CERT_CHAIN_TOO_LONG', 'EDGE_TLS_UNTRUSTED'],
  ['CERT_SIGNATURE_FAILURE', 'EDGE_TLS_UNTRUSTED'],
  ['INVALID_CA', 'EDGE_TLS_UNTRUSTED'],
  ['INVALID_PURPOSE', 'EDGE_TLS_UNTRUSTED'],
  ['PATH_LENGTH_EXCEEDED', 'EDGE_TLS_UNTRUSTED'],
  ['HOSTNAME_MISMATCH', 'EDGE_TLS_HOST'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'EDGE_TLS_HOST'],
  ['ERR_TLS_CERT_ALTNAME_FORMAT', 'EDGE_TLS_HOST'],
  ['EPROTO', 'EDGE_TLS_FAILED'],
  ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 'EDGE_BACKEND_TOO_LARGE'],
]);
/** Families of codes: getaddrinfo's, OpenSSL's own, and what ws says of frames. */
const BY_PREFIX: readonly (readonly [string, ErrorCode])[] = [
  ['EAI_', 'EDGE_BACKEND_DNS'],
  ['ERR_SSL_', 'EDGE_TLS_FAILED'],
  ['WS_ERR_', 'EDGE_FRAME_INVALID'],
];

/** What an error of node:net, node:tls, node:http or ws means, as a code of the catalogue. */
export function networkFailure(error: unknown): NetworkFailure {
  if (error instanceof EdgeError) return { code: error.code, detail: error.message };
  const code = errnoOf(error) ?? '';
  const prefixed = BY_PREFIX.find(([prefix]) => code.startsWith(prefix));
  return {
    code: BY_CODE.get(code) ?? prefixed?.[1] ?? 'EDGE_BACKEND_UNREACHABLE',
    detail: reasonOf(error).slice(0, MAX_DETAIL),
  };
}

/** The code that Node, OpenSSL or ws gave the error; undefined where it came from elsewhere. */
function errnoOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

/**
 * What a person can read of OpenSSL's `4073B15E:error:0A00010B:SSL routines:function:wrong version number:file.c:78:\n`,
 * which stands in the texts of EPROTO and ERR_SSL_….
 */
export function plainText(message: string): string {
  return message.replace(/[0-9A-F]+:error:[0-9A-F]+:([^:\n]*):[^:\n]*:([^:\n]*):\S*\s*/g, '$1: $2').trim();
}

/** `connect` to several addresses fails with no text at all. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(reasonOf).join('; ');
  const code = errnoOf(error);
  const message = plainText(error instanceof Error ? error.message : String(error));
  return code && !message.includes(code) ? `${code}: ${message}` : message;
}
