import { EdgeError } from '../util/EdgeError.ts';
import type { ErrorCode } from '../util/errors.ts';

/** How much of a refusal's body is kept, characters: enough for a person, too little to fill a log. */
export const KEPT_BODY_CHARACTERS = 500;

export interface BackendErrorDetails {
  status?: number | undefined;
  retryAfterMs?: number | undefined;
  body?: string | undefined;
  cause?: unknown;
}

/** A request that the backend did not take. Its texts never hold the secret, even where the backend echoed it. */
export class BackendError extends EdgeError {
  /** The HTTP status, or undefined when no answer came. */
  readonly status: number | undefined;
  /** How long the backend asks to wait, ms, at most 15 minutes; undefined when it does not say. */
  readonly retryAfterMs: number | undefined;
  /** The first 500 characters of the answer; empty when there was none. */
  readonly body: string;

  constructor(code: ErrorCode, message: string, details: BackendErrorDetails = {}) {
    super(code, message, { cause: details.cause });
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
    this.body = (details.body ?? '').slice(0, KEPT_BODY_CHARACTERS);
  }
}
