import { completeCommand, failCommand } from '../messaging/commandOutcome.ts';
import type { LoopGuard } from '../messaging/loopGuard.ts';
import { completedAck, failedAck, receivedAck } from '../protocol/ack.ts';
import type { CommandChannel, CommandRow } from '../state/Commands.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock } from '../util/Clock.ts';
import { EdgeError, messageOf } from '../util/EdgeError.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import type { Checked, CommandType, Effect } from './CommandType.ts';
import { cancelScheduled } from './cancelScheduled.ts';
import { listScheduled } from './listScheduled.ts';
import { type ReadCommand, readCommand } from './readCommand.ts';
import { scheduleMessage } from './scheduleMessage.ts';
import { sendAttachment } from './sendAttachment.ts';
import { sendMessageNow } from './sendMessageNow.ts';
import { uploadRetry } from './uploadRetry.ts';

/** Commands that wait for their bubbles at most: hours of sending, and some megabytes. */
const MAX_OPEN_COMMANDS = 10_000;
/** Once full, it is held full until a tenth is free: the backend is not stopped and started for each bubble. */
const ROOM_SHARE = 0.9;
/** How much of an unknown command_type an ack repeats, characters: with all of it the ack could exceed a frame. */
const MAX_SHOWN_TYPE = 100;

const TYPES: ReadonlyMap<string, CommandType> = new Map([
  ['send_message_now', sendMessageNow],
  ['send_attachment', sendAttachment],
  ['schedule_message', scheduleMessage],
  ['cancel_scheduled', cancelScheduled],
  ['list_scheduled', listScheduled],
  ['upload_retry', uploadRetry],
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
  readonly #begin: ((threadId: string) => void) | undefined;
  readonly #onSends: (threadId: string) => void;
  readonly #onSchedules: () => void;
  readonly #onAcks: () => void;
  readonly #onUploads: (() => void) | undefined;
  readonly #maxOpenCommands: number;
  readonly #loopGuard: LoopGuard | undefined;
  readonly #maxBubbleChars: number;

  constructor(options: {
    store: StateStore;
    clock: Clock;
    telemetry: Telemetry;
    /** Sends of this thread are queued, in the transaction under way. @default nobody wants to know before it is through */
    begin?: (threadId: string) => void;
    /** Sends of this thread were queued. */
    onSends: (threadId: string) => void;
    /** Schedules were added or cancelled. */
    onSchedules: () => void;
    /** Acks are due. */
    onAcks: () => void;
    /** A file is to be uploaded. @default nobody uploads */
    onUploads?: () => void;
    /** @default 10,000 */
    maxOpenCommands?: number;
    /** @default none: reflexes without end */
    loopGuard?: LoopGuard;
    /** @default texts stay whole */
    maxBubbleChars?: number;
  }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#telemetry = options.telemetry;
    this.#begin = options.begin;
    this.#onSends = options.onSends;
    this.#onSchedules = options.onSchedules;
    this.#onAcks = options.onAcks;
    this.#onUploads = options.onUploads;
    this.#maxOpenCommands = options.maxOpenCommands ?? MAX_OPEN_COMMANDS;
    this.#loopGuard = options.loopGuard;
    this.#maxBubbleChars = options.maxBubbleChars ?? Number.POSITIVE_INFINITY;
  }

  /**
   * One command as it came off the wire. When it returns, the command is on disk.
   * @throws EdgeError EDGE_COMMANDS_FULL, EDGE_STATE_FULL, EDGE_STATE_BUSY (not taken:
   * the backend has to deliver it again)
   */
  handle(raw: unknown, channel: CommandChannel): void {
    const read = readCommand(raw);
    if (read.kind === 'nameless') {
      this.#telemetry.frameRefused('EDGE_FRAME_INVALID', `command: ${read.detail}`);
      return;
    }
    const commandId = read.kind === 'command' ? read.command.command_id : read.commandId;
    const known = this.#store.commands.byId(commandId);
    if (known) this.#repeat(known);
    else this.#take(commandId, read, channel);
  }

  /** Commands without an outcome. A schedule waits by design, for months maybe, and is not counted. */
  get waiting(): number {
    return this.#store.commands.openCount() - this.#store.schedules.pendingCount();
  }

  /** Whether it is worth while to offer commands again after EDGE_COMMANDS_FULL. */
  hasRoom(): boolean {
    return this.waiting <= this.#maxOpenCommands * ROOM_SHARE;
  }

  #repeat({ commandId, state }: CommandRow): void {
    const { commands } = this.#store;
    const now = this.#clock.now();
    this.#store.transaction(() => {
      if (commands.offerLastAckAgain(commandId)) return;
      // The ack was pruned: its outcome is still known.
      if (state === 'completed') commands.addAck(completedAck(commandId, now), now);
      if (state === 'failed')
        commands.addAck(failedAck(commandId, now, 'failed before; the reason is no longer kept'), now);
      // A series waits longer than acks are kept.
      if (state === 'received' && this.#store.schedules.byId(commandId))
        commands.addAck(receivedAck(commandId, now), now);
    });
    this.#telemetry.commandRepeated(commandId);
    this.#onAcks();
  }

  #take(commandId: string, read: Readable, channel: CommandChannel): void {
    if (this.waiting >= this.#maxOpenCommands) {
      throw new EdgeError('EDGE_COMMANDS_FULL', `${this.#maxOpenCommands} commands have no outcome yet`);
    }
    const commandType = (read.kind === 'command' ? read.command.command_type : read.commandType).slice(
      0,
      MAX_SHOWN_TYPE,
    );
    const effect = this.#execute(commandId, commandType, read, channel);
    if (effect.defect !== undefined) this.#telemetry.failure('EDGE_INTERNAL', `command ${commandId}: ${effect.defect}`);
    // What starts osascript comes first: a person waits for it.
    if (effect.outcome === 'pending' && effect.wake === 'sends') this.#onSends(effect.threadId);
    this.#telemetry.commandReceived({ commandId, commandType, channel });
    if (effect.outcome === 'pending') {
      if (effect.wake === 'uploads') this.#onUploads?.();
    } else {
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
    const immediate = read.kind === 'command' && read.command.priority === 'immediate';
    const run = (by: Checked): Effect =>
      this.#store.transaction(() => {
        const issuedAt = read.kind === 'command' ? issuedAtOf(read.command.timestamp) : undefined;
        const payload = by.ok ? by.payload : {};
        commands.insert({ commandId, commandType, payload, channel, issuedAt, now });
        const effect = by.ok
          ? by.execute({
              store: this.#store,
              commandId,
              immediate,
              now,
              loopGuard: this.#loopGuard,
              maxBubbleChars: this.#maxBubbleChars,
            })
          : failed(by);
        if (effect.outcome === 'completed') completeCommand(this.#store, commandId, now, effect.result);
        if (effect.outcome === 'failed') failCommand(this.#store, commandId, now, effect.reason);
        if (effect.outcome === 'received') commands.addAck(receivedAck(commandId, now), now);
        // The transaction of an answer goes on: what it queues may have to go first.
        const isWhole = channel !== 'response';
        if (isWhole && effect.outcome === 'pending' && effect.wake === 'sends') this.#begin?.(effect.threadId);
        return effect;
      });
    try {
      return run(checked);
    } catch (error) {
      if (error instanceof EdgeError) throw error;
      // A defect of ours must neither lose the command nor block those behind it: it is undone, and said to have failed.
      return { ...run({ ok: false, detail: 'EDGE_INTERNAL: a defect in edge-agent' }), defect: messageOf(error) };
    }
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
