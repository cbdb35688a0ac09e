import { conditionName, type ERRORS, type ErrorCode } from './errors.ts';
import { NETWORK_CODES } from './networkCodes.ts';

/**
 * `critical`: a part of the job is not done, messages do not come in or bubbles do not go out. `warning`: all is done,
 * but later, with less, or at a risk.
 */
export type Severity = 'warning' | 'critical';

export interface ConditionEntry {
  /** What stands, in a few words. */
  readonly title: string;
  readonly severity: Severity;
  /**
   * Causes: while one of them stands this one is hidden, because it follows from it and mends itself with it. A cause is
   * as severe as what it hides, and nothing is its own cause, or trouble could be hidden altogether.
   */
  readonly dependsOn: readonly ErrorCode[];
  /** What is over sooner is not shown. */
  readonly visibleAfterSeconds: number;
}

/** Codes that have a name as conditions in the catalogue. */
type Named = { [K in ErrorCode]: (typeof ERRORS)[K] extends { condition: string } ? K : never }[ErrorCode];

/** Longer than the first two tries again: what a single broken request leaves behind is over by then. */
const SETTLES = 3;

const critical = (title: string, dependsOn: readonly ErrorCode[] = [], visibleAfterSeconds = 0): ConditionEntry => ({
  title,
  severity: 'critical',
  dependsOn,
  visibleAfterSeconds,
});
const warning = (title: string, dependsOn: readonly ErrorCode[] = [], visibleAfterSeconds = 0): ConditionEntry => ({
  ...critical(title, dependsOn, visibleAfterSeconds),
  severity: 'warning',
});

/** The way to the backend is blocked for a reason that says more than that nobody answers. */
const WAY_BLOCKED = NETWORK_CODES.filter((code) => code !== 'EDGE_BACKEND_UNREACHABLE');
const NO_PERMISSION = ['EDGE_CHATDB_NO_PERMISSION', 'EDGE_CHATDB_MISSING'] as const;
const NO_SCRIPTS = ['EDGE_SEND_SPAWN', 'EDGE_SEND_NOT_PERMITTED'] as const;
const NO_MESSAGES = [...NO_SCRIPTS, 'EDGE_MESSAGES_HUNG', 'EDGE_SEND_MESSAGES_DOWN'] as const;

