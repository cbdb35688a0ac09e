import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect } from 'vitest';
import { settings } from '../faults/harness/settings.ts';

/** How many times as many inputs the long form tries. */
const LONG = 100;
/** How long one property may take, ms: the short form takes seconds. */
export const FUZZ_MS = settings.isLong ? 3_600_000 : 60_000 * settings.patience;

/**
 * What others write and this program reads, and where it is fuzzed. In each, whatever comes, nothing but a named refusal
 * is thrown, what comes out is valid and bounded, and nothing reaches a prototype.
 *
 * | edge                                                   | who writes it         | test                              |
 * |--------------------------------------------------------|-----------------------|-----------------------------------|
 * | WebSocket frames, to the ack of their command          | the backend           | frames.test.ts                    |
 * | answers to /edge/message, /edge/sync, /edge/command/ack | the backend, proxies | answers.test.ts                   |
 * | config.yaml                                            | the operator          | config.test.ts                    |
 * | columns of chat.db, to the body that is posted         | Messages, other tools | ../relay/hostileRows.test.ts      |
 * | rows, to what is told of them                          | the same              | ../relay/anyRow.property.test.ts  |
 * | attributedBody (typedstream)                           | whoever sends         | blobs.test.ts                     |
 * | message_summary_info, payload_data (plists), polls     | whoever sends         | blobs.test.ts                     |
 * | what osascript and `security` print, the secret's file | macOS, the operator   | programs.test.ts                  |
 *
 * The seed is that of the fault suite (`FAULTS_SEED`); `FAULTS_LONG=1` tries 100 times as many. A failure says its seed and
 * leaves the input, as small as it could be made, in `fixtures/<edge>/`, where it is tried first from then on.
 */
export function fuzzing(runs: number): { numRuns: number; seed: number } {
  return { numRuns: settings.isLong ? runs * LONG : runs, seed: settings.seed };
}

/** Holds the property for the inputs kept in `fixtures/<edge>/` and then for so many of `inputs`. */
export async function fuzz(
  edge: string,
  runs: number,
  inputs: fc.Arbitrary<Buffer>,
  holds: (input: Buffer) => void | Promise<void>,
): Promise<void> {
  const kept = join(import.meta.dirname, 'fixtures', edge);
  const examples = existsSync(kept) ? readdirSync(kept).map((name): [Buffer] => [readFileSync(join(kept, name))]) : [];
  const property = fc.asyncProperty(inputs, async (input) => {
    const before = prototypes();
    await holds(input);
    expect(prototypes()).toEqual(before);
  });
  const result = await fc.check(property, { ...fuzzing(runs), examples });
  if (!result.failed) return;
  const [input] = result.counterexample ?? [];
  if (input) {
    mkdirSync(kept, { recursive: true });
    writeFileSync(join(kept, createHash('sha256').update(input).digest('hex').slice(0, 12)), input);
  }
  const message = `${edge}, FAULTS_SEED=${result.seed}, after ${result.numRuns} inputs: ${input?.toString('latin1').slice(0, 2000)}`;
  throw new Error(message, { cause: result.errorInstance });
}

function prototypes(): PropertyKey[] {
  return [Object, Array, Map, String, Function].flatMap(({ prototype }) => Reflect.ownKeys(prototype));
}
