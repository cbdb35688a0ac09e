import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeBody } from '../../src/chatdb/typedstream/decodeBody.ts';
import { encodeBody, plainSegments } from '../../src/simulator/typedstreamEncoder.ts';

const texts = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.string({ unit: 'binary', maxLength: 300 }),
  // About the lengths at which the length itself takes more bytes.
  fc.constantFrom(127, 128, 255, 256, 32_767, 32_768, 65_535, 65_536).map((length) => 'x'.repeat(length)),
);

it('bodies that the simulated Messages writes are read as they were meant', () => {
  fc.assert(
    fc.property(texts, fc.boolean(), fc.integer({ min: 0, max: 3 }), (text, mutable, count) => {
      const guids = Array.from({ length: count }, (_, index) => `at_${index}_GUID`);
      const body = decodeBody(encodeBody(plainSegments(text, guids), { mutable }));
      expect(body.damage).toBeUndefined();
      expect(body.text.replaceAll('\ufffc', '')).toBe(text.replaceAll('\ufffc', ''));
      expect(body.attachments.map(({ guid }) => guid)).toEqual(guids);
    }),
  );
});
