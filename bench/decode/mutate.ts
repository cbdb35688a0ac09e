export type Random = () => number;

/** How a typedstream writes a huge length, and a plist. */
const LENGTHS = [
  '7f',
  '81ffff',
  '81ff7f',
  '82ffffff7f',
  '82ffffffff',
  '87ffffffffffffff7f',
  '87ffffffffffffffff',
  '5f137fffffffffffffff',
  'af12ffffffff',
  'df117fff',
].map((hex) => Buffer.from(hex, 'hex'));

/** One to four mutations of a random blob: flipped bits, cuts, swollen lengths, splices, repeated segments. */
export function mutate(blobs: readonly Buffer[], random: Random): Buffer {
  const below = (limit: number) => Math.floor(random() * limit);
  const pick = () => blobs[below(blobs.length)]!;
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
        const length = LENGTHS[below(LENGTHS.length)]!;
        bytes = Buffer.concat([bytes.subarray(0, at), length, bytes.subarray(at + 1)]);
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

/** A small seeded generator, good enough to choose mutations. */
export function mulberry32(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
