import { detectedType } from '../../src/chatdb/detectedType.ts';
import { isPlist, readArchive } from '../../src/chatdb/plist/readPlist.ts';
import { readBalloon } from '../../src/chatdb/readBalloon.ts';
import { readSummary } from '../../src/chatdb/readSummary.ts';
import { decodeBody } from '../../src/chatdb/typedstream/decodeBody.ts';
import { EdgeError } from '../../src/util/EdgeError.ts';
import { encodeText } from '../../test/chatdb/support/typedstreamEncoder.ts';
import type { BenchRow } from '../BenchRow.ts';
import { bodyTraps, ordinaryBodies, utf16 } from './bodies.ts';
import { mulberry32, mutate } from './mutate.ts';
import { ordinaryPlists, plistTraps } from './plists.ts';

/** No blob may take longer, ms. */
const LIMIT_MS = 50;
/** A blob that took longer than this is decoded again: the machine may have been busy elsewhere. */
const SUSPICIOUS_MS = 5;
const SECOND_LOOKS = 5;
/** Growth of the process over the whole run, MB (10^6 bytes). */
const MEMORY_LIMIT = 64;
/** Decoded before memory is measured: what the engine needs for itself is there by then. */
const WARM_UP = 50_000;
const LOOK_EVERY = 500;
const LINKS = 'com.apple.messages.URLBalloonProvider';
const POLLS = 'com.apple.messages.Polls';

/** Decodes `count` mutated bodies and plists, then those that are built to make a decoder work. */
export function mutations(count: number, seed: number): BenchRow[] {
  const random = mulberry32(seed);
  const blobs = [
    ...ordinaryBodies(),
    ...ordinaryPlists(),
    encodeText(''),
    encodeText('é'.repeat(4000)),
    encodeText('x'.repeat(70_000)),
    utf16('plain'),
  ];
  const traps = [...bodyTraps(), ...plistTraps()];
  const times = new Microseconds();
  const outcomes = { read: 0, refused: 0, crashed: 0, slow: 0 };
  for (let i = 0; i < WARM_UP; i++) decodeTimed(mutate(blobs, random));
  const before = process.memoryUsage.rss();
  let peak = before;
  for (let i = 0; i < count; i++) {
    const bytes = mutate(blobs, random);
    const first = decodeTimed(bytes);
    const ms = first.ms > SUSPICIOUS_MS ? Math.min(first.ms, quickest(bytes)) : first.ms;
    times.add(ms);
    outcomes[first.outcome]++;
    if (first.outcome === 'crashed') console.error(`blob ${i} crashed: ${bytes.toString('hex')}`);
    if (ms > LIMIT_MS) outcomes.slow++;
    if (i % LOOK_EVERY === 0) peak = Math.max(peak, process.memoryUsage.rss());
  }
  const slowestTrap = Math.max(...traps.map(quickest));
  peak = Math.max(peak, process.memoryUsage.rss());
  const grown = (peak - before) / 1e6;
  console.error(`chatdb: ${outcomes.read} read, ${outcomes.refused} refused`);
  const unit = `of ${count}`;
  return [
    { name: 'mutated blobs that crash', unit, goal: '0', value: outcomes.crashed, ok: outcomes.crashed === 0 },
    { name: `mutated blobs over ${LIMIT_MS} ms`, unit, goal: '0', value: outcomes.slow, ok: outcomes.slow === 0 },
    {
      name: 'time for a mutated blob, longest',
      unit: 'ms',
      goal: `≤ ${LIMIT_MS}`,
      value: times.longest,
      p50: times.quantile(0.5),
      p99: times.quantile(0.99),
      ok: outcomes.slow === 0,
    },
    {
      name: `time for one of ${traps.length} traps, longest`,
      unit: 'ms',
      goal: `≤ ${LIMIT_MS}`,
      value: slowestTrap,
      ok: slowestTrap <= LIMIT_MS,
    },
    { name: 'growth of RSS', unit: 'MB', goal: `≤ ${MEMORY_LIMIT}`, value: grown, ok: grown <= MEMORY_LIMIT },
  ];
}

/** What is done with a blob of chat.db: a body is decoded, a plist read as summary and as payload. */
function decodeTimed(bytes: Buffer): { ms: number; outcome: 'read' | 'refused' | 'crashed' } {
  const start = performance.now();
  let outcome: 'read' | 'refused' | 'crashed' = 'read';
  try {
    if (isPlist(bytes)) {
      readSummary(bytes);
      readBalloon(LINKS, bytes);
      readBalloon(POLLS, bytes);
      readArchive(bytes);
    } else {
      for (const { archive } of decodeBody(bytes).detections) detectedType(archive);
    }
  } catch (error) {
    const cause = error instanceof EdgeError ? (error.cause as Error | undefined)?.name : undefined;
    outcome = cause === 'StreamDamage' || cause === 'PlistDamage' ? 'refused' : 'crashed';
  }
  return { ms: performance.now() - start, outcome };
}

function quickest(bytes: Buffer): number {
  return Math.min(...Array.from({ length: SECOND_LOOKS }, () => decodeTimed(bytes).ms));
}

/** Times by the microsecond up to 100 ms, in memory that does not grow with their number. */
class Microseconds {
  longest = 0;
  readonly #counts = new Uint32Array(100_001);
  #total = 0;

  add(ms: number): void {
    this.longest = Math.max(this.longest, ms);
    this.#counts[Math.min(100_000, Math.round(ms * 1000))]!++;
    this.#total++;
  }

  quantile(share: number): number {
    let left = Math.max(1, Math.ceil(share * this.#total));
    const at = this.#counts.findIndex((count) => {
      left -= count;
      return left <= 0;
    });
    return at / 1000;
  }
}
