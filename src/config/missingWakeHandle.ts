import type { FoundProblem } from './problems.ts';

/** watchdog.silence_hours without an address to write to, which would do nothing and say nothing. */
export function missingWakeHandle(value: unknown): FoundProblem[] {
  const watchdog = (value as { watchdog?: Record<string, unknown> | null } | null)?.watchdog;
  const hours = watchdog?.silence_hours;
  if (typeof hours !== 'number' || hours <= 0 || (watchdog?.wake_handle ?? undefined) !== undefined) return [];
  const text = `watchdog.silence_hours: value was ${hours}, expected 0 or watchdog.wake_handle beside it`;
  return [{ at: ['watchdog', 'silence_hours'], wrong: 'value', text }];
}
