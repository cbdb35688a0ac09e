import { z } from 'zod';

/** The longest body that is posted, bytes: what web servers take unless they are told otherwise. */
export const MAX_POST_BYTES = 1024 * 1024;

const text = z.string().refine((value) => value.isWellFormed(), 'half of a pair');
const time = z.string().refine((value) => new Date(value).toISOString() === value, 'no time');

/** The body of POST /edge/message as the strictest backend in the field takes it: these fields and no other. */
export const strictRequest = z.strictObject({
  thread_id: text.min(1),
  sender: text,
  filtered_text: text.refine((value) => !value.includes('\ufffc'), 'a placeholder'),
  message_guid: text.min(1).max(512),
  original_timestamp: time,
  is_group: z.boolean(),
  participants: z.array(text).min(1),
  chat_guid: text,
  service: z.enum(['iMessage', 'SMS', 'RCS']),
  was_redacted: z.boolean(),
  redacted_fields: z.array(text),
  filter_reason: z.enum(['', 'redacted', 'truncated', 'redacted, truncated']),
  attachments: z
    .array(
      z.strictObject({
        guid: text,
        name: text,
        mime_type: text.min(1),
        size_bytes: z.int().nonnegative(),
        pending: z.literal(true).optional(),
      }),
    )
    .min(1)
    .max(100)
    .optional(),
  reply_to_guid: text.min(1).optional(),
  backfill: z.literal(true).optional(),
  decode_error: text.min(1).optional(),
});

/** An event as it goes with POST /edge/sync. */
export const strictEvent = z.strictObject({
  event_id: text.min(1).max(700),
  event_type: z.enum([
    'message_edited',
    'message_unsent',
    'reaction_added',
    'reaction_removed',
    'group_changed',
    'message_filtered',
  ]),
  thread_id: text.min(1).optional(),
  details: z.record(z.string(), z.unknown()),
});
