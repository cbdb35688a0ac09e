import { describe, expect, it } from 'vitest';
import { sameText } from '../../src/messaging/reflex.ts';
import { composed } from '../../src/util/composed.ts';

describe('composed', () => {
  it('is NFC for what people write', () => {
    for (const text of ['', 'hello', 'caf\u0065\u0301', '한글', 'Z\u0323\u0307', '🏳️‍🌈', 'क्षि']) {
      expect(composed(text)).toBe(text.normalize('NFC'));
    }
  });

  it('does not take the square of the length of a heap of marks', () => {
    // NFC alone would take a minute over this one.
    const heap = `a${'\u0301\u0323'.repeat(250_000)}`;
    expect(composed(heap).length).toBeGreaterThan(500_000);
    expect(sameText(heap, `${heap}b`)).toBe(false);
    expect(sameText(heap, `${heap} `)).toBe(true);
  }, 10_000);
});
