import type { HubObserver } from '../../src/hub/edge/HubObserver.ts';

/** What was written to the Mac. */
export interface Inserted {
  readonly guid: string;
  readonly thread: string;
  readonly text: string;
}

/** What the backend accepted under one key. */
export interface Accepted {
  readonly thread: string;
  readonly text: string;
  /** More than one: a repetition was not byte for byte the same. */
  readonly bodies: Set<string>;
  copies: number;
}

/** What the backend asked to be sent. */
export interface Asked {
  readonly id: string;
  readonly thread: string;
  readonly text: string;
}

export interface Told {
  readonly type: string;
  readonly details: Record<string, unknown>;
}

/** What the test did and what the backend saw; what osascript did is the Mac's own ledger. */
export class Ledger {
  readonly inserted: Inserted[] = [];
  readonly asked: Asked[] = [];
  /** By guid, in the order of their first arrival. */
  readonly accepted = new Map<string, Accepted>();
  /** By event_id. */
  readonly events = new Map<string, Told>();
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
      } else {
        const { thread_id, filtered_text } = body.raw;
        const first = { thread: String(thread_id), text: String(filtered_text), bodies: new Set([raw]), copies: 1 };
        this.accepted.set(body.guid!, first);
      }
    },
    eventReceived: ({ event }) => {
      const details = event.details as Record<string, unknown>;
      if (!this.events.has(event.eventId)) this.events.set(event.eventId, { type: event.eventType, details });
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
}
