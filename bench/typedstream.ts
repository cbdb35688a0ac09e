import { decodeBody, decodeText } from '../src/chatdb/typedstream/decodeBody.ts';
import { EdgeError } from '../src/util/EdgeError.ts';
import { attributes, encodeBody, encodeText, type Run, type Value } from '../test/chatdb/support/typedstreamEncoder.ts';
import type { BenchRow } from './BenchRow.ts';

/** Mutated bodies to decode; COUNT in the environment overrides it, SEED the seed. */
const DEFAULT_COUNT = 2_000_000;
/** No body may take longer, ms. */
const LIMIT_MS = 50;
/** A body that took longer than this is decoded again: the machine may have been busy elsewhere. */
const SUSPICIOUS_MS = 5;
const SECOND_LOOKS = 3;

type Random = () => number;

/** Decodes mutated bodies, then measures how many whole ones are decoded in a second. */
export async function run(): Promise<BenchRow[]> {
  const count = Number(process.env.COUNT ?? DEFAULT_COUNT);
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 32);
  console.error(`typedstream: ${count} mutated bodies, seed ${seed} (SEED=${seed} repeats them)`);
  return [...mutated(count, seed), ...hostile(), ...rates()];
}

function mutated(count: number, seed: number): BenchRow[] {
  const random = mulberry32(seed);
  const bodies = corpus();
  const times = new Float64Array(count);
  const outcomes = { read: 0, refused: 0, crashed: 0, slow: 0 };
  for (let i = 0; i < count; i++) {
    const bytes = mutate(bodies, random);
    const { ms, outcome } = timed(bytes);
    times[i] = ms > SUSPICIOUS_MS ? Math.min(ms, quickest(bytes)) : ms;
    outcomes[outcome]++;
    if (outcome === 'crashed') console.error(`body ${i} crashed: ${bytes.toString('hex')}`);
    if (times[i]! > LIMIT_MS) outcomes.slow++;
  }
  times.sort();
  const at = (share: number) => times[Math.floor((count - 1) * share)] ?? 0;
  console.error(`typedstream: ${outcomes.read} read, ${outcomes.refused} refused`);
  return [
    {
      name: 'mutated bodies that crash',
      unit: `of ${count}`,
      goal: '0',
      value: outcomes.crashed,
      ok: outcomes.crashed === 0,
    },
    {
      name: `mutated bodies over ${LIMIT_MS} ms`,
      unit: `of ${count}`,
      goal: '0',
      value: outcomes.slow,
      ok: outcomes.slow === 0,
    },
    {
      name: 'time for a mutated body, longest',
      unit: 'ms',
      goal: `≤ ${LIMIT_MS}`,
      value: at(1),
      p50: at(0.5),
      p99: at(0.99),
      ok: outcomes.slow === 0,
    },
  ];
}

/** Bodies of about 1 MB built to make a decoder work: the limits must hold them. */
function hostile(): BenchRow[] {
  const ms = Math.max(...traps().map(quickest));
  return [
    { name: 'time for a trap of 1 MB, longest', unit: 'ms', goal: `≤ ${LIMIT_MS}`, value: ms, ok: ms <= LIMIT_MS },
  ];
}

function rates(): BenchRow[] {
  const bodies = ordinary();
  const mean = bodies.reduce((sum, body) => sum + body.length, 0) / bodies.length;
  const rate = (decode: (bytes: Uint8Array) => unknown) => {
    const rounds = Math.ceil(100_000 / bodies.length);
    const pass = () => {
      const start = performance.now();
      for (let i = 0; i < rounds; i++) for (const body of bodies) decode(body);
      return (rounds * bodies.length * 1000) / (performance.now() - start);
    };
    return Math.round([pass(), pass(), pass()].sort((a, b) => a - b)[1] ?? 0);
  };
  const full = rate(decodeBody);
  const text = rate(decodeText);
  const unit = `bodies/s (mean ${Math.round(mean)} bytes)`;
  return [
    { name: 'decoded with full structure', unit, goal: '≥ 46,000', value: full, ok: full >= 46_000 },
    { name: 'decoded for the text alone', unit, goal: '≥ 230,000', value: text, ok: text >= 230_000 },
  ];
}

function timed(bytes: Uint8Array): { ms: number; outcome: 'read' | 'refused' | 'crashed' } {
  const start = performance.now();
  let outcome: 'read' | 'refused' | 'crashed' = 'read';
  try {
    decodeBody(bytes);
  } catch (error) {
    const isRefusal = error instanceof EdgeError && (error.cause as Error | undefined)?.name === 'StreamDamage';
    outcome = isRefusal ? 'refused' : 'crashed';
  }
  return { ms: performance.now() - start, outcome };
}

function quickest(bytes: Uint8Array): number {
  return Math.min(...Array.from({ length: SECOND_LOOKS }, () => timed(bytes).ms));
}

