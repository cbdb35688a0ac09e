import { ERRORS, type ErrorCode } from '../util/errors.ts';
import type { ScriptResult } from './ScriptRunner.ts';

/**
 * What the end of an osascript says about its bubble:
 * `accepted` Messages took it; `next-form` it knows no such chat, person or account: nothing went out, another form may
 * do; `paused` nothing went out and no other bubble would either; `failed` nothing went out and no retry can help;
 * `unknown` it may have gone out: chat.db decides.
 */
export type Verdict =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'next-form' | 'paused' | 'failed' | 'unknown'; readonly code: ErrorCode; readonly detail: string };

/** docs/SENDING.md has this table; a test compares the two. */
export interface ScriptError {
  /** What AppleScript ends its line with, in parentheses; undefined for an osascript that got no further. */
  readonly number: number | undefined;
  /** What it says instead of a number. */
  readonly says?: string;
  readonly means: string;
  /** `next-form`, `pause`: nothing went out. `unknown`: it may have gone out, and chat.db decides. */
  readonly retry: 'next-form' | 'pause' | 'unknown';
  readonly fix: string;
  readonly code: ErrorCode;
}

/** Every other number is `unknown`: the event may have been handled before the error. */
export const SCRIPT_ERRORS: readonly ScriptError[] = [
  {
    number: -1728, // errAENoSuchObject
    means: 'Messages knows no such chat or person by this form of address.',
    retry: 'next-form',
    fix: 'Check the thread_id; write to the person or group once from Messages on this Mac.',
    code: 'EDGE_SEND_NO_SUCH_CHAT',
  },
  {
    number: -1719, // errAEIllegalIndex: `1st account whose …` found none
    means: 'Messages has no account for this service.',
    retry: 'next-form',
    fix: 'Sign in to iMessage in Messages; for SMS and RCS switch on Text Message Forwarding on the iPhone.',
    code: 'EDGE_SEND_NO_ACCOUNT',
  },
  {
    number: -2753, // undefined variable: this macOS does not know the service type
    means: 'This macOS knows no such service.',
    retry: 'next-form',
    fix: 'Sign in to iMessage in Messages; RCS needs a newer macOS.',
    code: 'EDGE_SEND_NO_ACCOUNT',
  },
  {
    number: -1743, // errAEEventNotPermitted
    means: 'macOS does not let this program control Messages.',
    retry: 'pause',
    fix: 'System Settings → Privacy & Security → Automation: switch Messages on below the Node that runs edge-agent (edge-agent-node, where it is installed). If it is not listed: `tccutil reset AppleEvents`, and allow it on the screen at the next bubble.',
    code: 'EDGE_SEND_NOT_PERMITTED',
  },
  {
    number: -1744, // errAEEventWouldRequireUserConsent
    means: 'macOS would have to ask whether this program may control Messages, and could not show its dialog.',
    retry: 'pause',
    fix: 'Log in on the Mac’s screen, answer the dialog, or allow Messages in System Settings → Privacy & Security → Automation.',
    code: 'EDGE_SEND_NOT_PERMITTED',
  },
  {
    number: -600, // procNotFound
    means: 'Messages is not running.',
    retry: 'pause',
    fix: 'Nothing: Messages is started. If it does not stay up, open it on the Mac’s screen.',
    code: 'EDGE_SEND_MESSAGES_DOWN',
  },
  {
    number: -10810, // kLSUnknownErr
    means: 'macOS could not start Messages.',
    retry: 'pause',
    fix: 'Log in on the Mac’s screen and open Messages; if it does not open, restart the Mac.',
    code: 'EDGE_SEND_MESSAGES_DOWN',
  },
  {
    number: undefined,
    says: 'open default scripting component',
    means: 'osascript found no AppleScript, as after an update of macOS or without a login session.',
    retry: 'pause',
    fix: 'Log in on the Mac’s screen; after an update of macOS restart the Mac.',
    code: 'EDGE_SEND_SPAWN',
  },
  {
    number: -2741, // OSASyntaxError
    means: 'osascript could not read the script, because the vocabulary of Messages was not there.',
    retry: 'pause',
    fix: 'Restart the Mac; if it stays, report the macOS version.',
    code: 'EDGE_SEND_SPAWN',
  },
  {
    number: -1712, // errAETimeout
    means: 'Messages did not answer in time.',
    retry: 'unknown',
    fix: 'Nothing, unless it repeats: then look for a dialog on the Mac’s screen.',
    code: 'EDGE_SEND_TIMEOUT',
  },
  {
    number: 1002, // as BlueBubbles meets it
    means: 'Messages did not answer in time.',
    retry: 'unknown',
    fix: 'Nothing, unless it repeats: then look for a dialog on the Mac’s screen.',
    code: 'EDGE_SEND_TIMEOUT',
  },
  {
    number: -609, // connectionInvalid
    means: 'Messages ended while it was asked to send.',
    retry: 'unknown',
    fix: 'Nothing, unless it repeats: then see why Messages ends.',
    code: 'EDGE_SEND_SCRIPT',
  },
  {
    number: -1708, // errAEEventNotHandled
    means: 'Messages does not understand the command to send.',
    retry: 'unknown',
    fix: 'Quit and reopen Messages; if it stays, report the macOS version.',
    code: 'EDGE_SEND_SCRIPT',
  },
  {
    number: -1700, // errAECoercionFail
    means: 'AppleScript could not turn a value into the kind that Messages wants.',
    retry: 'unknown',
    fix: 'Report the macOS version and the thread’s service.',
    code: 'EDGE_SEND_SCRIPT',
  },
  {
    number: -10000, // errAEEventFailed
    means: 'Messages failed while it handled the command to send.',
    retry: 'unknown',
    fix: 'Quit and reopen Messages if it repeats.',
    code: 'EDGE_SEND_SCRIPT',
  },
  {
    number: -2700, // errOSAGeneralError
    means: 'The script failed for a reason that has no number of its own.',
    retry: 'unknown',
    fix: 'Read what osascript says.',
    code: 'EDGE_SEND_SCRIPT',
  },
];

