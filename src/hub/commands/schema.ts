import { chmodSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';

/** Longest a statement waits for another connection, ms. The wait blocks the event loop, so it is short. */
const BUSY_MS = 50;
/**
 * The schema of the hub's database, one entry a version, as in the agent's. Times are integer ms since 1970 in columns
 * named `_at`.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE edge_agents (
    agent_id TEXT PRIMARY KEY,
    first_seen_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    last_command_id TEXT,
    status TEXT NOT NULL DEFAULT '{}'
  ) STRICT;

  CREATE TABLE edge_commands (
    command_seq INTEGER PRIMARY KEY AUTOINCREMENT,
    command_id TEXT NOT NULL UNIQUE,
    agent_id TEXT NOT NULL,
    command_type TEXT NOT NULL,
    payload TEXT NOT NULL,
    priority TEXT NOT NULL CHECK (priority IN ('normal', 'immediate')),
    state TEXT NOT NULL CHECK (state IN ('queued', 'delivered', 'received', 'completed', 'failed', 'superseded')),
    reflex_for TEXT,               -- message_guid whose reflex this is: by socket only, never polled
    channel TEXT,                  -- how it was delivered last: websocket, sync, response
    deliveries INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    created_at INTEGER NOT NULL,
    delivered_at INTEGER,
    finished_at INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX edge_commands_reflex ON edge_commands (agent_id, reflex_for) WHERE reflex_for IS NOT NULL;
  CREATE INDEX edge_commands_open ON edge_commands (agent_id, command_seq) WHERE state IN ('queued', 'delivered');
  CREATE INDEX edge_commands_old ON edge_commands (created_at);

  CREATE TABLE edge_acks (
    command_id TEXT NOT NULL,
    status TEXT NOT NULL,
    body TEXT NOT NULL,
    times INTEGER NOT NULL DEFAULT 1,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (command_id, status)
  ) STRICT;

  CREATE TABLE edge_messages (
    message_seq INTEGER PRIMARY KEY AUTOINCREMENT,
    agent_id TEXT NOT NULL,
    message_guid TEXT NOT NULL,    -- the idempotency key
    thread_id TEXT NOT NULL,
    sender TEXT NOT NULL,
    backfill INTEGER NOT NULL,
    body TEXT NOT NULL,
    answer TEXT,                   -- the answer as written to the wire; NULL while it is being worked out
    received_at INTEGER NOT NULL,
    answered_at INTEGER,
    UNIQUE (agent_id, message_guid)
  ) STRICT;
  CREATE INDEX edge_messages_old ON edge_messages (received_at);

  CREATE TABLE edge_events (
    event_seq INTEGER PRIMARY KEY AUTOINCREMENT,
    agent_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    thread_id TEXT,
    details TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    UNIQUE (agent_id, event_id)
  ) STRICT;
  CREATE INDEX edge_events_old ON edge_events (received_at);
`,
  `
  CREATE TABLE edge_uploads (
    upload_seq INTEGER PRIMARY KEY AUTOINCREMENT,
    agent_id TEXT NOT NULL,
    attachment_guid TEXT NOT NULL, -- the idempotency key
    message_guid TEXT NOT NULL,
    thread_id TEXT NOT NULL,
    name TEXT NOT NULL,            -- as the agent has it; the file on disk is called otherwise
    mime_type TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    file TEXT NOT NULL,            -- in the folder of uploads
    received_at INTEGER NOT NULL,
    UNIQUE (attachment_guid, agent_id)
  ) STRICT;
  CREATE INDEX edge_uploads_of_agent ON edge_uploads (agent_id, upload_seq);
`,
];
const SCHEMA_VERSION = MIGRATIONS.length;

/** Opens or creates the hub's database, mode 0600. @throws Error when it cannot be opened or a newer hub wrote it */
export function openHubDatabase(path: string): Database.Database {
  mkdirSync(dirname(path), { recursive: true });
  const db = new Database(path, { timeout: BUSY_MS });
  try {
    chmodSync(path, 0o600);
    db.pragma('journal_mode = WAL');
    // A connection that opens an existing WAL database gets NORMAL, which may lose commits at power loss.
    db.pragma('synchronous = FULL');
    if (process.platform === 'darwin') {
      db.pragma('fullfsync = ON');
      db.pragma('checkpoint_fullfsync = ON');
    }
    const version = db.pragma('user_version', { simple: true }) as number;
    if (version > SCHEMA_VERSION) throw new Error(`${path} was written by a newer edge-hub (schema ${version})`);
    if (version < SCHEMA_VERSION) {
      db.transaction(() => {
        for (const migration of MIGRATIONS.slice(version)) db.exec(migration);
        db.pragma(`user_version = ${SCHEMA_VERSION}`);
      }).immediate();
    }
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
