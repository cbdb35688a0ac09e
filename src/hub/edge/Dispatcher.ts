import { describeIssues, MAX_BODY_BYTES } from '../../protocol/wire.ts';
import type { Clock } from '../../util/Clock.ts';
import { messageOf } from '../../util/EdgeError.ts';
import { ackSchema, type EdgeAck } from '../commands/ack.ts';
import type { CommandStore, NewCommand, StoredCommand } from '../commands/CommandStore.ts';
import type { ReflexDelivery } from '../responders/Responder.ts';
import type { EdgeSockets } from './EdgeSockets.ts';
import type { EdgeTelemetry } from './EdgeTelemetry.ts';

/** Brings commands to agents, by socket where there is one, else when the agent polls; and takes their acks. */
export class Dispatcher {
  readonly #store: CommandStore;
  readonly #sockets: EdgeSockets;
  readonly #clock: Clock;
  readonly #telemetry: EdgeTelemetry;
  /** One turn at a time per agent, so that its commands go out in order and none by two hands. */
  readonly #turns = new Map<string, Promise<void>>();
  /** What an agent without a socket said it had last when a sync gave it commands: the same again, and it got none. */
  readonly #polled = new Map<string, string>();
  readonly #ackWaiters = new Map<string, (ack: EdgeAck) => void>();

  constructor(o: { store: CommandStore; sockets: EdgeSockets; clock: Clock; telemetry: EdgeTelemetry }) {
    this.#store = o.store;
    this.#sockets = o.sockets;
    this.#clock = o.clock;
    this.#telemetry = o.telemetry;
  }

  /** Stores a command and sends it where a socket is open. A known command_id changes nothing. */
  async submit(command: NewCommand): Promise<StoredCommand> {
    const stored = await this.#store.enqueue(command);
    await this.push(command.agentId);
    if (stored.state === 'queued' && !this.#sockets.isUp(command.agentId)) {
      this.#telemetry.commandQueued(command.agentId, command.commandId);
    }
    return stored;
  }

  /** Sends what is due, as far as the socket takes it. */
  push(agentId: string): Promise<void> {
    return this.#turn(agentId, () => this.#pushDue(agentId));
  }

  /** A socket opened: what was handed over before, by socket or sync, and has no ack goes first. */
  socketUp(agentId: string): void {
    void this.#turn(agentId, async () => {
      await this.#store.seen(agentId);
      await this.#store.release(agentId);
      await this.#pushDue(agentId);
    });
  }

  socketDown(agentId: string): void {
    void this.#turn(agentId, async () => {
      if (!this.#sockets.isUp(agentId)) await this.#store.release(agentId);
    });
  }

  /** Sends again what has waited for its ack too long. */
  async sweep(): Promise<void> {
    for (const agentId of await this.#store.agentsWithDue()) {
      if (this.#sockets.canTake(agentId)) void this.push(agentId);
    }
  }

  /** The commands that are due, for an agent that polls; those of an answer that did not reach it go first. */
  async poll(agentId: string, lastCommandId?: string): Promise<StoredCommand[]> {
    const isLost = lastCommandId !== undefined && this.#polled.get(agentId) === lastCommandId;
    this.#polled.delete(agentId);
    if (isLost && !this.#sockets.isUp(agentId)) await this.#store.release(agentId);
    const commands = await this.#store.take(agentId, 'sync');
    if (commands.length > 0 && lastCommandId !== undefined) this.#polled.set(agentId, lastCommandId);
    for (const command of commands) this.#telemetry.commandSent(command, 'sync');
    return commands;
  }

  /** `data` as it came off the wire. Gives the problem when it is no ack. @throws when it could not be stored */
  async acknowledge(agentId: string, data: unknown): Promise<string | undefined> {
    const parsed = ackSchema.safeParse(data);
    if (!parsed.success) return describeIssues(parsed.error);
    const ack = parsed.data;
    const state = await this.#store.acknowledge(agentId, ack);
    this.#telemetry.ackReceived(agentId, ack, state !== undefined);
    if (state !== undefined) this.#ackWaiters.get(ack.commandId)?.(ack);
    return undefined;
  }

  /** Writes a reflex to the socket and waits up to `waitMs` for its ack. */
  async pushReflex(command: StoredCommand, waitMs: number): Promise<ReflexDelivery> {
    const { commandId, agentId } = command;
    if (!this.#sockets.send(agentId, { type: 'command', data: wireCommand(command) })) {
      this.#telemetry.reflexNotPushed(agentId);
      await this.#store.supersede(commandId);
      return 'none';
    }
    this.#telemetry.reflexPushed(command);
    if (waitMs === 0) return 'sent';
    // An ack cannot have been read yet: frames are read in a later turn of the event loop.
    return new Promise((resolve) => {
      const done = (delivery: ReflexDelivery) => {
        timer.cancel();
        this.#ackWaiters.delete(commandId);
        resolve(delivery);
      };
      const timer = this.#clock.after(waitMs, () => done('sent'));
      this.#ackWaiters.set(commandId, (ack) => done(ack.status === 'failed' ? 'none' : 'acked'));
    });
  }

  /** Resolves when nothing is on its way to the store. */
  async idle(): Promise<void> {
    while (this.#turns.size > 0) await Promise.all(this.#turns.values());
  }

  async #pushDue(agentId: string): Promise<void> {
    while (this.#sockets.canTake(agentId)) {
      const commands = await this.#store.take(agentId, 'websocket');
      if (commands.length === 0) return;
      for (const command of commands) {
        // What is not written stays delivered by a socket that is closing: its end makes it due again.
        if (!this.#sockets.send(agentId, { type: 'command', data: wireCommand(command) })) return;
        this.#telemetry.commandSent(command, 'websocket');
      }
    }
  }

  #turn(agentId: string, work: () => Promise<void>): Promise<void> {
    const turn = (this.#turns.get(agentId) ?? Promise.resolve())
      .then(work)
      .catch((error) => this.#telemetry.failure(`Commands to ${agentId}`, messageOf(error)))
      .then(() => {
        if (this.#turns.get(agentId) === turn) this.#turns.delete(agentId);
      });
    this.#turns.set(agentId, turn);
    return turn;
  }
}

/** Whether an agent can read it as a frame; one that it cannot would end every connection that it is sent on. */
export function fitsFrame(command: NewCommand): boolean {
  const frame = { type: 'command', data: wireCommand({ ...command, createdAt: 0 }) };
  return Buffer.byteLength(JSON.stringify(frame)) <= MAX_BODY_BYTES;
}

/** A command as it stands on the wire. */
export function wireCommand(command: NewCommand & { createdAt: number }): Record<string, unknown> {
  return {
    command_id: command.commandId,
    command_type: command.commandType,
    payload: command.payload,
    priority: command.priority,
    timestamp: new Date(command.createdAt).toISOString(),
  };
}
