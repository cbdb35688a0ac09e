import type { EdgeAck } from '../commands/ack.ts';
import type { DeliveryChannel, StoredCommand, StoredEvent } from '../commands/CommandStore.ts';
import type { EdgeMessage } from './edgeMessage.ts';

/** A moment on both clocks, ms: `monotonic` is performance.now() of this process, `wall` since 1970. */
export interface Moment {
  monotonic: number;
  wall: number;
}

/** Watches a hub from the same process (demo, tests, benchmarks). Called synchronously; what it throws is not caught. */
export interface HubObserver {
  /** A valid message, first or repeated; `at` is when its body was complete. */
  messageReceived?(info: { agentId: string; body: EdgeMessage; at: Moment }): void;
  /** `answer` as it goes to the wire; `repeated`: it was worked out before. */
  messageAnswered?(info: { agentId: string; guid: string; answer: string; repeated: boolean; at: Moment }): void;
  commandSent?(info: { agentId: string; command: StoredCommand; channel: DeliveryChannel; at: Moment }): void;
  /** `known`: the agent has such a command. */
  ackReceived?(info: { agentId: string; ack: EdgeAck; known: boolean; at: Moment }): void;
  /** Each time an event is reported; the store keeps it once. */
  eventReceived?(info: { agentId: string; event: Omit<StoredEvent, 'agentId' | 'receivedAt'>; at: Moment }): void;
  /** A file is stored, or was known. */
  uploadReceived?(info: { agentId: string; guid: string; sizeBytes: number; known: boolean; at: Moment }): void;
  socketUp?(info: { agentId: string; at: Moment }): void;
  socketDown?(info: { agentId: string; code: number; at: Moment }): void;
}
