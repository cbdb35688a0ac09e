import { patience } from '../../support/patience.ts';

/** What a run of the fault suite is told by its environment; `npm run test:faults` sets it, `npm test` does not. */
export const settings = {
  /** Decides over everything that is left to chance: the same seed is the same plan. */
  seed: Number(process.env.FAULTS_SEED ?? 20261122),
  /** How often cases that kill at random do so; undefined: as often as their short form does. */
  kills: numberOrNone(process.env.FAULTS_KILLS),
  /** How many seeds the test of the whole takes, from `seed` on; undefined: as many as its short form does. */
  runs: numberOrNone(process.env.FAULTS_RUNS),
  /** How long the soak lasts, h; undefined: for seconds. */
  hours: numberOrNone(process.env.FAULTS_HOURS),
  /** Whether the test of the whole looks for the shortest plan that fails as well. */
  shrinks: process.env.FAULTS_SHRINK === '1',
  /** Whether the agent is the compiled one of dist, as an installation runs it, instead of src as it is. */
  isCompiled: process.env.FAULTS_COMPILED === '1',
  /** Whether cases take their long form: the whole grid, the whole day. */
  isLong: process.env.FAULTS_LONG === '1',
  /** For measured times that are compared with a promise; waits are multiplied by it already. */
  patience,
  /** A file to which each case appends what became of it, as a line of JSON. */
  reportPath: process.env.FAULTS_REPORT,
  /** A file to which vitest appends what became of each test, as a line of JSON. */
  resultsPath: process.env.FAULTS_RESULTS,
};

function numberOrNone(text: string | undefined): number | undefined {
  return text === undefined || text === '' ? undefined : Number(text);
}

/** Park and Miller's generator, from 0 to 1: the same seed is the same sequence. */
export function seeded(seed: number): () => number {
  let state = Math.max(1, Math.abs(Math.trunc(seed)) % 2147483647);
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}
