/** How a connection, or the attempt at one, ended. */
export type Ending =
  | { kind: 'code'; code: number }
  | { kind: 'status'; status: number }
  | { kind: 'error'; code: string | undefined };

export interface Explanation {
  likelyCause: string;
  check: string;
}

/** What comes after an ending. */
export interface Reconnection {
  /** `short`: 0.2–2 s at random, once, then `backoff`. `backoff`: 1, 2, 4 … 60 s. `slow`: 60 s. Jitter comes on top. */
  delay: 'short' | 'backoff' | 'slow';
  /** For a person, where an ending has one likely cause. */
  explain?: Explanation;
  /** The secret is read again before the next attempt. */
  secretRefused?: true;
  /** A Retry-After in the answer goes before the delay. */
  obeysRetryAfter?: true;
}

const SECRET_REFUSED: Reconnection = {
  delay: 'slow',
  secretRefused: true,
  explain: {
    likelyCause: 'The backend does not know this agent id, or the secret is not the one it has for it.',
    check: 'Compare the secret and edge.agent_id with the backend’s; the secret is read again before every attempt.',
  },
};
const RESTARTING: Reconnection = { delay: 'short' };
const BACKOFF: Reconnection = { delay: 'backoff' };
const BUSY: Reconnection = { delay: 'backoff', obeysRetryAfter: true };

/**
 * Close codes that are more than a lost connection. 1005, 1006 and 1015 never travel: they say that a connection broke
 * or that TLS failed, and stay retryable with all others, 1000, 1008 and 4000–4999 included: a backend may close for
 * its own reasons with any of them, and an agent that gave up could not be reached again.
 */
const BY_CODE: ReadonlyMap<number, Reconnection> = new Map([
  [1012, RESTARTING], // service restart (IANA registry of WebSocket close codes)
  [1013, RESTARTING], // try again later
  [4001, SECRET_REFUSED], // the backend's own: not authorised
]);

const REDIRECTED: Reconnection = {
  delay: 'backoff',
  explain: {
    likelyCause: 'The backend redirects, which is not followed because the secret would go along.',
    check: 'Set backend.websocket_url to the address the redirect names, if it is yours.',
  },
};

/** Answers to the handshake instead of 101. */
const BY_STATUS: ReadonlyMap<number, Reconnection> = new Map([
  ...[301, 302, 303, 307, 308].map((status) => [status, REDIRECTED] as const),
  [401, SECRET_REFUSED],
  [403, SECRET_REFUSED],
  [
    404,
    {
      delay: 'slow',
      explain: {
        likelyCause: 'The WebSocket endpoint does not exist at this URL.',
        check: 'Correct backend.url or backend.websocket_url, or let the backend serve the path in the URL.',
      },
    },
  ],
  [429, BUSY],
  [503, BUSY],
]);

/** Errors of ws about what the backend wrote; the close code it reports with them is 1006, so that they are matched here. */
const BY_ERROR: ReadonlyMap<string, Reconnection> = new Map([
  [
    'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
    {
      delay: 'backoff',
      explain: {
        likelyCause: 'The backend sent a frame larger than 1 MiB.',
        check: 'Send less in one frame; what it held is fetched by HTTP where the backend offers it there.',
      },
    },
  ],
  [
    'WS_ERR_INVALID_UTF8',
    {
      delay: 'backoff',
      explain: { likelyCause: 'The backend sent text that is not UTF-8.', check: 'Encode JSON frames as UTF-8.' },
    },
  ],
]);

/** Never to give up, never to spin: every ending has a delay. */
export function closePolicy(ending: Ending): Reconnection {
  switch (ending.kind) {
    case 'code':
      return BY_CODE.get(ending.code) ?? BACKOFF;
    case 'status':
      return BY_STATUS.get(ending.status) ?? BACKOFF;
    case 'error':
      return BY_ERROR.get(ending.code ?? '') ?? BACKOFF;
  }
}
