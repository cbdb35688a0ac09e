import { describe, expect, it } from 'vitest';
import { maskIn, maskInId } from '../../src/ops/mask.ts';

describe('a handle', () => {
  it.each([
    ['+15550100002', '…0002'],
    ['to %2B15550100002&x', 'to …0002&x'],
    ['15550100002', '…0002'],
    ['ann@example.com', '….com'],
    ['?to=ann%40example.com', '?to=….com'],
  ])('%s of what came from elsewhere is masked', (text, masked) => {
    expect(maskIn(text)).toBe(masked);
  });

  it.each([
    ['answer-+15550100002-7', 'answer-…0002-7'],
    ['ann@example.com', '….com'],
    ['1763720422873', '1763720422873'],
    ['cmd_15550100002', 'cmd_15550100002'],
  ])('in the id %s is masked, but a number is an id', (id, masked) => {
    expect(maskInId(id)).toBe(masked);
  });

  it.each(['ann.smith@example.com', '+15550100002'])('%s leaves no part of it where a long detail is cut', (handle) => {
    for (let more = 1; more < handle.length; more++) {
      const text = maskIn(`${'x '.repeat(500).slice(more)}${handle}`);
      expect(text.replace(/[x ]/g, '')).toMatch(/^(….{4})?$/);
    }
  });
});
