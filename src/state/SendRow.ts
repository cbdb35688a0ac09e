/**
 * One bubble on its way out.
 * ```
 * held ──reflex failed──▶ queued ──turn──▶ sending ──exit 0──▶ accepted ──row seen──▶ confirmed ──▶ delivered
 *   │                        ▲               │  │                 │
 *   └─reflex confirmed─▶ superseded          │  └──row seen───────┼──▶ confirmed
 *                            └─not handed over┘                   ├──row with error──▶ failed
 *                              or settle time over, first attempt ┘  settle time over, second attempt ──▶ unknown
 *                                                       confirmed | failed ◀──row seen within a day───────────┘
 * ```
 * A bubble that is a file is held too, without a reflex, until the file is staged, and fails when it cannot be.
 * `failed` is reached from sending too, when osascript says that nothing was sent and no retry can help, and at once
 * when the loop guard stops an answer or the part before it failed. A text that iMessage refuses may go back to queued
 * once, to go by SMS. A row is taken for seen when Messages marks it sent or failed, or does neither
 * for ten seconds (a file: five minutes).
 */
export type SendState =
  | 'held'
  | 'queued'
  | 'sending'
  | 'accepted'
  | 'confirmed'
  | 'delivered'
  | 'failed'
  | 'unknown'
  | 'superseded';

export type BubbleType = 'reflex' | 'burst' | 'normal';

export interface SendRow {
  sendId: number;
  key: string;
  threadId: string;
  groupKey: string;
  answersId: number | null;
  position: number;
  bubbleIndex: number;
  text: string;
  bubbleType: BubbleType;
  immediate: 0 | 1;
  state: SendState;
  waitsFor: number | null;
  reflexCommandId: string | null;
  commandId: string | null;
  notBeforeAt: number | null;
  attempts: number;
  addressForm: number;
  watermarkRowid: number | null;
  watermarkEpoch: number | null;
  sendingAt: number | null;
  acceptedAt: number | null;
  confirmedAt: number | null;
  deliveredAt: number | null;
  readAt: number | null;
  finishedAt: number | null;
  receiptGuid: string | null;
  receiptRowid: number | null;
  errorCode: string | null;
  errorDetail: string | null;
  /** The row in which a conversation with oneself gave the bubble back. */
  echoGuid: string | null;
  /** send_id of the first bubble of what this is a part of: a text in several bubbles, or a file with its caption. */
  partOf: number | null;
  /** The bubble is this outgoing file; its text is ''. */
  fileId: number | null;
  /** As the recipient sees it; null where the bubble is a text. */
  fileName: string | null;
  /** Where the file is staged; null until it is, and after it was removed. */
  filePath: string | null;
  /** Its size as it was staged, bytes. */
  fileBytes: number | null;
  /** Begun when chat.db had no such chat. */
  opensThread: 0 | 1;
  /** Refused as iMessage, so that it goes by SMS. */
  smsFallback: 0 | 1;
  scheduleId: string | null;
  createdAt: number;
}

export interface NewSend {
  key: string;
  threadId: string;
  text: string;
  bubbleType: BubbleType;
  now: number;
  /** @default the key: a group of its own */
  groupKey?: string;
  answersId?: number;
  /** @default after everything open in the thread */
  position?: number;
  /** @default 0 */
  bubbleIndex?: number;
  /** @default false */
  immediate?: boolean;
  /** @default 'queued' */
  state?: 'queued' | 'held' | 'superseded';
  waitsFor?: number;
  reflexCommandId?: string;
  commandId?: string;
  notBeforeAt?: number;
  partOf?: number;
  fileId?: number;
  scheduleId?: string;
}

/** The columns of `sends` as the fields of SendRow. */
export const SEND_COLUMNS = `send_id AS sendId, key, thread_id AS threadId, group_key AS groupKey, answers_id AS answersId, position,
  bubble_index AS bubbleIndex, text, bubble_type AS bubbleType, immediate, state, waits_for AS waitsFor,
  reflex_command_id AS reflexCommandId, command_id AS commandId, not_before_at AS notBeforeAt, attempts,
  address_form AS addressForm, watermark_rowid AS watermarkRowid, watermark_epoch AS watermarkEpoch,
  sending_at AS sendingAt, accepted_at AS acceptedAt, confirmed_at AS confirmedAt, delivered_at AS deliveredAt, read_at AS readAt,
  finished_at AS finishedAt, receipt_guid AS receiptGuid, receipt_rowid AS receiptRowid, error_code AS errorCode,
  error_detail AS errorDetail, echo_guid AS echoGuid, part_of AS partOf, file_id AS fileId,
  (SELECT name FROM outgoing_files f WHERE f.file_id = sends.file_id) AS fileName,
  (SELECT path FROM outgoing_files f WHERE f.file_id = sends.file_id) AS filePath,
  (SELECT size_bytes FROM outgoing_files f WHERE f.file_id = sends.file_id) AS fileBytes, opens_thread AS opensThread,
  sms_fallback AS smsFallback, schedule_id AS scheduleId, created_at AS createdAt`;
