import { expect, it } from 'vitest';
import { giveWidth } from '../../src/cli/service/askPerson.ts';

it.each([
  [0, 80],
  [120, 120],
])('a person at a terminal of %i columns is asked in %i', (columns, width) => {
  const output = { columns };
  giveWidth(output);
  expect(output.columns).toBe(width);
});
