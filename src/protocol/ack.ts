import type { CommandAck } from './wire.ts';

/**
 * In the error of a `failed` ack: nobody can vouch for what became of the command. The one final ack that another,
 * `completed`, may follow.
 */
export const UNKNOWN_OUTCOME = 'unknown outcome';

/** The command is on disk; its outcome follows in another ack. */
export function receivedAck(commandId: string, now: number): CommandAck {
  return { command_id: commandId, success: true, error: null, timestamp: iso(now), status: 'received' };
}

export function completedAck(commandId: string, now: number, result?: unknown): CommandAck {
  return {
    command_id: commandId,
    success: true,
    error: null,
    timestamp: iso(now),
    status: 'completed',
    completed_at: iso(now),
    ...(result === undefined ? {} : { result }),
  };
}

export function failedAck(commandId: string, now: number, reason: string): CommandAck {
  return { command_id: commandId, success: false, error: reason, timestamp: iso(now), status: 'failed' };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
