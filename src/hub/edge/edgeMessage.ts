import { z } from 'zod';

/** Longest idempotency key, characters; Messages' guids are 36. */
export const MAX_KEY_LENGTH = 200;

const id = z.string().min(1).max(512);

const fields = z.looseObject({
  thread_id: id.nullish(),
  chat_guid: z.string().nullish(),
  filtered_text: z.string().nullish(),
  text: z.string().nullish(),
  sender: z.string().max(512).nullish(),
  message_guid: z.string().min(1).max(MAX_KEY_LENGTH).nullish(),
  is_group: z.boolean().nullish(),
  participants: z.array(z.string()).nullish(),
  original_timestamp: z.string().nullish(),
  backfill: z.boolean().nullish(),
});

/** The fields of POST /edge/message that the hub goes by; `raw` is the body as posted. */
export interface EdgeMessage {
  threadId: string;
  sender: string;
  text: string;
  /** Undefined in the oldest form, which has no idempotency key. */
  guid: string | undefined;
  isGroup: boolean;
  backfill: boolean;
  raw: Record<string, unknown>;
}

/**
 * Both forms of the body in the field: `thread_id, sender, filtered_text` and the older `chat_guid, text,
 * participants`. Where both have a field, the first form wins.
 */
export const edgeMessageSchema = fields.transform((raw, context): EdgeMessage => {
  const threadId = raw.thread_id ?? raw.chat_guid ?? '';
  const text = raw.filtered_text ?? raw.text;
  if (threadId === '') context.addIssue({ code: 'custom', path: ['thread_id'], message: 'is missing' });
  if (typeof text !== 'string') context.addIssue({ code: 'custom', path: ['filtered_text'], message: 'is missing' });
  const isGroup = raw.is_group ?? (raw.participants?.length ?? 0) > 1;
  return {
    threadId,
    sender: raw.sender ?? raw.participants?.[0] ?? threadId,
    text: text ?? '',
    guid: raw.message_guid ?? undefined,
    isGroup,
    backfill: raw.backfill ?? false,
    raw,
  };
});
