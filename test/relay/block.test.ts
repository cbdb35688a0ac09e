import { statSync } from 'node:fs';
import { expect, it } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { FakeSource, row } from './fakes.ts';
import { setUp } from './intakeRig.ts';

/** More than the rows from one checkpoint to the next, and fewer than a commit would checkpoint after by itself. */
const ROWS = 2_500;

it('a block is brought into the file of state.db as it is taken in, between the batches', async () => {
  const { intake, cursor, path } = setUp();
  intake.changed(new FakeSource().add(...Array.from({ length: ROWS }, (_, index) => row(index + 1))));
  await waitFor('the block to be taken in', () => cursor() === ROWS);
  expect(statSync(path).size).toBeGreaterThan(ROWS * 300);
});