const KIND = { 'next-form': 'next-form', pause: 'paused', unknown: 'unknown' } as const;
const SAID = 'osascript said: ';
/** Characters of what osascript says. */
const MAX_SAID = 300;

export function judge(result: ScriptResult): Verdict {
  if (result.timedOut) return { kind: 'unknown', code: 'EDGE_SEND_TIMEOUT', detail: 'osascript was ended by time-out' };
  if (result.exitCode === 0) return { kind: 'accepted' };
  const said =
    errorLine(withoutQuotes(result.stderr)).slice(0, MAX_SAID) ||
    `osascript ended with ${result.exitCode ?? 'a signal'}`;
  const number = errorNumber(result.stderr);
  const entry = SCRIPT_ERRORS.find((error) =>
    number === undefined ? error.says !== undefined && result.stderr.includes(error.says) : error.number === number,
  );
  if (!entry) return { kind: 'unknown', code: 'EDGE_SEND_SCRIPT', detail: said };
  const name = entry.number === undefined ? '' : `${entry.number}: `;
  return {
    kind: KIND[entry.retry],
    code: entry.code,
    detail: `${name}${entry.means} ${entry.fix} ${SAID}${said}`,
  };
}

/**
 * For a condition and the log, where what the code means and asks for stands beside the detail: osascript's words alone,
 * unless the catalogue does not name the number.
 */
export function briefly(code: ErrorCode, detail: string): string {
  const number = /^-?\d+/.exec(detail)?.[0];
  const isInCatalogue = number !== undefined && ERRORS[code].means.includes(number);
  return isInCatalogue && detail.includes(SAID) ? detail.slice(detail.indexOf(SAID)) : detail;
}

/** Warnings of the system may stand before it. */
function errorLine(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim());
  return lines.findLast((line) => line.includes('execution error')) ?? lines.filter(Boolean).join(' ');
}

/** osascript ends its error line with the number in parentheses. */
export function errorNumber(stderr: string): number | undefined {
  const numbers = [...stderr.matchAll(/\((-?\d+)\)/g)];
  const last = numbers.at(-1)?.[1];
  return last === undefined ? undefined : Number(last);
}

/** An error line quotes what it could not find, which is somebody's handle; the path of a file stands without quotes. */
function withoutQuotes(stderr: string): string {
  return stderr.replace(/["“][^"”]*["”]/g, '"…"').replace(/\bFile .*(?= wasn['’]t found)/g, 'File …');
}
