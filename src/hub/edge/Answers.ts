import { randomUUID } from 'node:crypto';
import { MAX_BODY_BYTES } from '../../protocol/wire.ts';
import type { Clock } from '../../util/Clock.ts';
import { messageOf } from '../../util/EdgeError.ts';
import type { CommandStore, NewCommand } from '../commands/CommandStore.ts';
import type { Answer, Responder } from '../responders/Responder.ts';
import { type Dispatcher, fitsFrame, wireCommand } from './Dispatcher.ts';
import type { EdgeSockets } from './EdgeSockets.ts';
import type { EdgeTelemetry } from './EdgeTelemetry.ts';
import type { EdgeMessage } from './edgeMessage.ts';
import type { Moment } from './HubObserver.ts';
import { ReflexReply } from './ReflexReply.ts';

/** Answers worked out at once; past it agents are asked to come again. An agent posts 32 at a time. */
const MAX_IN_FLIGHT = 2_000;
const NO_ANSWER = JSON.stringify({ should_respond: false });

type AnswerCommand = NewCommand & { channel: 'response' | 'queue' };

/** More messages are being answered than the hub holds. */
export class TooManyAnswers extends Error {}

/**
 * Works out one answer for each idempotency key: stored before it is given, given again when the key comes again,
 * waited for when it is still being worked out.
 */
export class Answers {
  readonly #store: CommandStore;
  readonly #responder: Responder;
  readonly #sockets: EdgeSockets;
  readonly #dispatcher: Dispatcher;
  readonly #clock: Clock;
  readonly #telemetry: EdgeTelemetry;
  readonly #reflexWaitMs: number;
  readonly #nameReflex: boolean;
  readonly #inFlight = new Map<string, Promise<string>>();
  readonly #stopping = new AbortController();

  constructor(o: {
    store: CommandStore;
    responder: Responder;
    sockets: EdgeSockets;
    dispatcher: Dispatcher;
    clock: Clock;
    telemetry: EdgeTelemetry;
    /** How long an answer waits for the ack of its reflex, ms from the push. */
    reflexWaitMs: number;
    /** Whether an answer names `reflex_command_id`; agents must also do without. */
    nameReflex: boolean;
  }) {
    this.#store = o.store;
    this.#responder = o.responder;
    this.#sockets = o.sockets;
    this.#dispatcher = o.dispatcher;
    this.#clock = o.clock;
    this.#telemetry = o.telemetry;
    this.#reflexWaitMs = o.reflexWaitMs;
    this.#nameReflex = o.nameReflex;
  }

  /**
   * The answer as JSON. It goes on being worked out when the asking connection breaks.
   * @throws TooManyAnswers; whatever the responder or the store throws
   */
  async answer(agentId: string, message: EdgeMessage, at: Moment): Promise<string> {
    this.#telemetry.messageReceived(agentId, message, at);
    const guid = message.guid ?? randomUUID();
    const key = `${agentId} ${guid}`;
    const running = this.#inFlight.get(key);
    if (running) {
      const answer = await running;
      this.#telemetry.messageAnswered(agentId, guid, answer, true);
      return answer;
    }
    if (this.#inFlight.size >= MAX_IN_FLIGHT) throw new TooManyAnswers();
    const work = this.#workOut(agentId, guid, message).finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, work);
    return work;
  }

  /** Tells responders to give up, and waits for them. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the hub is stopping'));
    await Promise.allSettled(this.#inFlight.values());
  }

  async #workOut(agentId: string, guid: string, message: EdgeMessage): Promise<string> {
    const { threadId, sender, backfill, raw } = message;
    const known = await this.#store.receiveMessage({ agentId, guid, threadId, sender, backfill, body: raw });
    let answer = known.answer;
    if (answer === undefined) {
      const incoming = { agentId, guid, threadId, sender, text: message.text, isGroup: message.isGroup, body: raw };
      const reply = new ReflexReply({
        signal: this.#stopping.signal,
        message: incoming,
        earlier: known.reflex,
        store: this.#store,
        sockets: this.#sockets,
        dispatcher: this.#dispatcher,
        telemetry: this.#telemetry,
        waitMs: this.#reflexWaitMs,
      });
      const said = backfill
        ? undefined
        : await this.#ask(() => this.#responder.respond(incoming, reply), agentId, guid);
      const composed = said ? await this.#compose(said, reply, message, agentId) : { text: NO_ANSWER, commands: [] };
      const fits = Buffer.byteLength(composed.text) <= MAX_BODY_BYTES && composed.commands.every(fitsFrame);
      if (!fits) this.#telemetry.answerFailed(agentId, guid, 'it is larger than an agent reads; nothing is answered');
      const { text, commands } = fits ? composed : { text: NO_ANSWER, commands: [] };
      answer = await this.#store.answerMessage({ agentId, guid }, text, commands);
      for (const { commandId, channel } of commands) await this.#sent(commandId, channel);
      if (commands.some(({ channel }) => channel === 'queue')) void this.#dispatcher.push(agentId);
    }
    this.#telemetry.messageAnswered(agentId, guid, answer, known.answer !== undefined);
    return answer;
  }

  async #ask(respond: () => Promise<Answer>, agentId: string, guid: string): Promise<Answer> {
    try {
      return await respond();
    } catch (error) {
      this.#telemetry.answerFailed(agentId, guid, messageOf(error));
      throw error;
    }
  }

  async #sent(commandId: string, channel: AnswerCommand['channel']): Promise<void> {
    if (channel !== 'response') return;
    const stored = await this.#store.command(commandId);
    if (stored) this.#telemetry.commandSent(stored.command, 'response');
  }

  /** The answer on the wire, every bubble in it, the reflex first, and the commands it gives rise to. */
  async #compose(
    said: Answer,
    reply: ReflexReply,
    message: EdgeMessage,
    agentId: string,
  ): Promise<{ text: string; commands: AnswerCommand[] }> {
    const reflex = await reply.outcome();
    const now = this.#clock.now();
    const inAnswer = (said.commands ?? []).map((raw) => ({
      commandId: raw.command_id ?? randomUUID(),
      agentId,
      commandType: raw.command_type,
      payload: raw.payload ?? {},
      priority: raw.priority ?? ('normal' as const),
      channel: 'response' as const,
    }));
    const scheduled = (said.schedule ?? []).map(({ in_ms, text }) => ({
      commandId: randomUUID(),
      agentId,
      commandType: 'schedule_message',
      payload: {
        thread_id: message.threadId,
        message_text: text,
        send_at: new Date(now + in_ms).toISOString(),
        is_group: message.isGroup,
      },
      priority: 'normal' as const,
      channel: 'queue' as const,
    }));
    const bubbles = said.should_respond ? said.bubbles : [];
    const isBurst = reflex !== undefined || said.burst_delay_ms !== undefined;
    const text = JSON.stringify({
      should_respond: reflex !== undefined || said.should_respond,
      reply_bubbles: reflex ? [reflex.text, ...bubbles] : bubbles,
      reflex_message: reflex?.text,
      burst_messages: isBurst ? bubbles : undefined,
      // Named always: agents take its absence for two seconds.
      burst_delay_ms: isBurst ? (said.burst_delay_ms ?? 0) : undefined,
      reflex_command_id: this.#nameReflex ? reflex?.commandId : undefined,
      reflex_delivered: reflex?.delivery,
      commands:
        inAnswer.length > 0 ? inAnswer.map((command) => wireCommand({ ...command, createdAt: now })) : undefined,
    });
    return { text, commands: [...inAnswer, ...scheduled] };
  }
}
