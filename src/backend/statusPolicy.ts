import type { ErrorCode } from '../util/errors.ts';

/** `upload` is where attachments.upload_path says. */
export type Endpoint = '/edge/message' | '/edge/sync' | '/edge/command/ack' | 'upload';

/** What an HTTP status means: the answer is there, the backend had it already, or one of the catalogue's codes. */
export type StatusMeaning = 'taken' | 'known' | ErrorCode;

const COME_AGAIN: ReadonlySet<number> = new Set([408, 425, 429]);

/**
 * | status                  | meaning                                                                        |
 * |-------------------------|--------------------------------------------------------------------------------|
 * | 2xx                     | taken                                                                          |
 * | 3xx                     | EDGE_BACKEND_REDIRECT: not followed, the secret would go along                 |
 * | 401, 403                | EDGE_BACKEND_AUTH                                                              |
 * | 404                     | EDGE_BACKEND_NOT_FOUND; for a message it is one of the other 4xx (dead letter) |
 * | 408, 425, 429, all 5xx  | EDGE_BACKEND_BUSY                                                              |
 * | 409                     | known; for a sync, which nothing can know already, one of the other 4xx        |
 * | any other 4xx           | EDGE_BACKEND_REJECTED                                                          |
 * | anything else           | EDGE_BACKEND_ANSWER                                                            |
 *
 * A 5xx the protocol does not list is the backend's trouble and not the message's, so it is retried like the others.
 */
export function meaningOf(status: number, endpoint: Endpoint): StatusMeaning {
  if (status >= 200 && status < 300) return 'taken';
  if (status >= 300 && status < 400) return 'EDGE_BACKEND_REDIRECT';
  if (status === 401 || status === 403) return 'EDGE_BACKEND_AUTH';
  if (status === 404 && endpoint !== '/edge/message') return 'EDGE_BACKEND_NOT_FOUND';
  if (status === 409 && endpoint !== '/edge/sync') return 'known';
  if (COME_AGAIN.has(status) || (status >= 500 && status < 600)) return 'EDGE_BACKEND_BUSY';
  if (status >= 400 && status < 500) return 'EDGE_BACKEND_REJECTED';
  return 'EDGE_BACKEND_ANSWER';
}