/** One to four mutations of a random body: flipped bits, cuts, swollen lengths, splices, repeated segments. */
function mutate(bodies: readonly Buffer[], random: Random): Buffer {
  const below = (limit: number) => Math.floor(random() * limit);
  const pick = () => bodies[below(bodies.length)]!;
  let bytes = Buffer.from(pick());
  for (let left = 1 + below(4); left > 0 && bytes.length > 0; left--) {
    const at = below(bytes.length);
    switch (below(5)) {
      case 0:
        for (let flips = 1 + below(8); flips > 0; flips--) bytes[below(bytes.length)]! ^= 1 << below(8);
        break;
      case 1:
        bytes = bytes.subarray(0, at);
        break;
      case 2: {
        const lengths = [
          '7f',
          '81ffff',
          '81ff7f',
          '82ffffff7f',
          '82ffffffff',
          '87ffffffffffffff7f',
          '87ffffffffffffffff',
        ];
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(lengths[below(7)]!, 'hex'), bytes.subarray(at + 1)]);
        break;
      }
      case 3: {
        const other = pick();
        const from = below(other.length);
        const segment = other.subarray(from, from + below(200));
        bytes = Buffer.concat([bytes.subarray(0, at), segment, bytes.subarray(at + below(segment.length + 1))]);
        break;
      }
      default: {
        const segment = bytes.subarray(at, at + below(64));
        const copies = Array.from({ length: 1 + below(20) }, () => segment);
        bytes = Buffer.concat([bytes.subarray(0, at), ...copies, bytes.subarray(at)]);
      }
    }
  }
  return bytes;
}

function corpus(): Buffer[] {
  return [...ordinary(), encodeText(''), encodeText('é'.repeat(4000)), encodeText('x'.repeat(70_000)), utf16('plain')];
}

/** Bodies as they occur: short and long texts, styles, mentions, links, attachments, data detectors' archives. */
export function ordinary(): Buffer[] {
  const sentence = 'We could meet at the station around six, if the train is on time. ';
  const part0 = attributes({ part: 0 });
  const styled: Run[] = Array.from({ length: 24 }, (_, i) => ({
    length: 5,
    attributes: new Map<string, Value>([...part0, ['__kIMTextEffectAttributeName', 4 + (i % 9)]]),
  }));
  const files: Run[] = Array.from({ length: 4 }, (_, i) => ({
    length: 1,
    attributes: new Map<string, Value>([
      ...attributes({ part: i, attachment: `at_${i}_0A1B2C3D-0000-4000-8000-00000000000${i}` }),
      ['__kIMFilenameAttributeName', `IMG_000${i}.HEIC`],
      ['__kIMInlineMediaWidthAttributeName', { double: 1512.5 }],
    ]),
  }));
  const code = new Map<string, Value>([
    ...part0,
    [
      '__kIMOneTimeCodeAttributeName',
      new Map([
        ['code', '123456'],
        ['displayCode', '123456'],
      ]),
    ],
    ['__kIMDataDetectedAttributeName', Buffer.alloc(600, 'bplist00 ')],
  ]);
  return [
    encodeText('ok'),
    encodeText(sentence),
    encodeText(sentence.repeat(3)),
    encodeText(sentence.repeat(12)),
    encodeText('👍🏽 schön, bis später'),
    encodeBody(sentence.repeat(2).slice(0, 120), styled),
    encodeBody('\ufffc'.repeat(4), files, { mutable: true }),
    encodeBody('Hi @Anna look at example.com/offers', [
      { length: 3, attributes: part0 },
      { length: 5, attributes: attributes({ part: 0, mention: '+15550100003' }) },
      { length: 9, attributes: part0 },
      { length: 18, attributes: attributes({ part: 0, link: { url: 'https://example.com/offers' } }) },
    ]),
    encodeBody('Your code is 123456', [
      { length: 13, attributes: part0 },
      { length: 6, attributes: code },
    ]),
  ];
}

/** Each about 1 MB or at the limit of work: what would be quadratic or exponential in a decoder without limits. */
function traps(): Buffer[] {
  const shared = attributes({ part: 0, mention: 'm'.repeat(5000), link: { url: 'u'.repeat(5000) } });
  const twin = attributes({ part: 0, mention: 'm'.repeat(5000), link: { url: 'u'.repeat(5000) } });
  const text = 'x'.repeat(190_000);
  const longKeys: Value[] = Array.from({ length: 4000 }, (_, i) => new Map([[`${'k'.repeat(200)}${i}`, i]]));
  const urls: Value[] = Array.from({ length: 4000 }, (_, i) => ({
    url: `${'p/'.repeat(100)}${i}`,
    base: 'https://example.com',
  }));
  const one = (value: Value) => encodeBody('x', [{ length: 1, attributes: new Map([['k', value]]) }]);
  return [
    encodeBody(
      text,
      Array.from({ length: text.length }, () => ({ length: 1, attributes: shared })),
    ),
    encodeBody(
      text,
      Array.from({ length: text.length }, (_, i) => ({ length: 1, attributes: i % 2 ? shared : twin })),
    ),
    encodeBody(
      text,
      Array.from({ length: 20_000 }, () => ({ length: 1, attributes: attributes({ part: 0 }) })),
    ),
    one(longKeys),
    one(urls),
    one(Array.from({ length: 100_000 }, (_, i) => i)),
    one({ doubled: 25 }),
    encodeText('\ufffd'.repeat(300_000)),
    Buffer.concat([encodeText('x').subarray(0, 90), Buffer.alloc(1_000_000, 0x84)]),
    Buffer.concat([encodeText('x').subarray(0, 90), Buffer.alloc(1_000_000, 0x92)]),
    utf16('x'.repeat(500_000)),
  ];
}

function utf16(text: string): Buffer {
  return Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]);
}

/** A small seeded generator, good enough to choose mutations. */
function mulberry32(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
