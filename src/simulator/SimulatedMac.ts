import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Clock, systemClock } from '../util/Clock.ts';
import { Balloons } from './Balloons.ts';
import { ChatDbFile, type MacosVersion } from './ChatDbFile.ts';
import { ChatRows } from './ChatRows.ts';
import { Cloud } from './Cloud.ts';
import { fillHistory, type HistorySpec } from './fillHistory.ts';
import { Groups } from './Groups.ts';
import { DEFAULT_DELAYS, type Delays, Later } from './Later.ts';
import { MessageDates } from './MessageDates.ts';
import { Messages } from './Messages.ts';
import { MessageWriter } from './MessageWriter.ts';
import { OsascriptServer } from './OsascriptServer.ts';
import { OwnMessages } from './OwnMessages.ts';
import { People } from './People.ts';
import type { SchemaVariant } from './schemaVariant.ts';
import { installStandIns } from './standIns/installStandIns.ts';

export interface SimulatedMacOptions {
  /** Where the Mac is: its home, with Library/Messages, bin and var. Made if it does not exist. */
  readonly dir: string;
  /** @default 26 */
  readonly macos?: MacosVersion;
  /** How durable chat.db's commits are; what Messages uses is not known. @default NORMAL */
  readonly synchronous?: 'NORMAL' | 'FULL';
  /** Columns and tables this chat.db has not, or has beside its macOS's; only where it is made. @default none */
  readonly schema?: SchemaVariant;
  /** @default DEFAULT_DELAYS */
  readonly delays?: Partial<Delays>;
  /** Each effect is appended to this file as a line of JSON. */
  readonly effectsFile?: string;
  /** @default the system's */
  readonly clock?: Clock;
}

/** A Mac for machines that are none: a chat.db, a Messages behind it and an `osascript` in front of it. */
export class SimulatedMac {
  readonly chatDbPath: string;
  readonly attachmentsPath: string;
  /** Holds osascript and the stand-ins of installStandIns. */
  readonly binPath: string;
  /** What the stand-ins other than osascript remember. */
  readonly standInStatePath: string;
  readonly osascriptPath: string;
  readonly chatDb: ChatDbFile;
  /** The Messages.app that osascript talks to. */
  readonly messages: Messages;
  /** Those who write to this Mac. */
  readonly people: People;
  /** Links and what apps draw. */
  readonly balloons: Balloons;
  /** What happens to groups and conversations. */
  readonly groups: Groups;
  /** What one writes oneself on another device. */
  readonly own: OwnMessages;
  /** What iCloud and upgrades do. */
  readonly cloud: Cloud;
  readonly #later: Later;
  readonly #server: OsascriptServer;
  #closed: Promise<void> | undefined;

  /** Makes the Mac in `dir`, or turns on the one that is there, and starts its server. */
  static async create(o: SimulatedMacOptions): Promise<SimulatedMac> {
    const mac = new SimulatedMac(o);
    mkdirSync(mac.attachmentsPath, { recursive: true });
    mac.chatDb.open();
    installStandIns(mac.binPath, mac.standInStatePath, { macos: mac.chatDb.macos });
    await mac.#server.start(mac.binPath);
    return mac;
  }

  private constructor(o: SimulatedMacOptions) {
    this.chatDbPath = join(o.dir, 'Library/Messages/chat.db');
    this.attachmentsPath = join(o.dir, 'Library/Messages/Attachments');
    this.binPath = join(o.dir, 'bin');
    this.standInStatePath = join(o.dir, 'var');
    this.osascriptPath = join(this.binPath, 'osascript');
    const clock = o.clock ?? systemClock;
    this.#later = new Later(clock);
    this.chatDb = new ChatDbFile({ ...o, path: this.chatDbPath, macos: o.macos ?? 26 });
    const parts = {
      file: this.chatDb,
      rows: new ChatRows(this.chatDb),
      dates: new MessageDates(clock),
      attachmentsPath: this.attachmentsPath,
      delays: { ...DEFAULT_DELAYS, ...o.delays },
      later: this.#later,
    };
    this.messages = new Messages({ ...parts, clock, home: resolve(o.dir), effectsFile: o.effectsFile });
    const writers = { ...parts, writer: new MessageWriter(parts) };
    this.people = new People(writers);
    this.balloons = new Balloons(writers);
    this.groups = new Groups(writers);
    this.own = new OwnMessages(writers);
    this.cloud = new Cloud(writers);
    this.#server = new OsascriptServer({ messages: this.messages });
  }

  /** Fills chat.db with the past. */
  fillHistory(spec: HistorySpec): void {
    fillHistory(this.chatDb, spec);
  }

  /** Resolves when everything that follows from what happened so far is written. */
  settled(): Promise<void> {
    return this.#later.settled();
  }

  /** Turns the Mac off: an osascript that still runs fails, what was to be written later is not. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#later.close();
    await this.#server.close();
    this.chatDb.close();
  }
}
