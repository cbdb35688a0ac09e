import { InvalidArgumentError } from 'commander';
import { systemClock } from '../util/Clock.ts';

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const AGO = /^(\d+(?:\.\d+)?)\s*(s|m|min|h|d|w)$/;
const DATE = /^\d{4}-\d\d-\d\d$/;
const TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?$/;

/** `1h` ago, a date, or a time; what names no zone is meant where this Mac is. In ms since 1970. */
export function timeArgument(text: string): number {
  const ago = AGO.exec(text);
  if (ago) return systemClock.now() - Number(ago[1]) * UNITS_MS[ago[2]!]!;
  // Of itself Date takes a date alone for one in UTC.
  const at = DATE.test(text) ? Date.parse(`${text}T00:00`) : TIME.test(text) ? Date.parse(text.replace(' ', 'T')) : NaN;
  if (!Number.isNaN(at)) return at;
  throw new InvalidArgumentError('expected such as 90s, 15min, 1h, 7d, 2026-11-01, 2026-11-01T08:00 or …T08:00Z.');
}
