import { createRequire } from 'node:module';
import type { RRuleTemporal as Rule } from 'rrule-temporal';
import { messageOf } from '../util/EdgeError.ts';
import { MAX_COUNT, readRruleParts, writeRrule } from './rruleParts.ts';

/** A checked recurrence. It occurs at `firstAt` if that matches the rule, and else at the first time after it that does. */
export interface Recurrence {
  /** RFC 5545 RRULE without DTSTART. */
  readonly rrule: string;
  /** IANA name of the zone in which the rule counts days and hours. */
  readonly timeZone: string;
  /** DTSTART, ms since 1970, whole seconds. */
  readonly firstAt: number;
}

/** The next occurrence of a series, and how many went by before it. */
export interface SeriesPosition {
  readonly nextAt: number;
  readonly gone: number;
}

/** Least time between two occurrences: what comes more often is no schedule, and gets an Apple ID blocked. */
export const MIN_GAP_MS = 15 * 60_000;
/** Occurrences whose gaps are looked at: all of the two fullest days, or all that BYSETPOS can name in a year. */
const CHECKED_OCCURRENCES = 400;
/** And for how long at most, ms: ten years. What comes more seldom would be looked for through millennia. */
const CHECKED_MS = 10 * 366 * 86_400_000;
/** Limits of the search for an occurrence: a leap day is found by the hour, and one that never comes costs half a second. */
const SEARCH = { maxIterations: 10_000, maxCandidateEvaluations: 50_000 } as const;
const DAY_MS = 86_400_000;
/** Where the next time of a yearly rule is looked for first, ms. */
const SOON_MS = 32 * DAY_MS;
/** Times that a window should have at least. */
const WINDOW_TIMES = 100;
/** What lies beyond is no time that four digits of a year can say. */
const LAST_AT = Date.UTC(9999, 11, 31, 23, 59, 59);

type Library = typeof import('rrule-temporal');
const require = createRequire(import.meta.url);

/** Loaded with the first recurrence, 8 MB; at once, because a command is checked within its transaction. */
function rruleTemporal(): Library {
  return require('rrule-temporal') as Library;
}

/**
 * Checks what a command says. `sendAt` without an offset is a time of `timeZone`.
 * @throws RangeError with what is wrong, led by the field's name
 */
export function readRecurrence(said: { rrule: string; timeZone: string | undefined; sendAt: string }): Recurrence {
  const timeZone = zoneOf(said.timeZone);
  try {
    const parts = readRruleParts(said.rrule);
    const rrule = writeRrule(parts);
    const { RRuleTemporal } = rruleTemporal();
    const firstAt = firstAtOf(said.sendAt, timeZone);
    // The combinations that RFC 5545 forbids; UNTIL as a date, which strictness forbids too, does no harm.
    new RRuleTemporal({
      rruleString: writeRrule(parts, 'COUNT', 'UNTIL'),
      dtstart: zoned(firstAt, timeZone),
      strict: true,
    });
    const recurrence = { rrule, timeZone, firstAt };
    checkTimes(ruleOf(recurrence), firstAt);
    return recurrence;
  } catch (error) {
    throw new RangeError(`recurrence.rrule: ${messageOf(error)}`, { cause: error });
  }
}

/** Where a series stands that begins at `now` or at its first occurrence: what would have been before is gone; undefined at its end. */
export function beginSeries(recurrence: Recurrence, now: number): SeriesPosition | undefined {
  const nextAt = nextOf(ruleOf(recurrence), recurrence.firstAt, true);
  if (nextAt === undefined) return undefined;
  const { gone, nextAt: firstToCome } = passDue(recurrence, { nextAt, gone: 0 }, now - 1);
  return firstToCome === undefined ? undefined : { nextAt: firstToCome, gone };
}

/**
 * Passes everything due by `now`. `latest`: the last of it, undefined when there is none; `gone` counts it (after the
 * first 10,000 of a rule without COUNT no more); `nextAt` is undefined at the end of the series.
 */
export function passDue(
  recurrence: Recurrence,
  from: SeriesPosition,
  now: number,
): { latest: number | undefined; gone: number; nextAt: number | undefined } {
  const rule = ruleOf(recurrence);
  const count = countOf(recurrence.rrule) ?? Number.POSITIVE_INFINITY;
  let latest: number | undefined;
  let gone = from.gone;
  for (const at of timesBetween(rule, from.nextAt, now)) {
    if (gone - from.gone === MAX_COUNT) {
      latest = rule.previous(new Date(now), true)?.epochMilliseconds ?? latest;
      break;
    }
    latest = at;
    gone += 1;
    if (gone >= count) return { latest, gone, nextAt: undefined };
  }
  const nextAt = from.nextAt > now ? from.nextAt : nextOf(rule, now, false);
  return { latest, gone, nextAt };
}

