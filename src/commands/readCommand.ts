import { type Command, commandSchema, describeIssues } from '../protocol/wire.ts';

/** A command as it came off the wire. */
export type ReadCommand =
  | { readonly kind: 'command'; readonly command: Command }
  /** It can be answered, because its id is usable, but not executed. */
  | { readonly kind: 'bad'; readonly commandId: string; readonly commandType: string; readonly detail: string }
  | { readonly kind: 'nameless'; readonly detail: string };

/** Reads a command, `params` and `parameters` taken for `payload`, `text` and `message_text` for each other. */
export function readCommand(raw: unknown): ReadCommand {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    return { kind: 'nameless', detail: 'a command is not an object' };
  }
  const fields = raw as Record<string, unknown>;
  const parsed = commandSchema.safeParse({
    ...fields,
    payload: fields.payload ?? fields.params ?? fields.parameters,
    timestamp: typeof fields.timestamp === 'string' ? fields.timestamp : undefined, // nothing depends on it
  });
  if (parsed.success) {
    return { kind: 'command', command: { ...parsed.data, payload: withTextAliases(parsed.data.payload) } };
  }
  const detail = describeIssues(parsed.error);
  const commandId = commandSchema.shape.command_id.safeParse(fields.command_id);
  if (!commandId.success) return { kind: 'nameless', detail };
  const commandType = typeof fields.command_type === 'string' ? fields.command_type.slice(0, 100) : '';
  return { kind: 'bad', commandId: commandId.data, commandType, detail };
}

function withTextAliases(payload: Record<string, unknown>): Record<string, unknown> {
  const text = payload.text ?? payload.message_text;
  return { ...payload, text, message_text: payload.message_text ?? text };
}
