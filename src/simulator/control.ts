import type { IncomingBalloon, IncomingLink } from './Balloons.ts';
import type { Behaviour } from './Behaviour.ts';
import type { Replacement } from './ChatDbFile.ts';
import type { BackfillBlock } from './Cloud.ts';
import type { EditOptions } from './Edits.ts';
import type { HistorySpec } from './fillHistory.ts';
import type { ConversationChange } from './Groups.ts';
import type { GroupSpec, Incoming } from './Incoming.ts';
import type { Automation, Effect, SendRequest } from './Messages.ts';
import type { EndsAt } from './MessagesProcess.ts';
import type { PlacedSticker, Reaction, Vote } from './Reactions.ts';
import type { SimulatedMac } from './SimulatedMac.ts';

/** A Behaviour as it goes over a pipe: a hook is the name under which the other side is asked to call it. */
export type BehaviourMessage = Omit<Behaviour, 'beforeEffect' | 'afterEffect'> & {
  readonly beforeEffect?: string;
  readonly afterEffect?: string;
};

/** What a simulated Mac in a process of its own can be told: one object a line, `do` being the name. */
export interface Orders {
  receive: { message: Incoming };
  receiveMany: { messages: readonly Incoming[] };
  react: { reaction: Reaction };
  placeSticker: { sticker: PlacedSticker };
  vote: { vote: Vote };
  edit: { guid: string; text: string; how?: EditOptions };
  unsend: { guid: string; part?: number };
  read: { guid: string };
  readByThem: { guid: string };
  delivered: { guid: string };
  alsoIn: { guid: string; chat: Pick<Incoming, 'from' | 'group' | 'service' | 'chatPrefix'> };
  remove: { guid: string };
  link: { link: IncomingLink };
  app: { balloon: IncomingBalloon };
  createGroup: { from: string; fromMe?: boolean; group: GroupSpec; service?: string };
  change: { change: ConversationChange };
  sendLater: { to: string; text: string; at: number };
  toSelf: { address: string; text: string; copyMs?: number | 'never' };
  copyFromSelf: { from: string; text: string; afterMs: number };
  reinsert: { guid: string; as?: string };
  copy: { guid: string; as?: string };
  backfillBlock: { block: BackfillBlock };
  changePrefix: { identifier: string; prefix: string };
  history: { history: HistorySpec };
  behave: { behaviour: BehaviourMessage };
  behaveWell: object;
  quit: object;
  launch: object;
  hang: { endsAt?: EndsAt };
  recover: object;
  automation: { state: Automation };
  accounts: { services: readonly string[] };
  checkpoint: object;
  recreateWal: object;
  backup: { path: string };
  replace: { replacement: Replacement };
  settled: object;
  requests: object;
  /** The hook of this name is over; see the event `hook`. */
  resume: { hook: string };
  close: object;
}

/** What it says back to each, beside `id` and `ok: true`. */
export interface Answers {
  /** `at`: when the row was committed, ms since 1970 with µs as fraction. */
  receive: { guid: string; at: number };
  receiveMany: { guids: string[]; at: number };
  react: { guid: string };
  placeSticker: { guid: string };
  vote: { guid: string };
  /** `preview`: the guid of the row that follows, where there are two. */
  link: { guid: string; preview?: string };
  app: { guid: string };
  /** Of the row that names the group, if it has a name. */
  createGroup: { guid?: string };
  change: { guid: string };
  sendLater: { guid: string };
  /** `copy`: the guid of the inbound row that follows, where one does. */
  toSelf: { guid: string; copy?: string };
  copyFromSelf: { guid: string };
  reinsert: { guid: string };
  copy: { guid: string };
  backfillBlock: { guids: string[] };
  /** False when a reader was in the way. */
  checkpoint: { done: boolean };
  recreateWal: { done: boolean };
  requests: { requests: readonly SendRequest[] };
}

export type AnswerTo<K extends keyof Orders> = K extends keyof Answers ? Answers[K] : object;

/** A line from the process: the answer to the order of the same id, or something that happened. */
export type ControlLine =
  | { readonly id?: number; readonly ok: true }
  | { readonly id?: number; readonly ok: false; readonly error: string }
  | ReadyEvent
  | { readonly event: 'effect'; readonly effect: Effect }
  | { readonly event: 'hook'; readonly hook: string };

/** The first line. */
export interface ReadyEvent extends Pick<SimulatedMac, 'chatDbPath' | 'attachmentsPath' | 'binPath' | 'osascriptPath'> {
  readonly event: 'ready';
}
