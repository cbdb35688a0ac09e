import { describe, expect, it } from 'vitest';
import { beginSeries, passDue, type Recurrence, readRecurrence } from '../../src/messaging/recurrence.ts';

const BERLIN = 'Europe/Berlin';

function read(rrule: string, sendAt = '2026-01-01T09:00:00Z', timeZone: string | undefined = BERLIN): Recurrence {
  return readRecurrence({ rrule, timeZone, sendAt });
}

/** The occurrences from the first on, `count` of them at most. */
function occurrences(recurrence: Recurrence, count: number): string[] {
  const found: string[] = [];
  let position = beginSeries(recurrence, 0);
  while (position && found.length < count) {
    found.push(new Date(position.nextAt).toISOString().slice(0, 16));
    const { gone, nextAt } = passDue(recurrence, position, position.nextAt);
    position = nextAt === undefined ? undefined : { nextAt, gone };
  }
  return found;
}

describe('a recurrence', () => {
  it('begins at send_at when that matches the rule, and else with the first time after it that does', () => {
    expect(occurrences(read('FREQ=DAILY'), 2)).toEqual(['2026-01-01T09:00', '2026-01-02T09:00']);
    // The first of January 2026 is a Thursday.
    expect(occurrences(read('FREQ=WEEKLY;BYDAY=MO,TH'), 3)).toEqual([
      '2026-01-01T09:00',
      '2026-01-05T09:00',
      '2026-01-08T09:00',
    ]);
    expect(occurrences(read('RRULE:freq=weekly;byday=mo;'), 1)).toEqual(['2026-01-05T09:00']);
  });

  it('keeps the local time across both changes of the clocks', () => {
    const rule = read('FREQ=WEEKLY', '2026-03-22T09:00:00');
    expect(occurrences(rule, 2)).toEqual(['2026-03-22T08:00', '2026-03-29T07:00']);
    expect(occurrences(read('FREQ=WEEKLY', '2026-10-18T09:00:00'), 2)).toEqual([
      '2026-10-18T07:00',
      '2026-10-25T08:00',
    ]);
  });

  it('leaves out a local time that does not exist, goes on at the same, and takes the first of one that is there twice', () => {
    expect(occurrences(read('FREQ=DAILY', '2026-03-28T02:30:00'), 3)).toEqual([
      '2026-03-28T01:30',
      '2026-03-30T00:30',
      '2026-03-31T00:30',
    ]);
    expect(occurrences(read('FREQ=DAILY', '2026-10-24T02:30:00'), 3)).toEqual([
      '2026-10-24T00:30',
      '2026-10-25T00:30',
      '2026-10-26T01:30',
    ]);
  });

  it('reads a send_at without an offset in the zone of the rule', () => {
    expect(read('FREQ=DAILY', '2026-07-01T09:00', 'America/New_York').firstAt).toBe(Date.UTC(2026, 6, 1, 13));
    expect(read('FREQ=DAILY', '2026-03-29T02:30:00').firstAt).toBe(Date.UTC(2026, 2, 29, 1, 30)); // 03:30, as there is no 02:30
    expect(read('FREQ=DAILY', '2026-10-25T02:30:00').firstAt).toBe(Date.UTC(2026, 9, 25, 0, 30)); // the first of two
    expect(read('FREQ=DAILY', '2026-10-25T02:30:00.750+01:00').firstAt).toBe(Date.UTC(2026, 9, 25, 1, 30));
  });

  it('counts in the zone of this Mac when none is named', () => {
    expect(readRecurrence({ rrule: 'FREQ=DAILY', timeZone: undefined, sendAt: '2026-01-01T09:00:00Z' }).timeZone).toBe(
      Intl.DateTimeFormat().resolvedOptions().timeZone,
    );
  });

  it('honours COUNT and UNTIL', () => {
    expect(occurrences(read('FREQ=DAILY;COUNT=2'), 9)).toHaveLength(2);
    expect(occurrences(read('FREQ=DAILY;UNTIL=20260103T090000Z'), 9)).toHaveLength(3);
    expect(occurrences(read('FREQ=DAILY;UNTIL=20260103T085959Z'), 9)).toHaveLength(2);
    expect(occurrences(read('FREQ=DAILY;UNTIL=20260104'), 9)).toHaveLength(4);
  });

  it('counts a COUNT also past the limits of the library', () => {
    const rule = read('FREQ=HOURLY;BYHOUR=9;COUNT=3000');
    const end = passDue(rule, { nextAt: rule.firstAt - 3_600_000, gone: 0 }, Date.UTC(2040, 0, 1));
    expect(end).toMatchObject({ gone: 3000, nextAt: undefined });
  });

  it('passes what is due, and stops counting where a clock was set to the end of time', () => {
    const rule = read('FREQ=HOURLY');
    const hour = 3_600_000;
    const { firstAt } = rule;
    expect(passDue(rule, { nextAt: firstAt, gone: 0 }, firstAt + 3 * hour + 1)).toEqual({
      latest: firstAt + 3 * hour,
      gone: 4,
      nextAt: firstAt + 4 * hour,
    });
    expect(passDue(rule, { nextAt: firstAt, gone: 0 }, firstAt - 1)).toEqual({
      latest: undefined,
      gone: 0,
      nextAt: firstAt,
    });
    const late = Date.UTC(9999, 0, 1, 0, 30);
    expect(passDue(rule, { nextAt: firstAt, gone: 0 }, late)).toEqual({
      latest: late - hour / 2,
      gone: 10_000,
      nextAt: late + hour / 2,
    });
  });

  it('works out thousands of times that went by of a rule that names every quarter of an hour of a year', () => {
    const hours = Array.from({ length: 24 }, (_, hour) => hour).join(',');
    const rule = read(
      `FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=${hours};BYMINUTE=0,15,30,45`,
      '2026-01-01T00:00:00Z',
    );
    // Local time leaves out an hour in March, and has one twice in October, of which only the first is meant.
    expect(beginSeries(rule, Date.parse('2026-03-01T00:00:00Z'))?.gone).toBe(59 * 96);
    const now = Date.parse('2099-01-01T00:00:00Z');
    const { gone, latest, nextAt } = passDue(rule, { nextAt: rule.firstAt, gone: 0 }, now);
    expect({ gone, latest, nextAt }).toEqual({ gone: 10_000, latest: now, nextAt: now + 15 * 60_000 });
  });

  it('counts times far apart as those close together', () => {
    const rule = read('FREQ=DAILY;BYMONTH=2,3;BYMONTHDAY=28,29,1', '1904-01-01T09:00:00Z', 'UTC');
    const until = Date.parse('2026-03-01T09:00:00Z');
    const days = Array.from({ length: 123 }, (_, n) =>
      new Date(Date.UTC(1904 + n, 1, 29)).getUTCDate() === 29 ? 5 : 4,
    );
    // 1 and 28 February; 1, 28 and 29 March, which the last year has not reached; the leap day.
    const all = days.reduce((sum, leap) => sum + leap + 1, 0) - 2;
    expect(passDue(rule, { nextAt: beginSeries(rule, -1e13)!.nextAt, gone: 0 }, until)).toEqual({
      gone: all,
      latest: until,
      nextAt: Date.parse('2026-03-28T09:00:00Z'),
    });
  });

  it('refuses more times a day than could be sent', () => {
    const all = (count: number) => Array.from({ length: count }, (_, n) => n).join(',');
    expect(() => read(`FREQ=DAILY;BYHOUR=${all(24)};BYMINUTE=${all(60)};BYSETPOS=1`)).toThrow(
      'more than 96 times a day',
    );
  });

  it('begins now when send_at is long past, counting what went by', () => {
    const rule = read('FREQ=DAILY;COUNT=5');
    expect(beginSeries(rule, Date.UTC(2026, 0, 3, 9))).toEqual({ nextAt: Date.UTC(2026, 0, 3, 9), gone: 2 });
    expect(beginSeries(rule, Date.UTC(2026, 0, 9))).toBeUndefined();
  });

  it.each(['HOURLY', 'DAILY', 'MONTHLY', 'YEARLY'])('finds a leap day eight years off, FREQ=%s', (freq) => {
    const rule = read(`FREQ=${freq};BYMONTH=2;BYMONTHDAY=29`, '2096-03-01T09:00:00Z');
    expect(occurrences(rule, 1)).toEqual([`2104-02-${freq === 'HOURLY' ? '28T23' : '29T09'}:00`]);
  });

  it.each([
    'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=HOURLY;INTERVAL=24;BYHOUR=5',
    'FREQ=YEARLY;BYDAY=MO;BYSETPOS=300',
    'FREQ=DAILY;UNTIL=20200101T000000Z',
  ])('refuses one that never occurs: %s', (rrule) => {
    expect(() => read(rrule)).toThrow('recurrence.rrule: never occurs');
  });

  it.each([
    ['FREQ=DAILY;BYEASTER=1', 'unknown part BYEASTER'],
    ['FREQ=DAILY;RSCALE=HEBREW', 'unknown part RSCALE'],
    ['FREQ=DAILY;CONSTRUCTOR=1', 'unknown part CONSTRUCTOR'],
    ['FREQ=DAILY\nRDATE:20260401T000000Z', 'FREQ=DAILY'],
    ['FREQ=SECONDLY', 'FREQ=SECONDLY: expected one of YEARLY'],
    ['FREQ=MINUTELY;INTERVAL=30', 'FREQ=MINUTELY'],
    ['INTERVAL=2', 'FREQ is missing'],
    ['FREQ=DAILY;FREQ=WEEKLY', 'FREQ is there twice'],
    ['FREQ=DAILY;COUNT=2;UNTIL=20300101', 'exclude each other'],
    ['FREQ=DAILY;COUNT=0', 'COUNT=0: expected a number from 1'],
    ['FREQ=DAILY;INTERVAL=1,2', 'INTERVAL=1,2'],
    ['FREQ=DAILY;BYHOUR=24', 'BYHOUR=24: expected numbers from 0 to 23'],
    ['FREQ=MONTHLY;BYMONTHDAY=0', 'BYMONTHDAY=0: expected numbers from 1 to 31, or -31 to -1'],
    ['FREQ=WEEKLY;BYDAY=XX', 'BYDAY=XX'],
    ['FREQ=DAILY;BYDAY=2MO', 'BYDAY'],
    ['FREQ=MONTHLY;BYWEEKNO=3', 'BYWEEKNO'],
    ['FREQ=DAILY;UNTIL=tomorrow', 'UNTIL=TOMORROW'],
    ['FREQ=DAILY;UNTIL=20261399', 'month'],
    ['FREQ=HOURLY;BYMINUTE=0,10', 'less than 15 minutes'],
    ['FREQ=DAILY;BYHOUR=9,10;BYMINUTE=0,50', 'less than 15 minutes between'],
    ['FREQ=DAILY;BYSECOND=0,30', 'less than 15 minutes'],
  ])('refuses %s, saying why', (rrule, why) => {
    expect(() => read(rrule)).toThrow(/^recurrence\.rrule: /);
    expect(() => read(rrule)).toThrow(why);
  });

  it.each(['Europe/Atlantis', '+02:00', ''])('refuses the time zone %j by name', (zone) => {
    expect(() => read('FREQ=DAILY', '2026-01-01T09:00:00Z', zone)).toThrow(/^recurrence\.time_zone: /);
  });
});
