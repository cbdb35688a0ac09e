import { createRequire } from 'node:module';
import { Unarchiver as Parseaple } from '@parseaple/typedstream';
import { Unarchiver as NodeTypedstream } from 'node-typedstream';
import { decodeBody, decodeText } from '../../src/chatdb/typedstream/decodeBody.ts';
import type { BenchRow } from '../BenchRow.ts';
import { largeBody, largeText, ordinaryBodies } from './bodies.ts';

/** Times the others are passed in a measurement; ours as often as takes about as long. */
const THEIR_ROUNDS = 100;
const OUR_ROUNDS = 10_000;
const MEASUREMENTS = 5;
const LARGE = [32_767, 32 * 1024, 64 * 1024, 1024 * 1024, 16 * 1024 * 1024];
const TEXT_RATIO = 100;
const FULL_RATIO = 20;

interface Decoder {
  readonly name: string;
  /** Gives the text, so that it can be compared. */
  decode(bytes: Buffer): string;
}

const OTHERS: readonly Decoder[] = [
  { name: 'node-typedstream', decode: (bytes) => textIn(NodeTypedstream.open(bytes).decodeAll()) },
  { name: '@parseaple/typedstream', decode: (bytes) => textIn(Parseaple.open(bytes).decodeAll()) },
];

/** Bodies a second, beside the packages that read typedstreams, over the same bodies in turns of one process. */
export function decodeSpeed(): BenchRow[] {
  const bodies = ordinaryBodies();
  const mean = Math.round(bodies.reduce((sum, body) => sum + body.length, 0) / bodies.length);
  const unit = `bodies/s (mean ${mean} bytes)`;
  const theirs = OTHERS.map(({ name, decode }) => ({ name, rate: rate(decode, bodies, THEIR_ROUNDS) }));
  const text = rate(decodeText, bodies, OUR_ROUNDS);
  const full = rate(decodeBody, bodies, OUR_ROUNDS);
  const fastest = Math.max(...theirs.map((other) => other.rate));
  const ratio = (name: string, value: number, goal: number): BenchRow => ({
    name,
    unit: '×',
    goal: `≥ ${goal}`,
    value,
    ok: value >= goal,
  });
  return [
    ...theirs.map((other) => ({
      name: `decoded by ${other.name} ${versionOf(other.name)}`,
      unit,
      goal: '',
      value: other.rate,
      ok: true,
    })),
    { name: 'decoded for the text alone', unit, goal: '≥ 1,000,000', value: text, ok: text >= 1_000_000 },
    ratio('… to the faster of theirs', text / fastest, TEXT_RATIO),
    { name: 'decoded with full structure', unit, goal: '≥ 200,000', value: full, ok: full >= 200_000 },
    ratio('… to the faster of theirs', full / fastest, FULL_RATIO),
    ...largeBodies(),
  ];
}

/** How many bodies of each size are read right, by each; of the others is said what they throw first. */
function largeBodies(): BenchRow[] {
  const unit = `of ${LARGE.length} sizes`;
  const wrong = (decode: Decoder['decode']) =>
    LARGE.map((length) => ({ length, flaw: flawOf(decode, length) })).filter(({ flaw }) => flaw !== undefined);
  const ours = LARGE.length - wrong((bytes) => decodeBody(bytes).text).length;
  const theirs = OTHERS.map(({ name, decode }): BenchRow => {
    const [first, ...others] = wrong(decode);
    if (first) console.error(`chatdb: ${name} fails from ${first.length} bytes on: ${first.flaw}`);
    return { name: `… by ${name}`, unit, goal: '', value: LARGE.length - (first ? 1 : 0) - others.length, ok: true };
  });
  const goal = String(LARGE.length);
  return [
    { name: 'bodies of 32 KiB to 16 MiB read right', unit, goal, value: ours, ok: ours === LARGE.length },
    ...theirs,
  ];
}

function flawOf(decode: Decoder['decode'], length: number): string | undefined {
  try {
    return decode(largeBody(length)) === largeText(length).toString() ? undefined : 'the text is another';
  } catch (error) {
    return (error as Error).message;
  }
}

function rate(decode: (bytes: Buffer) => unknown, bodies: readonly Buffer[], rounds: number): number {
  const rates = Array.from({ length: MEASUREMENTS }, () => {
    const start = performance.now();
    for (let i = 0; i < rounds; i++) for (const body of bodies) decode(body);
    return (rounds * bodies.length * 1000) / (performance.now() - start);
  });
  return Math.round(rates.sort((a, b) => a - b)[Math.floor(MEASUREMENTS / 2)]!);
}

/** Their result: groups of values, the first of which is the attributed string. */
function textIn(groups: unknown): string {
  const [first] = Array.isArray(groups) ? (groups as unknown[]) : [groups];
  const value = (first as { values?: unknown[] } | undefined)?.values?.[0] ?? first;
  return String((value as { string?: unknown } | undefined)?.string);
}

function versionOf(name: string): string {
  const { version } = createRequire(import.meta.url)(`${name}/package.json`) as { version: string };
  return version;
}
