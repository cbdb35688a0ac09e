/**
 * The schema of state.db, one entry a version: entry N brings a file of version N to N + 1 (`PRAGMA user_version`).
 * A released entry never changes. Times are integer ms since 1970 in columns named `_at`.
 */
export const MIGRATIONS: readonly string[] = [
  `
  -- One chat.db file each; a replaced or rebuilt file starts another row. The cursor says how far it was taken in.
  CREATE TABLE epochs (
    epoch INTEGER PRIMARY KEY,
    dev TEXT NOT NULL,
    ino TEXT NOT NULL,
    cursor_rowid INTEGER NOT NULL,
    cursor_guid TEXT,              -- the guid at cursor_rowid when it was stored, to notice renumbered rows
    newest_message_at INTEGER,     -- newest message date seen: where to take up again in another file
    created_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE inbound (
    inbound_id INTEGER PRIMARY KEY AUTOINCREMENT,
    guid TEXT NOT NULL UNIQUE,     -- Messages' guid: the idempotency key
    epoch INTEGER NOT NULL,
    chat_rowid INTEGER NOT NULL,
    thread_id TEXT,                -- while parked the likely one; NULL while nothing says
    state TEXT NOT NULL CHECK (state IN ('parked', 'pending', 'done', 'dead')),
    body TEXT,                     -- the POST body as JSON; NULL while parked and after retention
    backfill INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER,       -- set while it is being retried
    error_code TEXT,
    error_detail TEXT,             -- status and the first 500 characters of the answer
    created_at INTEGER NOT NULL,
    done_at INTEGER
  ) STRICT;
  CREATE INDEX inbound_open ON inbound (thread_id, inbound_id) WHERE state IN ('parked', 'pending');
  CREATE INDEX inbound_done ON inbound (done_at) WHERE state = 'done';
  CREATE INDEX inbound_with_body ON inbound (done_at) WHERE state = 'done' AND body IS NOT NULL;
  CREATE INDEX inbound_dead ON inbound (inbound_id) WHERE state = 'dead';

  CREATE TABLE sends (
    send_id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,      -- reply:<guid>:<n>, command:<command_id>, cli:<uuid>
    thread_id TEXT NOT NULL,
    group_key TEXT NOT NULL,       -- bubbles with one group_key stay together: reply:<guid>, else the key
    answers_id INTEGER,            -- inbound_id of the message a reply answers
    position INTEGER NOT NULL,     -- order of the groups within the thread
    bubble_index INTEGER NOT NULL, -- order within the group
    text TEXT NOT NULL,
    bubble_type TEXT NOT NULL CHECK (bubble_type IN ('reflex', 'burst', 'normal')),
    immediate INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL CHECK (state IN (
      'held', 'queued', 'sending', 'accepted', 'confirmed', 'delivered', 'failed', 'unknown', 'superseded')),
    waits_for INTEGER,             -- held: the reflex whose outcome decides over this bubble
    reflex_command_id TEXT UNIQUE, -- the reflex command this answer bubble is the same as; a reflex cancels one only
    command_id TEXT,               -- the command whose ack tells this send's outcome
    not_before_at INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    address_form INTEGER NOT NULL DEFAULT 0,
    watermark_rowid INTEGER,       -- MAX(ROWID) of chat.db before osascript started: receipts lie past it
    watermark_epoch INTEGER,
    sending_at INTEGER,
    accepted_at INTEGER,
    confirmed_at INTEGER,
    delivered_at INTEGER,
    finished_at INTEGER,           -- when the state became final: confirmed, failed, unknown or superseded
    receipt_guid TEXT UNIQUE,      -- the chat.db row that proves the send; each row is claimed once
    receipt_rowid INTEGER,
    error_code TEXT,
    error_detail TEXT,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX sends_open ON sends (thread_id, position, bubble_index)
    WHERE state IN ('held', 'queued', 'sending', 'accepted');
  CREATE INDEX sends_waiting ON sends (waits_for) WHERE state = 'held';
  CREATE INDEX sends_in_flight ON sends (state) WHERE state IN ('sending', 'accepted');
  CREATE INDEX sends_undelivered ON sends (confirmed_at) WHERE state = 'confirmed';
  CREATE INDEX sends_group ON sends (group_key);
  CREATE INDEX sends_finished ON sends (finished_at);
  CREATE INDEX sends_with_text ON sends (finished_at) WHERE text <> '';
  CREATE INDEX sends_recent ON sends (thread_id, created_at);

  CREATE TABLE commands (
    command_seq INTEGER PRIMARY KEY AUTOINCREMENT,
    command_id TEXT NOT NULL UNIQUE,
    command_type TEXT NOT NULL,
    payload TEXT NOT NULL,         -- JSON; '{}' after retention
    channel TEXT NOT NULL CHECK (channel IN ('websocket', 'sync', 'response')),
    state TEXT NOT NULL CHECK (state IN ('received', 'completed', 'failed')),
    send_id INTEGER,               -- the send whose outcome is this command's
    issued_at INTEGER,             -- the backend's timestamp
    received_at INTEGER NOT NULL,
    finished_at INTEGER
  ) STRICT;
  CREATE INDEX commands_by_send ON commands (send_id) WHERE send_id IS NOT NULL;
  CREATE INDEX commands_open ON commands (command_seq) WHERE state = 'received';
  CREATE INDEX commands_with_payload ON commands (finished_at) WHERE payload <> '{}';

  CREATE TABLE acks (
    ack_id INTEGER PRIMARY KEY AUTOINCREMENT,
    command_id TEXT NOT NULL,
    body TEXT NOT NULL,            -- command_ack.data as JSON
    created_at INTEGER NOT NULL,
    handed_over_at INTEGER         -- when the backend was proven to have it
  ) STRICT;
  CREATE INDEX acks_waiting ON acks (ack_id) WHERE handed_over_at IS NULL;
  CREATE INDEX acks_by_command ON acks (command_id, ack_id);

  CREATE TABLE schedules (
    schedule_id TEXT PRIMARY KEY,  -- the command_id of the schedule_message
    thread_id TEXT NOT NULL,
    text TEXT NOT NULL,
    send_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'fired', 'cancelled')),
    created_at INTEGER NOT NULL,
    finished_at INTEGER
  ) STRICT;
  CREATE INDEX schedules_due ON schedules (send_at) WHERE state = 'pending';

  CREATE TABLE events (
    event_seq INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE, -- derived from what happened, so that one thing is told once
    event_type TEXT NOT NULL,
    thread_id TEXT,
    details TEXT NOT NULL,         -- JSON
    created_at INTEGER NOT NULL,
    acked_at INTEGER
  ) STRICT;
  CREATE INDEX events_waiting ON events (event_seq) WHERE acked_at IS NULL;

  CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE epochs ADD COLUMN burst_base_at INTEGER; -- newest message date before the rows that come together now
  ALTER TABLE epochs ADD COLUMN burst_at INTEGER;      -- when the latest of them was taken in
  ALTER TABLE epochs ADD COLUMN burst_since_at INTEGER; -- when the first was
  ALTER TABLE epochs ADD COLUMN burst_behind INTEGER NOT NULL DEFAULT 0; -- how many of them are dated long before the base

  ALTER TABLE inbound ADD COLUMN message_at INTEGER;   -- when it was written; backfill is handed over in this order
  ALTER TABLE inbound ADD COLUMN fingerprint TEXT;     -- of sender, date and text: knows a message under another guid
  ALTER TABLE inbound ADD COLUMN skipped TEXT;         -- why a row that is done was not handed over; NULL when it was
  ALTER TABLE inbound ADD COLUMN undecided INTEGER NOT NULL DEFAULT 0; -- parked: live or backfill, which its company says
  CREATE INDEX inbound_parked ON inbound (inbound_id) WHERE state = 'parked';
  CREATE INDEX inbound_undecided ON inbound (inbound_id) WHERE undecided = 1;
  CREATE INDEX inbound_fingerprint ON inbound (fingerprint) WHERE fingerprint IS NOT NULL;
  DROP INDEX inbound_open;
  CREATE INDEX inbound_open ON inbound (thread_id, inbound_id) WHERE state IN ('parked', 'pending') AND backfill = 0;
  CREATE INDEX inbound_backfill ON inbound (thread_id, message_at, inbound_id)
    WHERE state IN ('parked', 'pending') AND backfill = 1;

  ALTER TABLE sends ADD COLUMN read_at INTEGER;
  ALTER TABLE sends ADD COLUMN echo_guid TEXT;         -- the row in which a conversation with oneself gave it back
  CREATE UNIQUE INDEX sends_echo ON sends (echo_guid) WHERE echo_guid IS NOT NULL;
  DROP INDEX sends_undelivered;
  CREATE INDEX sends_unread ON sends (confirmed_at) WHERE read_at IS NULL AND receipt_rowid IS NOT NULL;

  ALTER TABLE events ADD COLUMN about_guid TEXT;       -- an event is told when this message is no longer on its way
  CREATE INDEX events_acked ON events (acked_at) WHERE acked_at IS NOT NULL;
  CREATE INDEX events_with_details ON events (acked_at) WHERE acked_at IS NOT NULL AND details <> '{}';

  -- Threads in which answers come faster than people write: no automatic answer until the time given.
  CREATE TABLE muted_threads (
    thread_id TEXT PRIMARY KEY,
    until_at INTEGER NOT NULL,
    since_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- A text in several bubbles, or a file and its caption: all but the first name the first.
  ALTER TABLE sends ADD COLUMN part_of INTEGER;
  ALTER TABLE sends ADD COLUMN file_id INTEGER;        -- the bubble is this outgoing file; its text is ''
  ALTER TABLE sends ADD COLUMN opens_thread INTEGER NOT NULL DEFAULT 0; -- chat.db had no such chat when it was begun
  ALTER TABLE sends ADD COLUMN sms_fallback INTEGER NOT NULL DEFAULT 0; -- refused as iMessage, so it goes by SMS, once
  ALTER TABLE sends ADD COLUMN schedule_id TEXT;       -- the schedule that fired it
  CREATE INDEX sends_parts ON sends (part_of) WHERE part_of IS NOT NULL;
  CREATE INDEX sends_of_file ON sends (file_id) WHERE file_id IS NOT NULL;
  CREATE INDEX sends_started ON sends (sending_at) WHERE sending_at IS NOT NULL;
  CREATE INDEX sends_opening ON sends (sending_at) WHERE opens_thread = 1;
  CREATE INDEX sends_not_known ON sends (finished_at) WHERE state = 'unknown';
  CREATE INDEX sends_immediate ON sends (thread_id)
    WHERE immediate = 1 AND state IN ('held', 'queued', 'sending', 'accepted');
  DROP INDEX sends_group;
  CREATE INDEX sends_group ON sends (group_key, bubble_index);

  -- Rows of chat.db that belong to a send without proving it: no other send may take them for its receipt.
  CREATE TABLE spent_rows (
    guid TEXT PRIMARY KEY,
    send_id INTEGER NOT NULL,
    why TEXT NOT NULL CHECK (why IN ('refused', 'ghost', 'twice')),
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX spent_rows_age ON spent_rows (created_at);
  CREATE INDEX spent_rows_of_send ON spent_rows (send_id);

  CREATE TABLE outgoing_files (
    file_id INTEGER PRIMARY KEY AUTOINCREMENT,
    command_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    mime_type TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('wanted', 'staged', 'failed', 'removed')),
    path TEXT,                     -- where it is staged
    size_bytes INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER,
    error_code TEXT,
    error_detail TEXT,
    created_at INTEGER NOT NULL,
    staged_at INTEGER,
    finished_at INTEGER,           -- failed or removed
    url TEXT,                      -- where it is fetched, or
    data BLOB                      -- the bytes that came with the command; NULL once they are staged. The last column:
                                   -- whatever stands behind them is read past all of them
  ) STRICT;
  CREATE INDEX outgoing_files_wanted ON outgoing_files (file_id) WHERE state = 'wanted';
  CREATE INDEX outgoing_files_staged ON outgoing_files (staged_at) WHERE state = 'staged';
  CREATE INDEX outgoing_files_finished ON outgoing_files (finished_at) WHERE finished_at IS NOT NULL;

  CREATE TABLE uploads (
    upload_id INTEGER PRIMARY KEY AUTOINCREMENT,
    attachment_guid TEXT NOT NULL UNIQUE,
    message_guid TEXT NOT NULL,
    thread_id TEXT NOT NULL,
    path TEXT,                     -- as chat.db has it
    name TEXT NOT NULL,
    mime_type TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    backfill INTEGER NOT NULL,     -- goes after what is live
    state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'failed')),
    message_waits_until_at INTEGER, -- its message is held back for it until then; NULL: not at all
    command_id TEXT,               -- the latest upload_retry that waits for the outcome
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER NOT NULL,
    error_code TEXT,
    error_detail TEXT,
    created_at INTEGER NOT NULL,
    finished_at INTEGER
  ) STRICT;
  CREATE INDEX uploads_waiting ON uploads (backfill, next_attempt_at, upload_id) WHERE state = 'waiting';
  CREATE INDEX uploads_of_message ON uploads (message_guid) WHERE state = 'waiting';
  CREATE INDEX uploads_failed ON uploads (upload_id) WHERE state = 'failed';
  CREATE INDEX uploads_finished ON uploads (finished_at) WHERE finished_at IS NOT NULL;

  -- As before, with 'expired' and recurrence: SQLite cannot change a CHECK.
  CREATE TABLE schedules_with_recurrence (
    schedule_id TEXT PRIMARY KEY,  -- the command_id of the schedule_message
    thread_id TEXT NOT NULL,
    text TEXT NOT NULL,
    send_at INTEGER NOT NULL,      -- when it is due, or the next occurrence is
    state TEXT NOT NULL CHECK (state IN ('pending', 'fired', 'cancelled', 'expired')),
    rrule TEXT,                    -- RFC 5545 RRULE without DTSTART; NULL: once
    time_zone TEXT,                -- IANA name in which the rule counts
    first_at INTEGER NOT NULL,     -- the send_at it came with: DTSTART of the rule
    occurrences INTEGER NOT NULL DEFAULT 0, -- no more to come: fired or passed over
    created_at INTEGER NOT NULL,
    finished_at INTEGER
  ) STRICT;
  INSERT INTO schedules_with_recurrence (schedule_id, thread_id, text, send_at, state, first_at, created_at, finished_at)
    SELECT schedule_id, thread_id, text, send_at, state, send_at, created_at, finished_at FROM schedules;
  DROP TABLE schedules;
  ALTER TABLE schedules_with_recurrence RENAME TO schedules;
  CREATE INDEX schedules_due ON schedules (send_at) WHERE state = 'pending';
  CREATE INDEX schedules_finished ON schedules (finished_at) WHERE finished_at IS NOT NULL;
  CREATE INDEX schedules_with_text ON schedules (finished_at) WHERE finished_at IS NOT NULL AND text <> '';
  `,
];

export const SCHEMA_VERSION = MIGRATIONS.length;
