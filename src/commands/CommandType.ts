import type { z } from 'zod';
import type { LoopGuard } from '../messaging/loopGuard.ts';
import { describeIssues } from '../protocol/wire.ts';
import type { StateStore } from '../state/StateStore.ts';

/** What a command may use while it is executed, inside the transaction that makes it known. */
export interface CommandContext {
  readonly store: StateStore;
  readonly commandId: string;
  readonly immediate: boolean;
  readonly now: number;
  /** Undefined: reflexes without end. */
  readonly loopGuard: LoopGuard | undefined;
  /** A longer text goes out as several bubbles. */
  readonly maxBubbleChars: number;
}

/** What came of a command, and what is to be done once it is on disk. */
export type Effect = Outcome & {
  /** The command is a late reflex: this thread has the bubble from an answer already. */
  readonly saidIn?: string;
  /** Executing it threw what it must not; for the log. */
  readonly defect?: string;
};

type Outcome =
  | { readonly outcome: 'completed'; readonly result?: unknown; readonly wake?: 'schedules' }
  | { readonly outcome: 'failed'; readonly reason: string }
  /** On disk; its outcome is told later, in a second ack. */
  | { readonly outcome: 'received'; readonly wake: 'schedules' }
  /** The outcome of a send will be its own. */
  | { readonly outcome: 'pending'; readonly wake: 'sends'; readonly threadId: string }
  /** The outcome of an upload will be its own. */
  | { readonly outcome: 'pending'; readonly wake: 'uploads' };

/** A payload that was checked. */
export type Checked =
  | {
      readonly ok: true;
      /** What is kept of it: the fields that the command knows. */
      readonly payload: Record<string, unknown>;
      execute(context: CommandContext): Effect;
    }
  | { readonly ok: false; readonly detail: string };

export type CommandType = (payload: Record<string, unknown>) => Checked;

/** Puts together what a payload must look like and what the command does. `execute` may write, and nothing else. */
export function commandType<S extends z.ZodType<Record<string, unknown>>>(
  schema: S,
  execute: (payload: z.output<S>, context: CommandContext) => Effect,
): CommandType {
  return (raw) => {
    const parsed = schema.safeParse(raw);
    if (!parsed.success) return { ok: false, detail: describeIssues(parsed.error) };
    return { ok: true, payload: parsed.data, execute: (context) => execute(parsed.data, context) };
  };
}
