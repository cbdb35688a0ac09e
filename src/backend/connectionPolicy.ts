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
  /** The backend refuses who we are, or we whom it shows itself to be: only a person or another secret ends that. */
  halts?: true;
  /** The secret is read again before the next attempt. */
  rereadsSecret?: true;
  /** A Retry-After in the answer goes before the delay. */
  obeysRetryAfter?: true;
  /** A frame was larger than the socket takes; it would come again with every connection. */
  isOversized?: true;
  /** For a person, where an ending has one likely cause. */
  explain?: Explanation;
}

const BACKOFF: Reconnection = { delay: 'backoff' };
const RESTARTING: Reconnection = { delay: 'short' };
const BUSY: Reconnection = { delay: 'backoff', obeysRetryAfter: true };

const refused = (likelyCause: string, check: string): Reconnection => ({
  delay: 'slow',
  halts: true,
  rereadsSecret: true,
  explain: { likelyCause, check },
});
const slow = (likelyCause: string, check: string): Reconnection => ({ delay: 'slow', explain: { likelyCause, check } });
const explained = (likelyCause: string, check: string): Reconnection => ({
  delay: 'backoff',
  explain: { likelyCause, check },
});

/**
 * Close codes that are more than a lost connection. 1005, 1006 and 1015 never travel: they say that a connection broke
 * or that TLS failed, and stay retryable with all others, 1000, 1008 and 4000–4999 included: a backend may close for
 * its own reasons with any of them, and an agent that gave up could not be reached again.
 */
const BY_CODE: ReadonlyMap<number, Reconnection> = new Map([
  [
    1009,
    explained(
      'The backend takes no frame as large as an ack of this agent.',
      'Let the backend take frames of 1 MiB; the ack goes by HTTP meanwhile.',
    ),
  ],
  [1012, RESTARTING], // service restart (IANA registry of WebSocket close codes)
  [1013, RESTARTING], // try again later
  [
    4001, // the backend's own: not authorised
    refused(
      'The backend does not know this agent id, or the secret is not the one it has for it.',
      'Compare the secret and edge.agent_id with the backend’s; the secret is read again before every attempt.',
    ),
  ],
]);

const REDIRECTED = explained(
  'The backend redirects, which is not followed because the secret would go along.',
  'Set backend.websocket_url to the address the redirect names, if it is yours.',
);
const NOT_UPGRADED = explained(
  'Something answers there, but as to an ordinary request: a proxy on the way may not pass upgrades on.',
  'Let every proxy before the backend pass Upgrade and Connection on; see that the path is the WebSocket endpoint.',
);

/** Answers to the handshake instead of 101. */
const BY_STATUS: ReadonlyMap<number, Reconnection> = new Map([
  ...[301, 302, 303, 307, 308].map((status) => [status, REDIRECTED] as const),
  [400, NOT_UPGRADED],
  [
    401,
    refused(
      'The secret is not the one the backend has for this agent id, or the Authorization header did not arrive.',
      'Compare the secret with the backend’s; see that no proxy removes the header. It is read again before every attempt.',
    ),
  ],
  [
    403,
    refused(
      'The backend does not know this agent id or its secret, or a proxy forbids WebSockets.',
      'Compare the secret and edge.agent_id with the backend’s, and ask who runs a proxy on the way to let upgrades pass.',
    ),
  ],
  [
    404,
    slow(
      'The WebSocket endpoint does not exist at this URL.',
      'Correct backend.url or backend.websocket_url, or let the backend serve the path in the URL.',
    ),
  ],
  [
    407,
    explained(
      'A proxy on the way wants a user name and password.',
      'Put them into HTTPS_PROXY in the environment of the agent, and restart it.',
    ),
  ],
  [
    410,
    slow(
      'The WebSocket endpoint is gone from this URL for good.',
      'Ask the backend’s people for the new address, and set backend.websocket_url.',
    ),
  ],
  [
    426,
    slow(
      'The backend wants another protocol than the WebSocket (version 13) it was asked for, or a proxy removed Upgrade.',
      'Let every proxy before the backend pass Upgrade and Connection on; update the backend.',
    ),
  ],
  [429, BUSY],
  [503, BUSY],
]);

const MANGLED = explained(
  'What came is not what the WebSocket protocol allows; a proxy on the way may alter it.',
  'Use wss://, which no proxy can look into, or look at the library the backend writes frames with.',
);
const OVERSIZED: Reconnection = {
  ...explained(
    'The backend sent a frame larger than 1 MiB, or in too many pieces.',
    'Send less in one frame; what it held is fetched by HTTP where the backend offers it there.',
  ),
  isOversized: true,
};

/**
 * Codes of ws about what the backend wrote; the close code it reports with them is 1006, so that they are matched here.
 * What the network does to an attempt (ECONNREFUSED, ENOTFOUND, certificates …) has a code of the catalogue with its
 * own explanation, and normal back-off; only a foreign key halts.
 */
const BY_ERROR: ReadonlyMap<string, Reconnection> = new Map([
  ['EDGE_TLS_PIN', { delay: 'slow', halts: true }],
  ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', OVERSIZED],
  ['WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH', OVERSIZED],
  ['WS_ERR_TOO_MANY_BUFFERED_PARTS', OVERSIZED],
  ['WS_ERR_INVALID_UTF8', explained('The backend sent text that is not UTF-8.', 'Encode JSON frames as UTF-8.')],
  ...[
    'WS_ERR_EXPECTED_FIN',
    'WS_ERR_INVALID_CLOSE_CODE',
    'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH',
    'WS_ERR_INVALID_OPCODE',
    'WS_ERR_UNEXPECTED_MASK',
    'WS_ERR_UNEXPECTED_RSV_1',
    'WS_ERR_UNEXPECTED_RSV_2_3',
  ].map((code) => [code, MANGLED] as const),
]);

/** Never to give up, never to spin: every ending has a delay. */
export function connectionPolicy(ending: Ending): Reconnection {
  switch (ending.kind) {
    case 'code':
      return BY_CODE.get(ending.code) ?? BACKOFF;
    case 'status':
      return BY_STATUS.get(ending.status) ?? (ending.status < 300 ? NOT_UPGRADED : BACKOFF);
    case 'error':
      return BY_ERROR.get(ending.code ?? '') ?? BACKOFF;
  }
}

/** A few words for a count or a table: `4001`, `status_403`, `ECONNREFUSED`. */
export function endingName(ending: Ending): string {
  switch (ending.kind) {
    case 'code':
      return String(ending.code);
    case 'status':
      return `status_${ending.status}`;
    case 'error':
      return ending.code ?? 'EUNKNOWN';
  }
}
