import type { ErrorCode } from '../util/errors.ts';

/** sysexits.h, as far as these programs use it. */
export const EXIT = {
  ok: 0,
  usage: 64,
  data: 65,
  unavailable: 69,
  internal: 70,
  io: 74,
  tempFail: 75,
  noPermission: 77,
  config: 78,
} as const;

const BY_CODE: Partial<Record<ErrorCode, number>> = {
  EDGE_NODE_TOO_OLD: EXIT.unavailable,
  EDGE_SQLITE_MISSING: EXIT.unavailable,
  EDGE_NOT_RUNNING: EXIT.unavailable,
  EDGE_NOT_ANSWERING: EXIT.tempFail,
  EDGE_CONFIG_INVALID: EXIT.config,
  EDGE_STATE_NEWER: EXIT.config,
  EDGE_STATE_OLDER: EXIT.config,
  EDGE_ALREADY_RUNNING: EXIT.tempFail,
  EDGE_STATE_FULL: EXIT.tempFail,
  EDGE_STATE_BUSY: EXIT.tempFail,
  EDGE_STATE_IO: EXIT.io,
  EDGE_STATE_DIR: EXIT.noPermission,
  EDGE_CHATDB_MISSING: EXIT.unavailable,
  EDGE_CHATDB_NO_PERMISSION: EXIT.noPermission,
  EDGE_NODE_COPY: EXIT.unavailable,
  EDGE_BODY_UNDECODABLE: EXIT.data,
};

/** The exit code that tells a script what kind of trouble a code is. */
export function exitCodeOf(code: ErrorCode): number {
  return BY_CODE[code] ?? EXIT.internal;
}
