/** The states of WebSocketClient, which draws them; `stopped` also where the socket is switched off. */
export type SocketStateName = 'stopped' | 'connecting' | 'live' | 'waiting' | 'halted';

export interface SocketProblem {
  /** How the connection ended: `4001`, `status_403`, `ECONNREFUSED`, or a code of the catalogue. */
  code: string;
  /** At most 500 characters, without the secret; parts of it may come from the backend. */
  text: string;
}

export interface SocketStatus {
  state: SocketStateName;
  /** From a ping to its pong, ms; undefined before the first. */
  roundTripMs: number | undefined;
  /** Since anything came over the open socket, ms. */
  lastFrameAgeMs: number | undefined;
  /** Undefined but while waiting or halted. */
  nextDialInMs: number | undefined;
  /** Attempts and connections in a row that did not last 30 s. */
  failures: number;
  /** Why the last connection or attempt ended; undefined once a later one has lasted. */
  lastProblem: SocketProblem | undefined;
}
