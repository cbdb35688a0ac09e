import { ERRORS, type ErrorCode, type Retry } from './errors.ts';

/** An error with a code of the catalogue. Callers match the code, never the text. */
export class EdgeError extends Error {
  override readonly name = 'EdgeError';
  readonly code: ErrorCode;

  /** `message` says what happened, with the particulars; why it matters and what to do stand in the catalogue. */
  constructor(code: ErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }

  get retry(): Retry {
    return ERRORS[this.code].retry;
  }

  get fix(): string {
    return ERRORS[this.code].fix;
  }
}

/** The text of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The code of an EdgeError, or the given one. */
export function codeOf(error: unknown, otherwise: ErrorCode): ErrorCode {
  return error instanceof EdgeError ? error.code : otherwise;
}

/**
 * state.db takes nothing for the time being: the disk is full, another process holds it, or its files cannot be opened
 * or written, which a person mends, or the next moment where it was file descriptors that ran out.
 */
export const STORE_UNWILLING: readonly ErrorCode[] = ['EDGE_STATE_FULL', 'EDGE_STATE_BUSY', 'EDGE_STATE_DIR'];

export function isStoreUnwilling(error: unknown): boolean {
  return STORE_UNWILLING.includes(codeOf(error, 'EDGE_INTERNAL'));
}