function zoneOf(name: string | undefined): string {
  try {
    // Intl takes offsets too; they have no summer time, and a rule in one would be an hour off half of the year.
    if (name !== undefined && /^[+-]/.test(name)) throw new RangeError('an offset is no time zone');
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  } catch (error) {
    throw new RangeError(`recurrence.time_zone: expected an IANA name such as Europe/Berlin: ${name}`, {
      cause: error,
    });
  }
}

/** Rules have a resolution of a second. */
function firstAtOf(sendAt: string, timeZone: string): number {
  const local = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?$/.exec(sendAt);
  if (!local) return Math.floor(Date.parse(sendAt) / 1000) * 1000;
  const [, year, month, day, hour, minute, second = '00'] = local;
  const { RRuleTemporal } = rruleTemporal();
  const dtstart = `DTSTART;TZID=${timeZone}:${year}${month}${day}T${hour}${minute}${second}`;
  const rule: Rule = new RRuleTemporal({ rruleString: `${dtstart}\nRRULE:FREQ=DAILY` });
  return rule.options().dtstart.epochMilliseconds;
}

/** A moment in a zone, as the library takes it with every Node: those before 26 have no Temporal. */
function zoned(at: number, timeZone: string) {
  return { timeZoneId: timeZone, toString: () => `${new Date(at).toISOString()}[${timeZone}]` };
}

/** COUNT is left to us: the library counts from the beginning each time, and gives up after 10,000 periods. */
function ruleOf({ rrule, timeZone, firstAt }: Recurrence): Rule {
  const { RRuleTemporal } = rruleTemporal();
  const rruleString = writeRrule(readRruleParts(rrule), 'COUNT');
  return new RRuleTemporal({ rruleString, dtstart: zoned(firstAt, timeZone), ...SEARCH, cache: false });
}

function countOf(rrule: string): number | undefined {
  const count = readRruleParts(rrule).get('COUNT');
  return count === undefined ? undefined : Number(count);
}

function nextOf(rule: Rule, after: number, inclusive: boolean): number | undefined {
  let at: number | undefined;
  try {
    // Asked for the next time alone, the library makes all times of the year up to it.
    if (rule.options().freq === 'YEARLY') [at] = windowOf(rule, inclusive ? after : after + 1, after + SOON_MS);
    at ??= rule.next(new Date(after), inclusive)?.epochMilliseconds;
  } catch {
    // Nothing was found within the limits of the search: for all purposes there is none.
    return undefined;
  }
  return at === undefined || at > LAST_AT ? undefined : at;
}

/**
 * The times from `firstAt`, which is one, to `until`. A window of times costs hardly more than a single one, so they are
 * made by the hundred. @throws RangeError
 */
function* timesBetween(rule: Rule, firstAt: number, until: number): Generator<number, void> {
  let lengthMs = DAY_MS;
  for (let from: number | undefined = firstAt; from !== undefined && from <= until; ) {
    const end: number = Math.min(from + lengthMs, until);
    let times: number[];
    try {
      times = windowOf(rule, from, end);
    } catch {
      if (lengthMs <= DAY_MS) throw new RangeError('names too many times a day');
      lengthMs /= 2;
      continue;
    }
    yield* times;
    from = times.length === 0 ? nextOf(rule, end, false) : end + 1;
    if (times.length < WINDOW_TIMES) lengthMs *= 2;
    else if (times.length > 4 * WINDOW_TIMES && lengthMs > DAY_MS) lengthMs /= 2;
  }
}

/** @throws when it takes more than the limits of the search allow */
function windowOf(rule: Rule, from: number, until: number): number[] {
  return rule.between(new Date(from), new Date(until), true).map((time) => time.epochMilliseconds);
}

function checkTimes(rule: Rule, firstAt: number): void {
  const first = nextOf(rule, firstAt, true);
  if (first === undefined) throw new RangeError('never occurs');
  let before: number | undefined;
  let checked = 0;
  for (const at of timesBetween(rule, first, Math.min(first + CHECKED_MS, LAST_AT))) {
    if (before !== undefined && at - before < MIN_GAP_MS) {
      const [one, other] = [before, at].map((time) => new Date(time).toISOString());
      throw new RangeError(`less than ${MIN_GAP_MS / 60_000} minutes between ${one} and ${other}`);
    }
    before = at;
    if (++checked === CHECKED_OCCURRENCES) return;
  }
}
