/** A message that came in, as a responder sees it. */
export interface IncomingMessage {
  readonly agentId: string;
  /** Where the answer goes: the other party's handle, or the chat identifier of a group. */
  readonly threadId: string;
  readonly sender: string;
  readonly text: string;
  readonly guid: string;
  readonly isGroup: boolean;
  /** The body as it was posted, for fields that have no name here. */
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * What became of a pushed reflex: `acked` the agent has it, `sent` it was written to the socket and no ack came in
 * time, `none` it was not pushed or the agent failed to send it.
 */
export type ReflexDelivery = 'acked' | 'sent' | 'none';

/** What a responder may do before its answer is ready. */
export interface Reply {
  /**
   * Pushes the first bubble of the answer ahead. A message has one reflex: later calls push nothing and give `none`.
   * Never rejects; there is no need to await it.
   */
  reflex(text: string): Promise<ReflexDelivery>;
  /** Aborts when the hub stops; the agent will post the message again. */
  readonly signal: AbortSignal;
}

/** A command as a script or program writes it; what it leaves out is filled in. */
export interface RawCommand {
  command_id?: string | undefined;
  command_type: string;
  payload?: Record<string, unknown> | undefined;
  priority?: 'normal' | 'immediate' | undefined;
}

/** A responder's answer. The fields are named as in the script file. */
export interface Answer {
  should_respond: boolean;
  /** The bubbles that follow the reflex, in order; without a reflex, all of them. */
  bubbles: readonly string[];
  /** Pause between the reflex and the other bubbles, ms. @default 0 */
  burst_delay_ms?: number | undefined;
  /** Messages to the same thread, `in_ms` after the answer. */
  schedule?: readonly { in_ms: number; text: string }[] | undefined;
  /** Commands that travel in the answer. */
  commands?: readonly RawCommand[] | undefined;
}

export const SILENCE: Answer = { should_respond: false, bubbles: [] };

/** Decides what is answered. A rejection is answered with 500, and the agent asks again later. */
export interface Responder {
  respond(message: IncomingMessage, reply: Reply): Promise<Answer>;
}
