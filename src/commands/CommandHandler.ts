import { completeCommand, failCommand } from '../messaging/commandOutcome.ts';
import { receivedAck } from '../protocol/ack.ts';
import type { CommandChannel } from '../state/Commands.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock } from '../util/Clock.ts';
import { EdgeError } from '../util/EdgeError.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import type { Checked, CommandType, Effect } from './CommandType.ts';
import { cancelScheduled } from './cancelScheduled.ts';
import { listScheduled } from './listScheduled.ts';
import { type ReadCommand, readCommand } from './readCommand.ts';
import { scheduleMessage } from './scheduleMessage.ts';
import { sendMessageNow } from './sendMessageNow.ts';

/** Commands without an outcome that are kept at most: hours of sending, and some megabytes. */
const MAX_OPEN_COMMANDS = 10_000;
/** How much of an unknown command_type an ack repeats, characters: with all of it the ack could exceed a frame. */
const MAX_SHOWN_TYPE = 100;

const TYPES: ReadonlyMap<string, CommandType> = new Map([
  ['send_message_now', sendMessageNow],
  ['schedule_message', scheduleMessage],
  ['cancel_scheduled', cancelScheduled],
  ['list_scheduled', listScheduled],
]);

type Readable = Exclude<ReadCommand, { kind: 'nameless' }>;

/**
 * Takes the backend's commands, from whatever channel. Row, effect and ack of a command are one transaction, so that it
 * is executed once or not known at all; a command_id that is known gets its last ack again and nothing else.
 */
export class CommandHandler {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #onSends: () => void;
  readonly #onSchedules: () => void;
  readonly #onAcks: () => void;
  readonly #maxOpenCommands: number;

  constructor(options: {
    store: StateStore;
    clock: Clock;
    telemetry: Telemetry;
    /** Sends were queued. */
    onSends: () => void;
    /** Schedules were added or cancelled. */
    onSchedules: () => void;
    /** Acks are due. */
    onAcks: () => void;
    /** @default 10,000 */
    maxOpenCommands?: number;
  }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#telemetry = options.telemetry;
    this.#onSends = options.onSends;
    this.#onSchedules = options.onSchedules;
    this.#onAcks = options.onAcks;
    this.#maxOpenCommands = options.maxOpenCommands ?? MAX_OPEN_COMMANDS;
  }

  /**
   * One command as it came off the wire. When it returns, the command is on disk.
   * @throws EdgeError EDGE_COMMANDS_FULL, EDGE_STATE_FULL (not taken: the backend has to deliver it again)
   */
  handle(raw: unknown, channel: CommandChannel): void {
    const read = readCommand(raw);
    if (read.kind === 'nameless') {
      this.#telemetry.frameRefused('EDGE_FRAME_INVALID', `command: ${read.detail}`);
      return;
    }
    const commandId = read.kind === 'command' ? read.command.command_id : read.commandId;
    if (this.#store.commands.byId(commandId)) this.#repeat(commandId);
    else this.#take(commandId, read, channel);
  }

  #repeat(commandId: string): void {
    const due = this.#store.transaction(() => this.#store.commands.offerLastAckAgain(commandId));
    this.#telemetry.commandRepeated(commandId);
    if (due) this.#onAcks();
  }

  #take(commandId: string, read: Readable, channel: CommandChannel): void {
    if (this.#store.commands.openCount() >= this.#maxOpenCommands) {
      throw new EdgeError('EDGE_COMMANDS_FULL', `${this.#maxOpenCommands} commands have no outcome yet`);
    }
    const commandType = (read.kind === 'command' ? read.command.command_type : read.commandType).slice(
      0,
      MAX_SHOWN_TYPE,
    );
    const effect = this.#execute(commandId, commandType, read, channel);
    this.#telemetry.commandReceived({ commandId, commandType, channel });
    // What starts osascript comes first: a person waits for it.
    if (effect.outcome === 'pending') this.#onSends();
    else {
      if (effect.outcome !== 'failed' && effect.wake === 'schedules') this.#onSchedules();
      this.#onAcks();
    }
    if (effect.saidIn !== undefined) {
      this.#telemetry.reflexMatched({ commandId, threadId: effect.saidIn, kept: 'answer' });
    }
    if (effect.outcome === 'completed') this.#telemetry.commandCompleted(commandId);
    if (effect.outcome === 'failed') this.#telemetry.commandFailed(commandId, effect.reason);
  }

  #execute(commandId: string, commandType: string, read: Readable, channel: CommandChannel): Effect {
    const { commands } = this.#store;
    const now = this.#clock.now();
    const checked = check(read);
    return this.#store.transaction(() => {
      const issuedAt = read.kind === 'command' ? issuedAtOf(read.command.timestamp) : undefined;
      const payload = checked.ok ? checked.payload : {};
      commands.insert({ commandId, commandType, payload, channel, issuedAt, now });
      const immediate = read.kind === 'command' && read.command.priority === 'immediate';
      const effect = checked.ok ? checked.execute({ store: this.#store, commandId, immediate, now }) : failed(checked);
      if (effect.outcome === 'completed') completeCommand(this.#store, commandId, now, effect.result);
      if (effect.outcome === 'failed') failCommand(this.#store, commandId, now, effect.reason);
      if (effect.outcome === 'received') commands.addAck(receivedAck(commandId, now), now);
      return effect;
    });
  }
}

function check(read: Readable): Checked {
  if (read.kind === 'bad') return { ok: false, detail: read.detail };
  const { command_type: commandType, payload } = read.command;
  const type = TYPES.get(commandType);
  if (type) return type(payload);
  return { ok: false, detail: `unsupported command_type: ${commandType.slice(0, MAX_SHOWN_TYPE)}` };
}

function failed(checked: { detail: string }): Effect {
  return { outcome: 'failed', reason: checked.detail };
}

function issuedAtOf(timestamp: string | undefined): number | undefined {
  const at = timestamp === undefined ? Number.NaN : Date.parse(timestamp);
  return Number.isNaN(at) ? undefined : at;
}
