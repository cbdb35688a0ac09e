import type { Behaviour } from './Behaviour.ts';
import type { Replacement } from './ChatDbFile.ts';
import type { HistorySpec } from './fillHistory.ts';
import type { Incoming } from './Incoming.ts';
import type { Automation, Effect, SendRequest } from './Messages.ts';
import type { Reaction } from './Reactions.ts';
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
  edit: { guid: string; text: string };
  unsend: { guid: string };
  read: { guid: string };
  remove: { guid: string };
  history: { history: HistorySpec };
  behave: { behaviour: BehaviourMessage };
  behaveWell: object;
  quit: object;
  launch: object;
  automation: { state: Automation };
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
