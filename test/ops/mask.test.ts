import { describe, expect, it } from 'vitest';
import { maskIn, maskInId } from '../../src/ops/mask.ts';

describe('a handle', () => {
  it.each([
    ['+15550100002', '…0002'],
    ['to %2B15550100002&x', 'to …0002&x'],
    ['15550100002', '…0002'],
    ['ann@example.com', '….com'],
    ['to +1 (555) 010-0002.', 'to …0002.'],
    ['+1 555 010 0002', '…0002'],
    ['(+44-20-7946-0018)', '(…0018)'],
    ['+1.555.010.0002, 3 times', '…0002, 3 times'],
    ['?to=ann%40example.com', '?to=….com'],
  ])('%s of what came from elsewhere is masked', (text, masked) => {
    expect(maskIn(text)).toBe(masked);
  });

  it.each([
    '2026-01-01T13:00:00.000+01:00',
    'Thu Jan 01 2026 13:00:00 GMT+0100 (Central European Standard Time)',
    'Thu, 01 Jan 2026 13:00:00 +0100 2026-01-01',
    '13:00 +1000 2026-01-01 12:00',
    '0.3.0+1.20260101 of 26.10.0',
    'c-1+2 3 4, 5 of 12 in 1200 ms',
    'x86_64 at 10.0.17.1:8377',
  ])('is not seen in %s', (text) => {
    expect(maskIn(text)).toBe(text);
  });

  it.each([
    ['answer-+15550100002-7', 'answer-…0002-7'],
    ['ann@example.com', '….com'],
    ['1763720422873', '1763720422873'],
    ['cmd_15550100002', 'cmd_15550100002'],
  ])('in the id %s is masked, but a number is an id', (id, masked) => {
    expect(maskInId(id)).toBe(masked);
  });

  it.each(['ann.smith@example.com', '+15550100002', '+1 (555) 010-0002'])(
    '%s leaves no part of it where a long detail is cut',
    (handle) => {
      for (let more = 1; more < handle.length; more++) {
        const text = maskIn(`${'x '.repeat(500).slice(more)}${handle}`);
        expect(text.replaceAll('x ', '').trim()).toMatch(/^(….{4})?$/);
      }
    },
  );
});
