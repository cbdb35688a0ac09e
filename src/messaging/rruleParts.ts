/** A number, or several separated by commas, each from `min` to `max`; `signed` counts from the end too, and 0 is none. */
interface Numbers {
  readonly min: number;
  readonly max: number;
  readonly signed?: true;
  readonly single?: true;
}

/** Longest COUNT: hourly for more than a year, daily for 27. It bounds what is counted in one go after a long downtime. */
export const MAX_COUNT = 10_000;

/** Times of a day that a rule may name: one each 15 minutes. BYSETPOS could pick few of many more, at the cost of making all. */
const MAX_TIMES_A_DAY = 96;

const NUMBERS: Readonly<Record<string, Numbers>> = {
  INTERVAL: { min: 1, max: 10_000, single: true },
  COUNT: { min: 1, max: MAX_COUNT, single: true },
  BYSECOND: { min: 0, max: 59 },
  BYMINUTE: { min: 0, max: 59 },
  BYHOUR: { min: 0, max: 23 },
  BYMONTHDAY: { min: 1, max: 31, signed: true },
  BYYEARDAY: { min: 1, max: 366, signed: true },
  BYWEEKNO: { min: 1, max: 53, signed: true },
  BYMONTH: { min: 1, max: 12 },
  BYSETPOS: { min: 1, max: 366, signed: true },
};
const FREQUENCIES = ['YEARLY', 'MONTHLY', 'WEEKLY', 'DAILY', 'HOURLY'];
const WORDS: Readonly<Record<string, RegExp>> = {
  FREQ: /^(YEARLY|MONTHLY|WEEKLY|DAILY|HOURLY)$/,
  UNTIL: /^\d{8}(T\d{6}Z)?$/,
  BYDAY: /^([+-]?[1-9]\d?)?(MO|TU|WE|TH|FR|SA|SU)(,([+-]?[1-9]\d?)?(MO|TU|WE|TH|FR|SA|SU))*$/,
  WKST: /^(MO|TU|WE|TH|FR|SA|SU)$/,
};
const EXPECTED: Readonly<Record<string, string>> = {
  FREQ: `one of ${FREQUENCIES.join(', ')}`,
  UNTIL: 'a date such as 20301231, or a time in UTC such as 20301231T225959Z',
  BYDAY: 'weekdays such as MO,-1FR',
  WKST: 'a weekday such as MO',
};

/**
 * The parts of an RFC 5545 RRULE by name, upper case, each checked: a library that passes over what it does not know
 * would send at other times than the backend meant. @throws RangeError that names the part
 */
export function readRruleParts(text: string): Map<string, string> {
  const parts = new Map<string, string>();
  for (const part of text
    .trim()
    .toUpperCase()
    .replace(/^RRULE:/, '')
    .replace(/;$/, '')
    .split(';')) {
    const [name = '', value = '', ...more] = part.split('=');
    if (!(name in NUMBERS) && !(name in WORDS)) throw new RangeError(`unknown part ${name.slice(0, 40) || '""'}`);
    if (parts.has(name)) throw new RangeError(`${name} is there twice`);
    const problem = more.length > 0 ? 'one "="' : (numberProblem(name, value) ?? wordProblem(name, value));
    if (problem !== undefined) throw new RangeError(`${name}=${value.slice(0, 40)}: expected ${problem}`);
    parts.set(name, value);
  }
  if (!parts.has('FREQ')) throw new RangeError('FREQ is missing');
  if (parts.has('COUNT') && parts.has('UNTIL')) throw new RangeError('COUNT and UNTIL exclude each other');
  const times = ['BYHOUR', 'BYMINUTE', 'BYSECOND'].map((name) => parts.get(name)?.split(',').length ?? 1);
  if (times.reduce((product, count) => product * count) > MAX_TIMES_A_DAY) {
    throw new RangeError(`BYHOUR, BYMINUTE and BYSECOND name more than ${MAX_TIMES_A_DAY} times a day`);
  }
  return parts;
}

/** The parts as a rule, in their order, without those named. */
export function writeRrule(parts: ReadonlyMap<string, string>, ...without: readonly string[]): string {
  return [...parts]
    .filter(([name]) => !without.includes(name))
    .map(([name, value]) => `${name}=${value}`)
    .join(';');
}

function numberProblem(name: string, value: string): string | undefined {
  const range = NUMBERS[name];
  if (!range) return undefined;
  const { min, max, signed, single } = range;
  const values = value.split(',');
  const fits = (one: string) => {
    if (!(signed ? /^[+-]?\d{1,5}$/ : /^\d{1,5}$/).test(one)) return false;
    const size = Math.abs(Number(one));
    return size >= min && size <= max;
  };
  if (values.every(fits) && !(single && values.length > 1)) return undefined;
  return `${single ? 'a number' : 'numbers'} from ${min} to ${max}${signed ? `, or -${max} to -${min}` : ''}`;
}

function wordProblem(name: string, value: string): string | undefined {
  const pattern = WORDS[name];
  return pattern === undefined || pattern.test(value) ? undefined : EXPECTED[name];
}
