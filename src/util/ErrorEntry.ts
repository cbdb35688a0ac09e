/**
 * What a caller does after an error:
 * `now` try again at once; `backoff` try again later, without end; `never` the same attempt cannot succeed;
 * `unknown-outcome` the effect may have happened: look before anything is repeated.
 */
export type Retry = 'now' | 'backoff' | 'never' | 'unknown-outcome';

export interface ErrorEntry {
  /** What it means and why it matters, one sentence. */
  readonly means: string;
  /** What to do, in the imperative. */
  readonly fix: string;
  readonly retry: Retry;
  /** What health and `status` call it while it stands. @default the code in small letters, without EDGE_ */
  readonly condition?: string;
}

export const define = <T extends Record<string, ErrorEntry>>(entries: T) => entries;
