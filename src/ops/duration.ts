const UNITS: readonly (readonly [seconds: number, unit: string])[] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
];

/** `1.3 s`, `12 min 3 s`, `2 h`: the largest unit and the one below it. Below 10 s with a decimal. */
export function duration(ms: number): string {
  if (ms < 9950) return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const first = UNITS.findIndex(([size]) => seconds >= size);
  const [size, unit] = UNITS[first]!;
  const below = UNITS[first + 1];
  const rest = below ? Math.floor((seconds % size) / below[0]) : 0;
  return `${Math.floor(seconds / size)} ${unit}${below && rest > 0 ? ` ${rest} ${below[1]}` : ''}`;
}
