import { expect } from 'vitest';
import { decodeBody } from '../../src/chatdb/typedstream/decodeBody.ts';
import { encodeBody, plainSegments } from '../../src/simulator/typedstreamEncoder.ts';
import { EdgeError } from '../../src/util/EdgeError.ts';
import { BEN, type FaultRun } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { settings } from './harness/settings.ts';

const BODIES = settings.isLong ? 200_000 : 10_000;
const THROUGH_THE_AGENT = 30;
const MOST_MS = 50 * settings.patience;

const SOUND = [
  encodeBody(plainSegments('a text of some words')),
  encodeBody(plainSegments('é👍 '.repeat(400)), { mutable: true }),
  encodeBody(plainSegments('see this', ['at_0_A', 'at_1_B'])),
  encodeBody([
    { text: 'you', mention: '+15550100004' },
    { text: ' look at ', part: 1 },
    { text: 'example.com', link: 'https://example.com', part: 1 },
    {
      text: '\u{fffc}',
      attributes: { a: { b: { c: 1.5 } }, d: new Uint8Array(300), e: { url: 'https://example.com' } },
    },
  ]),
];

faultTest('D9 delivers messages with bodies that nobody can decode, each said to be so, and takes what comes next', {
  reply: (text) => ({ bubbles: text.endsWith('sound') ? ['yes'] : [] }),
  async fault(run) {
    const undecodable: Buffer[] = [];
    let slowestMs = 0;
    for (let n = 0; n < BODIES; n++) {
      const bytes = fuzzed(run);
      const { ms, isSound } = decoded(bytes);
      slowestMs = Math.max(slowestMs, ms > MOST_MS ? Math.min(...[1, 2, 3].map(() => decoded(bytes).ms)) : ms);
      expect(slowestMs, `seed ${settings.seed}: ${bytes.toString('base64')}`).toBeLessThan(MOST_MS);
      if (!isSound && undecodable.length < THROUGH_THE_AGENT) undecodable.push(bytes);
    }
    run.note = `${BODIES} bodies, the slowest took ${slowestMs.toFixed(1)} ms`;

    const guids = undecodable.map((bytes) =>
      run.write(undefined, { body: bytes.toString('base64'), arrivesChanged: true }),
    );
    run.write(BEN, { ending: 'sound' });
    await run.quiet(15_000);
    for (const guid of guids) {
      const [body] = run.ledger.accepted.get(guid)!.bodies;
      expect(JSON.parse(body!)).toMatchObject({ filtered_text: '', decode_error: expect.stringMatching(/./) });
    }
  },
});

function decoded(bytes: Buffer): { ms: number; isSound: boolean } {
  const startedAt = performance.now();
  let isSound = true;
  try {
    decodeBody(bytes);
  } catch (error) {
    if (!(error instanceof EdgeError) || error.code !== 'EDGE_BODY_UNDECODABLE') {
      throw new Error(`seed ${settings.seed}: ${bytes.toString('base64')}`, { cause: error });
    }
    isSound = false;
  }
  return { ms: performance.now() - startedAt, isSound };
}

/** A sound body cut off, with flipped bits, with a length of many gigabytes, with a part of another, or noise. */
function fuzzed({ random }: FaultRun): Buffer {
  const below = (most: number) => Math.floor(random() * most);
  const bytes = Buffer.from(SOUND[below(SOUND.length)]!);
  const kind = below(5);
  if (kind === 0) return bytes.subarray(0, below(bytes.length));
  if (kind === 1) {
    for (let left = 1 + below(8); left > 0; left--) bytes[below(bytes.length)]! ^= 1 << below(8);
    return bytes;
  }
  if (kind === 2) {
    const width = [0x81, 0x82, 0x87][below(3)]!;
    Buffer.from([width, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0x7f]).copy(bytes, below(bytes.length));
    return bytes;
  }
  if (kind === 3) {
    const other = SOUND[below(SOUND.length)]!;
    return Buffer.concat([bytes.subarray(0, below(bytes.length)), other.subarray(below(other.length))]);
  }
  return Buffer.from(Array.from({ length: 1 + below(2000) }, () => below(256)));
}
