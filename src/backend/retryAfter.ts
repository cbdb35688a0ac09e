/** No Retry-After holds the agent back for longer, ms: a slip of the backend must not silence it for a day. */
export const MAX_RETRY_AFTER_MS = 15 * 60_000;

/**
 * The delay a Retry-After header asks for, ms: whole seconds or an HTTP date (RFC 9110, 10.2.3), at most 15 minutes.
 * Anything else is as if the header were absent. `now` is the wall clock, ms.
 */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  const value = header?.trim() ?? '';
  if (/^\d+$/.test(value)) return Math.min(Number(value) * 1000, MAX_RETRY_AFTER_MS);
  // Date.parse takes almost anything, so that the form is checked first: all three HTTP dates begin with a day name.
  if (!/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /.test(value)) return undefined;
  const at = Date.parse(value.endsWith('GMT') ? value : `${value} GMT`);
  return Number.isNaN(at) ? undefined : Math.min(Math.max(at - now, 0), MAX_RETRY_AFTER_MS);
}
