import { maskIn } from './mask.ts';

/** What the link says of its socket; see LinkStatus in backend/. Times in ms, `since` since 1970. */
interface SocketView {
  readonly isUp: boolean;
  readonly since: number | undefined;
  readonly state: WebsocketState;
  readonly roundTripMs: number | undefined;
  readonly lastFrameAgeMs: number | undefined;
  readonly nextDialInMs: number | undefined;
  readonly failures: number;
  readonly lastProblem: { readonly code: string; readonly text: string } | undefined;
}

export const WEBSOCKET_STATES = ['stopped', 'connecting', 'live', 'waiting', 'halted'] as const;
export type WebsocketState = (typeof WEBSOCKET_STATES)[number];

/** The socket in `status`. */
export interface WebsocketStatus {
  /** Whether commands come over it. */
  readonly up: boolean;
  /** `halted`: refused for who we are, without a secret, or before a foreign key; tried once a minute and when the secret changes. */
  readonly state: WebsocketState;
  /** When it came up or went down last. */
  readonly since: string | null;
  /** From the last ping to its pong. */
  readonly round_trip_ms: number | null;
  readonly last_frame_seconds_ago: number | null;
  readonly next_dial_at: string | null;
  /** Dials and connections in a row that did not last. */
  readonly failures: number;
  /** How the last of them ended: an error code, `status_403`, a close code; null once a connection has lasted. */
  readonly last_problem: { readonly code: string; readonly text: string } | null;
}

export function websocketStatus(socket: SocketView, now: number): WebsocketStatus {
  const { isUp, since, state, roundTripMs, lastFrameAgeMs, nextDialInMs, failures, lastProblem } = socket;
  return {
    up: isUp,
    state,
    since: since === undefined ? null : iso(since),
    round_trip_ms: roundTripMs === undefined ? null : Math.round(roundTripMs * 10) / 10,
    last_frame_seconds_ago: lastFrameAgeMs === undefined ? null : Math.round(lastFrameAgeMs / 100) / 10,
    next_dial_at: nextDialInMs === undefined ? null : iso(now + nextDialInMs),
    failures,
    last_problem: lastProblem ? { code: lastProblem.code, text: maskIn(lastProblem.text) } : null,
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