/** Every code that can stand as a condition. docs/HEALTH.md shows the table; a test compares the two both ways. */
export const CONDITIONS: Readonly<Record<Named, ConditionEntry> & Partial<Record<ErrorCode, ConditionEntry>>> = {
  // The program
  EDGE_NODE_TOO_OLD: critical('Node is too old'),
  EDGE_SQLITE_MISSING: critical('The SQLite module is missing'),
  EDGE_CONFIG_INVALID: critical('The configuration is not valid'),
  EDGE_SECRET_MISSING: critical('No secret', ['EDGE_SECRET_FILE_MODE']),
  EDGE_SECRET_FILE_MODE: critical('Others can read the secret file'),
  EDGE_MONITORING_PORT: warning('The monitoring port cannot be opened'),
  EDGE_KEEP_AWAKE: warning('This Mac may fall asleep'),
  EDGE_NODE_CHANGED: warning('Another Node runs the agent'),
  EDGE_NOT_ANSWERING: critical('It does not answer'),
  EDGE_CRASH_LOOP: critical('It fails again and again'),
  EDGE_INTERNAL: critical('A defect'),
  // state.db
  EDGE_STATE_FULL: critical('The disk is full'),
  EDGE_STATE_BUSY: critical('state.db is held by another process', ['EDGE_STATE_FULL', 'EDGE_STATE_IO'], SETTLES),
  EDGE_STATE_IO: critical('The disk refuses writes', ['EDGE_STATE_FULL']),
  EDGE_STATE_NEWER: critical('state.db is of a newer version'),
  EDGE_STATE_DIR: critical('The state directory cannot be written', ['EDGE_STATE_FULL']),
  // chat.db
  EDGE_CHATDB_MISSING: critical('There is no chat.db'),
  EDGE_CHATDB_NO_PERMISSION: critical('No Full Disk Access'),
  EDGE_CHATDB_CORRUPT: critical('chat.db is damaged', NO_PERMISSION),
  EDGE_CHATDB_SCHEMA: critical('chat.db is not as expected', [...NO_PERMISSION, 'EDGE_CHATDB_CORRUPT']),
  EDGE_CHATDB_BUSY: critical('chat.db is held by another process', NO_PERMISSION, SETTLES),
  EDGE_CHATDB_READ: critical('chat.db cannot be read', [...NO_PERMISSION, 'EDGE_CHATDB_CORRUPT'], SETTLES),
  // The way to the backend
  EDGE_BACKEND_DNS: critical('The backend’s name is not found', [], SETTLES),
  EDGE_PROXY_FAILED: critical('The proxy does not connect', ['EDGE_BACKEND_DNS'], SETTLES),
  EDGE_PROXY_AUTH: critical('The proxy wants a password', ['EDGE_BACKEND_DNS']),
  EDGE_CA_FILE: critical('backend.ca_file cannot be used'),
  EDGE_TLS_EXPIRED: critical('The backend’s certificate has expired', ['EDGE_BACKEND_DNS']),
  EDGE_TLS_UNTRUSTED: critical('The backend’s certificate is not trusted', ['EDGE_BACKEND_DNS', 'EDGE_CA_FILE']),
  EDGE_TLS_HOST: critical('The backend’s certificate is for another name', ['EDGE_BACKEND_DNS']),
  EDGE_TLS_PIN: critical('The backend’s key is not the pinned one', ['EDGE_BACKEND_DNS']),
  EDGE_TLS_FAILED: critical('No TLS connection', ['EDGE_BACKEND_DNS'], SETTLES),
  EDGE_BACKEND_UNREACHABLE: critical('The backend cannot be reached', WAY_BLOCKED, SETTLES),
  EDGE_BACKEND_INSECURE: warning('The connection is not encrypted'),
  // The backend's answers
  EDGE_BACKEND_AUTH: critical('The backend refuses the secret', [
    ...NETWORK_CODES,
    'EDGE_SECRET_MISSING',
    'EDGE_SECRET_FILE_MODE',
  ]),
  EDGE_BACKEND_BUSY: critical('The backend is busy', NETWORK_CODES, SETTLES),
  EDGE_BACKEND_NOT_FOUND: critical('The backend lacks an endpoint', NETWORK_CODES, SETTLES),
  EDGE_BACKEND_REDIRECT: critical('The backend redirects', NETWORK_CODES),
  EDGE_BACKEND_TOO_LARGE: warning('The backend sends frames that are too large', NETWORK_CODES),
  EDGE_UPLOAD_RETRIED: warning(
    'Files cannot be uploaded',
    [
      ...NETWORK_CODES,
      'EDGE_SECRET_MISSING',
      'EDGE_SECRET_FILE_MODE',
      'EDGE_BACKEND_AUTH',
      'EDGE_BACKEND_BUSY',
      'EDGE_BACKEND_REDIRECT',
    ],
    SETTLES,
  ),
  // Sending
  EDGE_SEND_SPAWN: critical('osascript cannot be run'),
  EDGE_SEND_NOT_PERMITTED: critical('Messages may not be controlled', ['EDGE_SEND_SPAWN']),
  EDGE_MESSAGES_HUNG: critical('Messages hangs', NO_SCRIPTS),
  EDGE_SEND_MESSAGES_DOWN: critical('Messages is not running', [...NO_SCRIPTS, 'EDGE_MESSAGES_HUNG'], SETTLES),
  EDGE_SEND_NO_ACCOUNT: critical('Messages has no account', NO_MESSAGES),
  EDGE_SEND_RATE: warning('More bubbles than sending.rate allows', [...NO_MESSAGES, 'EDGE_SEND_NO_ACCOUNT']),
};

/** Of a code that is not expected to stand what is on the safe side. */
export function conditionOf(code: ErrorCode): ConditionEntry {
  return CONDITIONS[code] ?? critical(sentence(conditionName(code)));
}

function sentence(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1).replaceAll('-', ' ');
}

/** The causes of a condition, and theirs. */
export function causesOf(code: ErrorCode): ReadonlySet<ErrorCode> {
  const causes = new Set<ErrorCode>();
  const add = (of: ErrorCode) => {
    for (const cause of conditionOf(of).dependsOn) {
      if (causes.has(cause)) continue;
      causes.add(cause);
      add(cause);
    }
  };
  add(code);
  return causes;
}
