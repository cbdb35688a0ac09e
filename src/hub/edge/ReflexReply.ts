import { randomUUID } from 'node:crypto';
import { messageOf } from '../../util/EdgeError.ts';
import type { CommandStore, StoredCommand } from '../commands/CommandStore.ts';
import type { IncomingMessage, ReflexDelivery, Reply } from '../responders/Responder.ts';
import { type Dispatcher, fitsFrame } from './Dispatcher.ts';
import type { EdgeSockets } from './EdgeSockets.ts';
import type { EdgeTelemetry } from './EdgeTelemetry.ts';

/**
 * The reflex of one message. It is stored before it is pushed, with the message's guid: a hub that went down before
 * its answer was stored gives the same command_id and text when the message is posted again, and the agent, which
 * runs an id once, shows it once.
 */
export class ReflexReply implements Reply {
  readonly signal: AbortSignal;
  readonly #message: IncomingMessage;
  readonly #earlier: StoredCommand | undefined;
  readonly #store: CommandStore;
  readonly #sockets: EdgeSockets;
  readonly #dispatcher: Dispatcher;
  readonly #telemetry: EdgeTelemetry;
  readonly #waitMs: number;
  #delivery: Promise<ReflexDelivery> | undefined;
  #text: string | undefined;
  #commandId: string | undefined;

  constructor(o: {
    signal: AbortSignal;
    message: IncomingMessage;
    /** What was pushed for this message before the hub went down. */
    earlier: StoredCommand | undefined;
    store: CommandStore;
    sockets: EdgeSockets;
    dispatcher: Dispatcher;
    telemetry: EdgeTelemetry;
    /** Longest wait for the ack, ms. */
    waitMs: number;
  }) {
    this.signal = o.signal;
    this.#message = o.message;
    this.#earlier = o.earlier;
    this.#store = o.store;
    this.#sockets = o.sockets;
    this.#dispatcher = o.dispatcher;
    this.#telemetry = o.telemetry;
    this.#waitMs = o.waitMs;
  }

  reflex(text: string): Promise<ReflexDelivery> {
    if (this.#delivery) return Promise.resolve('none');
    this.#text = text;
    this.#delivery = this.#push(text).catch((error) => {
      this.#telemetry.failure(`The reflex to ${this.#message.agentId}`, messageOf(error));
      return 'none';
    });
    return this.#delivery;
  }

  /** What the answer says about the reflex, once its ack came or took too long. Undefined: there is none. */
  async outcome(): Promise<{ text: string; commandId: string | undefined; delivery: ReflexDelivery } | undefined> {
    if (!this.#delivery && this.#earlier) void this.reflex(textOf(this.#earlier));
    if (!this.#delivery) return undefined;
    const delivery = await this.#delivery;
    return { text: this.#text!, commandId: this.#commandId, delivery };
  }

  async #push(text: string): Promise<ReflexDelivery> {
    const { agentId, threadId, guid } = this.#message;
    if (this.#earlier) this.#adopt(this.#earlier);
    if (this.#earlier && ['received', 'completed'].includes(this.#earlier.state)) return 'acked';
    if (!this.#sockets.isUp(agentId)) {
      this.#telemetry.reflexNotPushed(agentId);
      return 'none';
    }
    const command = {
      commandId: randomUUID(),
      agentId,
      commandType: 'send_message_now',
      payload: { thread_id: threadId, text, bubble_type: 'reflex' },
      priority: 'immediate' as const,
    };
    if (!fitsFrame(command)) throw new Error('it is larger than an agent reads');
    const stored = await this.#store.enqueueReflex(command, guid);
    this.#adopt(stored);
    return this.#dispatcher.pushReflex(stored, this.#waitMs);
  }

  #adopt(command: StoredCommand): void {
    this.#commandId = command.commandId;
    this.#text = textOf(command);
  }
}

function textOf(reflex: StoredCommand): string {
  return String(reflex.payload.text);
}
