import { EdgeError, messageOf } from '../util/EdgeError.ts';
import { ERRORS } from '../util/errors.ts';
import { EXIT, exitCodeOf } from './exitCodes.ts';
import type { Io } from './Io.ts';

/** Says on stderr what happened, why it matters and what to do; returns the exit code that goes with it. */
export function explain(error: unknown, io: Io): number {
  if (!(error instanceof EdgeError)) {
    io.err(`edge-agent: EDGE_INTERNAL: ${messageOf(error)}\n  ${ERRORS.EDGE_INTERNAL.fix}\n`);
    return EXIT.internal;
  }
  // The problems of a configuration stand in lines of their own, so that editors can jump to them.
  const what = error.code === 'EDGE_CONFIG_INVALID' ? error.message : `edge-agent: ${error.code}: ${error.message}`;
  io.err(`${what}\n  ${ERRORS[error.code].means}\n  ${error.fix}\n`);
  return exitCodeOf(error.code);
}
