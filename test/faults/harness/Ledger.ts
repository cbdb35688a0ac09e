import type { HubObserver } from '../../../src/hub/edge/HubObserver.ts';

/**
 * What must become of a message: `live` is answered; `history` is old when it comes, handed over as backfill and not
 * answered; `refused` the backend will not have: it is not accepted, and a dead letter says so; `late` was set aside
 * and is handed over again when somebody says so: answered, after others that were written later.
 */
export type MessageKind = 'live' | 'history' | 'refused' | 'late';

/** A message that was written to the Mac. */
export interface Inserted {
  readonly guid: string;
  readonly thread: string;
  readonly text: string;
  readonly kind: MessageKind;
  /** What it said after edits: handed over as one of these, or as it was written. @default it was never edited */
  readonly editedTo?: readonly string[];
  /** What text and thread it arrives with is left to the case: it was cut, edited or cannot be read. @default false */
  readonly arrivesChanged?: boolean;
  /** The bubbles that the backend answers it with, in order. */
  readonly answers: readonly string[];
  /** Bubbles that may go out, or not. @default none */
  readonly mayAnswer?: readonly string[];
}

/** How a command must end: with one bubble; with none; or nobody can know, and then with one at most. */
export type Outcome = 'completed' | 'failed' | 'unknown';

/** A text that the backend asked for. */
export interface Asked {
  readonly id: string;
  readonly thread: string;
  readonly text: string;
  /** What a phone shows of it. @default one bubble, the text */
  readonly bubbles?: readonly string[];
  readonly outcome: Outcome;
}

/** What the backend accepted under one key. */
export interface Accepted {
  readonly thread: string;
  readonly text: string;
  readonly isHistory: boolean;
  /** More than one: a repetition was not the same. */
  readonly bodies: Set<string>;
  copies: number;
}

/** An event that the backend was told of; they ride in the body of POST /edge/sync. */
export interface Told {
  readonly type: string;
  readonly details: Record<string, unknown>;
  /** More than one: a repetition was not the same. */
  readonly bodies: Set<string>;
}

/** What the test did and what the backend saw; what osascript did is the Mac's own ledger. */
export class Ledger {
  readonly inserted: Inserted[] = [];
  readonly asked: Asked[] = [];
  /** By guid, in the order of their first arrival. */
  readonly accepted = new Map<string, Accepted>();
  /** By event_id. */
  readonly events = new Map<string, Told>();
  /** Of messages (guid) and events (event_id): how many of them had come before. */
  readonly arrivals = new Map<string, number>();
  /** The statuses of the acks of each command, repetitions included. */
  readonly acks = new Map<string, string[]>();
  /** The close codes of the sockets that are gone. */
  readonly closes: number[] = [];
  socketsUp = 0;

  readonly observe: HubObserver = {
    messageReceived: ({ body }) => {
      const raw = JSON.stringify(body.raw);
      const known = this.accepted.get(body.guid!);
      if (known) {
        known.bodies.add(raw);
        known.copies++;
        return;
      }
      const { thread_id, filtered_text, backfill } = body.raw;
      this.arrivals.set(body.guid!, this.arrivals.size);
      this.accepted.set(body.guid!, {
        thread: String(thread_id),
        text: String(filtered_text),
        isHistory: backfill === true,
        bodies: new Set([raw]),
        copies: 1,
      });
    },
    eventReceived: ({ event }) => {
      const body = JSON.stringify(event);
      const known = this.events.get(event.eventId);
      if (known) return known.bodies.add(body);
      this.arrivals.set(event.eventId, this.arrivals.size);
      const details = event.details as Record<string, unknown>;
      return this.events.set(event.eventId, { type: event.eventType, details, bodies: new Set([body]) });
    },
    ackReceived: ({ ack }) => {
      const known = this.acks.get(ack.commandId) ?? [];
      this.acks.set(ack.commandId, [...known, ack.status]);
    },
    socketUp: () => void this.socketsUp++,
    socketDown: ({ code }) => void this.closes.push(code),
  };

  told(type: string): Told[] {
    return [...this.events.values()].filter((told) => told.type === type);
  }

  /** How many bubbles must be out once all is done. */
  get bubblesDue(): number {
    const answers = this.inserted.reduce((sum, { answers }) => sum + answers.length, 0);
    return answers + this.asked.filter(({ outcome }) => outcome === 'completed').flatMap(bubblesOf).length;
  }
}

export function bubblesOf({ text, bubbles = [text] }: Asked): readonly string[] {
  return bubbles;
}
