import { define, type ErrorEntry } from './ErrorEntry.ts';
import { LINK_ERRORS } from './linkErrors.ts';

export type { Retry } from './ErrorEntry.ts';

/** Every code the programs use. docs/ERRORS.md says the same in prose; a test compares the two both ways. */
export const ERRORS = define({
  // Starting
  EDGE_NODE_TOO_OLD: {
    means: 'The Node that runs the program is older than 22.18, and the SQLite module would crash on it.',
    fix: 'Install Node 22.18 or newer, or start through the npm scripts, which bring one.',
    retry: 'never',
  },
  EDGE_SQLITE_MISSING: {
    means: 'The SQLite module has no binary for this machine and this Node; nothing was started.',
    fix: 'Where the agent is installed run `edge-agent service upgrade`, which copies what is missing; where that says the same, and in a checkout, run `npm ci` there first, on the machine and with the Node that run it. No compiler is needed.',
    retry: 'never',
    condition: 'sqlite-missing',
  },
  EDGE_CONFIG_INVALID: {
    means: 'The configuration file has problems and is not used; an agent that runs goes on with what it read before.',
    fix: 'Correct each place named as file:line:column; `edge-agent check-config` tests the file.',
    retry: 'never',
    condition: 'config-invalid',
  },
  EDGE_SECRET_MISSING: {
    means: 'No secret was found, and without one the backend refuses every request.',
    fix: 'Set EDGE_SECRET, or edge.secret_file to a file of mode 0600, or edge.secret_keychain_service to a Keychain item.',
    retry: 'backoff',
    condition: 'secret-missing',
  },
  EDGE_SECRET_FILE_MODE: {
    means: 'The secret file can be read by others, so the secret in it is not used.',
    fix: 'chmod 600 the file named in the message.',
    retry: 'backoff',
    condition: 'secret-file-mode',
  },
  EDGE_ALREADY_RUNNING: {
    means: 'Another agent holds the lock of this state directory; two would send everything twice.',
    fix: 'Use the one that runs (`edge-agent status`), or give the second its own state.dir.',
    retry: 'never',
  },
  EDGE_NOT_RUNNING: {
    means: 'No agent answers on the control socket of this state directory.',
    fix: 'Start it with `edge-agent service start`, then run the command again; `edge-agent status` says why it does not run.',
    retry: 'backoff',
  },
  EDGE_NOT_ANSWERING: {
    means:
      'The agent of this state directory runs and does not answer: it is stopped, or waits for a disk that does not answer.',
    fix: 'Look at the disk of state.dir. If it stays so, `edge-agent diagnose`, then `edge-agent service restart`: launchd kills after 20 s what has not ended, and nothing is lost.',
    retry: 'backoff',
    condition: 'not-answering',
  },
  EDGE_MONITORING_PORT: {
    means: 'The port for /health and /metrics cannot be opened; the agent runs without them.',
    fix: 'Give monitoring.port a free port, or end the program that uses it, then start the agent again.',
    retry: 'never',
    condition: 'monitoring-port',
  },
  EDGE_KEEP_AWAKE: {
    means: 'caffeinate cannot be kept running, so this Mac may fall asleep; messages then wait until it wakes.',
    fix: 'Run `caffeinate -i -m -s` in Terminal to see what it says; until then `sudo pmset -a sleep 0` keeps the Mac awake. Or set power.keep_awake to false.',
    retry: 'backoff',
    condition: 'keep-awake',
  },
  EDGE_PROGRAM_MISSING: {
    means: 'A program of macOS that is needed is not on PATH, or may not be run.',
    fix: 'Run this on macOS, with /usr/bin, /bin, /usr/sbin and /sbin on PATH.',
    retry: 'never',
  },
  EDGE_LAUNCHD: {
    means: 'launchd did not do what was asked of it, so the agent may not run as it should.',
    fix: 'Run `edge-agent service install` where something is not installed: it puts in place what is missing. Else log in to the Mac’s screen as the user of the agent, then run the command again.',
    retry: 'never',
  },
  EDGE_KEYCHAIN: {
    means: 'The Keychain did not do what was asked of it; without the secret the backend refuses every request.',
    fix: 'Unlock it with `security unlock-keychain`, or do it at the Mac’s screen; then run the command again.',
    retry: 'never',
  },
  EDGE_NODE_COPY: {
    means: 'The private copy of Node could not be made, and the one that was there before, if any, is still in place.',
    fix: 'Read the reason in the message; install Node from https://nodejs.org and name it with `edge-agent service install --node FILE`.',
    retry: 'never',
  },
  EDGE_NODE_CHANGED: {
    means:
      'The program file that runs the agent is not the one that was installed; Full Disk Access and Automation may be lost, for macOS gives them to one file.',
    fix: 'Run `edge-agent service restart`; if it stays, run `edge-agent service install --new-node`. Then remove the file in System Settings → Privacy & Security → Full Disk Access and Automation, and add it again: switching it off and on is not enough.',
    retry: 'never',
    condition: 'node-changed',
  },
  EDGE_CRASH_LOOP: {
    means:
      'The agent failed five times in a row or more, each within a minute of its start; its next start is held back for 30 s, then 2, 5 and 15 min.',
    fix: 'Mend what the last code says, then `edge-agent service restart`, which starts it at once. It stands until the agent has been up for ten minutes.',
    retry: 'backoff',
    condition: 'crash-loop',
  },
  // State store
  EDGE_STATE_FULL: {
    means: 'The disk is full; nothing new is taken in until there is room, and nothing is lost.',
    fix: 'Free space on the volume of state.dir.',
    retry: 'backoff',
    condition: 'disk-full',
  },
  EDGE_STATE_BUSY: {
    means: 'Another process holds state.db for longer than a write may wait; it is tried again.',
    fix: 'Nothing, unless it lasts: then find the program that has state.db open (`lsof` of the file names it), and end it.',
    retry: 'backoff',
  },
  EDGE_STATE_IO: {
    means: 'The disk refused a write to state.db; going on would promise what is not stored, so the agent stops.',
    fix: 'Check the disk; the agent is started again by launchd and goes on where it was.',
    retry: 'never',
  },
  EDGE_STATE_CORRUPT: {
    means: 'state.db is damaged; a start of the agent sets it aside as .corrupt-TIME and begins a new one.',
    fix: 'Restart the agent where it has not been set aside yet, and keep that file. Schedules that were in it are gone: give the commands for them again under new ids.',
    retry: 'never',
  },
  EDGE_STATE_BEHIND: {
    means: 'state.db knows nothing of bubbles that were begun: it is an older copy, or lost its end.',
    fix: 'Nothing for bubbles: what chat.db shows is not sent again. Look through `edge-agent schedule list` for what was ordered or cancelled since.',
    retry: 'never',
  },
  EDGE_STATE_NEWER: {
    means: 'state.db was written by a newer version of edge-agent; this one does not touch it.',
    fix: 'Install the newer version again. Do not give this one another state.dir: it would know nothing of what was sent, waits or is scheduled.',
    retry: 'never',
    condition: 'state-newer',
  },
  EDGE_STATE_OLDER: {
    means: 'state.db was written by an older version of edge-agent, and only a start of this one brings it up to date.',
    fix: 'Start the agent, or restart it when one of the older version still runs; then run the command again.',
    retry: 'never',
  },
  EDGE_STATE_DIR: {
    means: 'The state directory cannot be written.',
    fix: 'Give the directory in state.dir to the user who runs edge-agent, with mode 0700.',
    retry: 'backoff',
  },
  EDGE_STATE_DIR_MODE: {
    means: 'The state directory can be written by others, who could put another state.db in the place of this one.',
    fix: 'chmod 700 the directory in state.dir.',
    retry: 'never',
  },
  // chat.db
  EDGE_CHATDB_MISSING: {
    means: 'There is no chat.db at imessage.db_path, so no message can be seen.',
    fix: 'Sign in to Messages once on this Mac, or correct imessage.db_path. The agent waits for the file.',
    retry: 'backoff',
    condition: 'chatdb-missing',
  },
  EDGE_CHATDB_NO_PERMISSION: {
    means: 'macOS refuses to let this program read chat.db, so no message can be seen.',
    fix: 'System Settings → Privacy & Security → Full Disk Access: add the Node that runs edge-agent, where it is installed `~/Library/Application Support/edge-agent/runtime/bin/edge-agent-node`; an entry of it that is there already, take out first. It is noticed without a restart.',
    retry: 'backoff',
    condition: 'full-disk-access-denied',
  },
  EDGE_CHATDB_CORRUPT: {
    means: 'SQLite calls chat.db damaged or not a database; messages cannot be read, commands go on.',
    fix: 'Quit and reopen Messages; if it stays, repair it: quit Messages, put chat.db, chat.db-wal and chat.db-shm of one backup in their place or only move them away, and restart the Mac.',
    retry: 'backoff',
    condition: 'chatdb-corrupt',
  },
  EDGE_CHATDB_SCHEMA: {
    means: 'chat.db lacks a table or column that reading messages needs.',
    fix: 'Update edge-agent; report the macOS version and the names in the message.',
    retry: 'backoff',
    condition: 'chatdb-schema',
  },
  EDGE_CHATDB_BUSY: {
    means: 'Another process holds chat.db for longer than one look may wait; it is tried again at once.',
    fix: 'Nothing, unless it lasts: then find the program that keeps the database locked: `lsof ~/Library/Messages/chat.db` names it.',
    retry: 'backoff',
  },
  EDGE_CHATDB_READ: {
    means: 'A read of chat.db failed for a reason that has no code of its own.',
    fix: 'Read the cause in the message; the agent reopens the database and goes on.',
    retry: 'backoff',
  },
  EDGE_BODY_UNDECODABLE: {
    means: 'An attributedBody could not be decoded; the message is delivered with the text column or none.',
    fix: 'Report what `edge-agent decode --json FILE` says of the body; docs/ERRORS.md says how to take it out of chat.db.',
    retry: 'never',
  },
  EDGE_ROW_INCOMPLETE: {
    means:
      'A row of chat.db stayed without its chat, sender, body or files for too long; what is known was handed over.',
    fix: 'Nothing; if it happens often, report it with the macOS version.',
    retry: 'never',
  },
  ...LINK_ERRORS,
  // Commands
  EDGE_FRAME_INVALID: {
    means: 'A frame or command from the backend is not what the protocol says; it was ignored or refused.',
    fix: 'Read the field named in the log line and mend the backend.',
    retry: 'never',
  },
  EDGE_COMMAND_INVALID: {
    means: 'A command’s payload lacks or misuses a field; it was answered with a failed ack that names it.',
    fix: 'Correct the field at the backend and send it under a new command_id.',
    retry: 'never',
  },
  EDGE_COMMANDS_FULL: {
    means: 'Too many commands wait; no more are taken until there is room, and the backend keeps the others.',
    fix: 'Send fewer at once; AppleScript sends about one bubble a second.',
    retry: 'backoff',
  },
  // Sending
  EDGE_SEND_NOT_PERMITTED: {
    means: 'macOS does not let this program control Messages (-1743), so nothing can be sent.',
    fix: 'System Settings → Privacy & Security → Automation: switch Messages on below the Node that runs edge-agent (edge-agent-node, where it is installed). If it is not listed: `tccutil reset AppleEvents`, and allow it on the screen at the next bubble.',
    retry: 'backoff',
    condition: 'automation-denied',
  },
  EDGE_SEND_NO_SUCH_CHAT: {
    means: 'Messages knows no such chat or person (-1728); the bubble was not sent.',
    fix: 'Check the thread_id; write to the person once from Messages on this Mac.',
    retry: 'never',
  },
  EDGE_SEND_MESSAGES_DOWN: {
    means: 'Messages is not running (-600), so the bubble could not be handed over; Messages is started.',
    fix: 'Nothing, unless it lasts: then open Messages on the Mac’s screen. The bubble waits.',
    retry: 'backoff',
    condition: 'messages-not-running',
  },
  EDGE_SEND_NO_ACCOUNT: {
    means: 'Messages has no account for the service asked for (-1719 or -2753); without iMessage nothing is sent.',
    fix: 'Sign in to iMessage, or set up text message forwarding for SMS.',
    retry: 'backoff',
    condition: 'no-account',
  },
  EDGE_SEND_TIMEOUT: {
    means: 'osascript did not end in time and was killed; whether the bubble went out is decided by chat.db.',
    fix: 'Nothing, unless it repeats: then look for a dialog on the Mac’s screen.',
    retry: 'unknown-outcome',
  },
  EDGE_SEND_SCRIPT: {
    means: 'osascript ended with an error that has no entry of its own; the outcome is decided by chat.db.',
    fix: 'Read the error in the message.',
    retry: 'unknown-outcome',
  },
  EDGE_SEND_SPAWN: {
    means:
      'osascript could not be started (missing, not executable, or no process or descriptor left), or found no AppleScript.',
    fix: 'Check sending.osascript_path and the limits of the user; after an update of macOS restart the Mac.',
    retry: 'backoff',
    condition: 'osascript-unusable',
  },
  EDGE_SEND_REFUSED: {
    means: 'Messages wrote the bubble but marks it failed (message.error is not 0).',
    fix: 'See the number in the message, which says what to do; docs/SENDING.md has them all.',
    retry: 'never',
  },
  EDGE_SEND_UNCONFIRMED: {
    means:
      'No row in chat.db proves the bubble after the settle time and one more attempt (none where chat.db was replaced meanwhile, or on_missing_receipt is report); it may have gone out.',
    fix: 'Look at the thread in Messages. A row that comes within a day corrects the outcome by itself.',
    retry: 'unknown-outcome',
  },
  EDGE_SEND_TEXT: {
    means: 'The text cannot be sent: it is empty or blank after removing NUL, or longer than the limit.',
    fix: 'Send a text of 1 to 200,000 characters, with something to see in it.',
    retry: 'never',
  },
  EDGE_SEND_GHOST: {
    means:
      'Messages took a bubble, wrote an empty row that belongs to no chat, and nobody got anything (macOS 26 does so for some chat ids).',
    fix: 'Nothing: another form of address is tried. If a thread fails with it, write to it once from Messages on this Mac.',
    retry: 'now',
  },
  EDGE_SEND_TWICE: {
    means: 'A receipt that came after the settle time shows that the bubble went out twice.',
    fix: 'Raise sending.settle_seconds, or set sending.on_missing_receipt to report.',
    retry: 'never',
  },
  EDGE_SEND_RATE: {
    means: 'More bubbles are wanted than sending.rate allows; they wait, in order, and none is dropped.',
    fix: 'Nothing, unless it lasts: then see who sends so much, or raise the limit named in the line.',
    retry: 'backoff',
    condition: 'rate-limited',
  },
  EDGE_SEND_NEW_THREAD: {
    means: 'Nobody has written in this thread yet, and sending.allow_new_threads is false; the bubble was not sent.',
    fix: 'Let the person write first, or set sending.allow_new_threads to true.',
    retry: 'never',
  },
  EDGE_SEND_PART: {
    means: 'An earlier part of the same text or file was not sent, so this part was not sent either.',
    fix: 'See the error of the part before it.',
    retry: 'never',
  },
  EDGE_FILE_FETCH: {
    means: 'The file of a send_attachment cannot be fetched now; it is tried again for some time.',
    fix: 'Check the URL from this Mac: name, certificate, status.',
    retry: 'backoff',
  },
  EDGE_FILE_REFUSED: {
    means:
      'The file of a send_attachment is not sent: its URL, address, size or type is not allowed, or its server refuses it.',
    fix: 'Read the reason in the ack; docs/ATTACHMENTS.md has the rules.',
    retry: 'never',
  },
  EDGE_FILE_STAGE: {
    means: 'A file cannot be written where Messages could read it.',
    fix: 'Give attachments.staging_dir to the user who runs edge-agent, and free space on its volume.',
    retry: 'backoff',
  },
  EDGE_UPLOAD_RETRIED: {
    means:
      'A file could not be uploaded now; it is tried again without end, and its message goes without it after attachments.upload_wait_seconds.',
    fix: 'Check that the backend serves attachments.upload_path.',
    retry: 'backoff',
  },
  EDGE_UPLOAD_FAILED: {
    means:
      'A file will not be uploaded: it is gone, too large, outside the folder of attachments, or the backend refuses it.',
    fix: 'Read the reason in the line; mend it, then send upload_retry with the attachment’s guid.',
    retry: 'never',
  },
  EDGE_SCHEDULE_EXPIRED: {
    means:
      'A scheduled message was due while nothing could be sent, and is older than scheduler.max_late_seconds; it was not sent.',
    fix: 'Send it again if it still matters; keep the Mac awake.',
    retry: 'never',
  },
  EDGE_MESSAGES_HUNG: {
    means: 'Messages does not answer a simple question, so nothing can be sent.',
    fix: 'Nothing at first: it is quit and reopened if watchdog.restart_messages is true. If it stays, log in to the Mac and look for a dialog.',
    retry: 'backoff',
    condition: 'messages-hung',
  },
  EDGE_MESSAGES_RESTARTED: {
    means: 'Messages did not answer, and was quit and reopened.',
    fix: 'Nothing, unless it repeats: then restart the Mac.',
    retry: 'never',
  },
  EDGE_INBOUND_SILENT: {
    means: 'No message has come for longer than watchdog.silence_hours; watchdog.wake_handle was written to.',
    fix: 'Check that this Mac is online and signed in to Messages.',
    retry: 'never',
  },
  EDGE_ANSWER_LOOP: {
    means:
      'Two programs seem to answer each other: a thread got more automatic answers than relay.loop_guard_answers allows, and gets none for a while.',
    fix: 'Look at the thread and stop one of the two; for a thread that people keep so busy raise relay.loop_guard_answers. It ends by itself.',
    retry: 'never',
  },
  // The program itself
  EDGE_INTERNAL: {
    means: 'A defect in edge-agent: something happened that the code holds impossible.',
    fix: 'Report the log around this line.',
    retry: 'never',
  },
});

export type ErrorCode = keyof typeof ERRORS;

/** What health and `status` call a condition. */
export function conditionName(code: ErrorCode): string {
  const entry: ErrorEntry = ERRORS[code];
  return entry.condition ?? code.slice('EDGE_'.length).toLowerCase().replaceAll('_', '-');
}
