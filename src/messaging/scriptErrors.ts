import type { ErrorCode } from '../util/errors.ts';
import type { ScriptResult } from './ScriptRunner.ts';

/**
 * What the end of an osascript says about its bubble:
 * `accepted` Messages took it; `next-form` it knows no such chat or person: nothing went out, another form may do;
 * `paused` nothing went out and no other bubble would either; `failed` nothing went out and no retry can help;
 * `unknown` it may have gone out: chat.db decides.
 */
export type Verdict =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'next-form' | 'paused' | 'failed' | 'unknown'; readonly code: ErrorCode; readonly detail: string };

/** AppleScript error numbers. Every other number is `unknown`: the event may have been handled before the error. */
const BY_NUMBER: ReadonlyMap<number, { kind: Exclude<Verdict['kind'], 'accepted'>; code: ErrorCode }> = new Map([
  [-1728, { kind: 'next-form', code: 'EDGE_SEND_NO_SUCH_CHAT' }], // errAENoSuchObject
  [-1743, { kind: 'paused', code: 'EDGE_SEND_NOT_PERMITTED' }], // errAEEventNotPermitted
  [-600, { kind: 'paused', code: 'EDGE_SEND_MESSAGES_DOWN' }], // procNotFound
  [-1719, { kind: 'failed', code: 'EDGE_SEND_NO_ACCOUNT' }], // errAEIllegalIndex: `1st account whose …` found none
  [-2753, { kind: 'failed', code: 'EDGE_SEND_NO_ACCOUNT' }], // undefined variable: the service type is not known
  [-1712, { kind: 'unknown', code: 'EDGE_SEND_TIMEOUT' }], // errAETimeout
] as const);

export function judge(result: ScriptResult): Verdict {
  if (result.timedOut) return { kind: 'unknown', code: 'EDGE_SEND_TIMEOUT', detail: 'osascript was ended by time-out' };
  if (result.exitCode === 0) return { kind: 'accepted' };
  const detail =
    withoutQuotes(result.stderr).trim().slice(0, 500) || `osascript ended with ${result.exitCode ?? 'a signal'}`;
  const entry = BY_NUMBER.get(errorNumber(result.stderr) ?? 0);
  return entry ? { ...entry, detail } : { kind: 'unknown', code: 'EDGE_SEND_SCRIPT', detail };
}

/** osascript ends its error line with the number in parentheses. */
export function errorNumber(stderr: string): number | undefined {
  const numbers = [...stderr.matchAll(/\((-?\d+)\)/g)];
  const last = numbers.at(-1)?.[1];
  return last === undefined ? undefined : Number(last);
}

/** An error line quotes what it could not find, which is somebody's handle. */
function withoutQuotes(stderr: string): string {
  return stderr.replace(/["“][^"”]*["”]/g, '"…"');
}
