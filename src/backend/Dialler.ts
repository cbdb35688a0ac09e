import type { WebSocket } from 'ws';
import type { Clock } from '../util/Clock.ts';
import { messageOf } from '../util/EdgeError.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { withoutSecret } from '../util/withoutSecret.ts';
import { type Ending, endingName } from './connectionPolicy.ts';
import { type DialFailure, dial, type SocketFactory } from './dial.ts';
import type { Network } from './network/Network.ts';
import { plainText } from './network/networkFailure.ts';
import type { EndingDetails } from './Outage.ts';

export interface DiallerOptions {
  /** `ws(s)://…/edge/ws` without the query. */
  url: string;
  agentId: string;
  network: Network;
  clock: Clock;
  telemetry: Telemetry;
  createSocket?: SocketFactory | undefined;
}

export interface DialOutcome {
  /** No frame is read before it returns. */
  opened(socket: WebSocket): void;
  /** The socket is undefined where there never was one. */
  failed(ending: Ending, details: EndingDetails, socket: WebSocket | undefined): void;
}

/** Dials as this agent, and tells how each dial ended. */
export class Dialler {
  readonly #o: DiallerOptions;

  constructor(options: DiallerOptions) {
    this.#o = options;
  }

  /** Calls one of the two, once, unless what it returns was called before: that gives the dial up. */
  dial(secret: string, outcome: DialOutcome): () => WebSocket | undefined {
    const { agentId, clock, createSocket, network, telemetry } = this.#o;
    const url = `${this.#o.url}?edge_agent_id=${encodeURIComponent(agentId)}`;
    telemetry.websocketConnecting(url);
    try {
      const { socket, cancel } = dial({
        url,
        headers: { Authorization: `Bearer ${secret}`, 'X-Edge-Agent-Id': agentId },
        clock,
        network: network.socketOptions(new URL(url)),
        createSocket,
        onOpen: (opened) => {
          telemetry.websocketDialed('open');
          network.worked('socket');
          outcome.opened(opened);
        },
        onFailed: (failure) => outcome.failed(failure.ending, this.#tell(failure, secret), socket),
      });
      return () => {
        cancel();
        return socket;
      };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const failure = { message: messageOf(error), error, body: '', retryAfterMs: undefined };
      const ending: Ending = { kind: 'error', code };
      // Later, as with every other dial.
      const soon = clock.after(0, () => outcome.failed(ending, this.#tell({ ...failure, ending }, secret), undefined));
      return () => {
        soon.cancel();
        return undefined;
      };
    }
  }

  /** A dial was given up. */
  abandoned(): void {
    this.#o.telemetry.websocketDialed('abandoned');
  }

  #tell({ message, ending, error, body, retryAfterMs }: DialFailure, secret: string): EndingDetails {
    const clean = (text: string) => withoutSecret(text, secret);
    const text = clean(plainText(message));
    this.#o.telemetry.websocketDialed(endingName(ending));
    this.#o.telemetry.websocketError(text);
    if (ending.kind === 'error') this.#o.network.failed('socket', error);
    else this.#o.network.worked('socket');
    return { text, body: clean(body), retryAfterMs };
  }
}
