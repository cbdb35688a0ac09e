import { z } from 'zod';
import { UNKNOWN_OUTCOME } from '../../protocol/ack.ts';
import { MAX_COMMAND_ID_LENGTH } from '../../protocol/wire.ts';

/** An agent's report on a command, either wire form brought to one. */
export interface EdgeAck {
  commandId: string;
  status: 'received' | 'completed' | 'failed';
  error: string | undefined;
  /** As it came. */
  body: Record<string, unknown>;
}

/** Status words of deployed agents; the ones before an outcome all mean that the command is on the agent's disk. */
const STATUS: Record<string, EdgeAck['status']> = {
  received: 'received',
  executing: 'received',
  pending: 'received',
  completed: 'completed',
  failed: 'failed',
};

/** Both forms: `success` and `status`; a known status decides over success, since a first ack says `success` too. */
export const ackSchema = z
  .looseObject({
    command_id: z.string().min(1).max(MAX_COMMAND_ID_LENGTH),
    success: z.boolean().nullish(),
    status: z.string().nullish(),
    error: z.unknown().optional(),
  })
  .transform((body, context): EdgeAck => {
    const word = body.status && Object.hasOwn(STATUS, body.status) ? STATUS[body.status] : undefined;
    const bySuccess = typeof body.success === 'boolean' ? (body.success ? 'completed' : 'failed') : undefined;
    const status = word ?? bySuccess;
    if (!status) {
      context.addIssue({ code: 'custom', path: ['status'], message: 'neither a known status nor success was given' });
      return z.NEVER;
    }
    const error = body.error === null || body.error === undefined ? undefined : asText(body.error);
    return { commandId: body.command_id, status, error, body };
  });

/** Whether an agent that could not vouch for its command has found the proof after all. */
export function isCorrection(ack: EdgeAck, command: { state: string; error: string | undefined }): boolean {
  const wasUnknown = command.state === 'failed' && command.error?.includes(UNKNOWN_OUTCOME) === true;
  return wasUnknown && ack.status === 'completed';
}

function asText(value: unknown): string {
  return (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 2_000);
}
