import { describe, expect, it } from 'vitest';
import { CONDITIONS, causesOf, conditionOf } from '../../src/util/conditions.ts';
import { ERRORS, type ErrorCode } from '../../src/util/errors.ts';

const codes = Object.keys(CONDITIONS) as ErrorCode[];

describe('the table of conditions', () => {
  it('has every code that has a name as a condition', () => {
    const named = (Object.keys(ERRORS) as ErrorCode[]).filter((code) => 'condition' in ERRORS[code]);
    expect(named.filter((code) => !codes.includes(code))).toEqual([]);
  });

  it.each(codes)('has every field of %s', (code) => {
    const { title, severity, dependsOn, visibleAfterSeconds } = conditionOf(code);
    expect(title).toMatch(/^\S.{3,49}[^.\s]$/);
    expect(['warning', 'critical']).toContain(severity);
    expect(dependsOn.filter((cause) => !codes.includes(cause))).toEqual([]);
    expect(new Set(dependsOn).size).toBe(dependsOn.length);
    expect(visibleAfterSeconds).toBeGreaterThanOrEqual(0);
    expect(visibleAfterSeconds).toBeLessThan(60);
  });

  it('gives each a title of its own', () => {
    expect(new Set(codes.map((code) => conditionOf(code).title)).size).toBe(codes.length);
  });

  it('lets nothing be its own cause, over however many others', () => {
    expect(codes.filter((code) => causesOf(code).has(code))).toEqual([]);
  });

  it('hides nothing behind what is less severe', () => {
    const worse = codes.flatMap((code) =>
      [...causesOf(code)]
        .filter((cause) => conditionOf(code).severity === 'critical' && conditionOf(cause).severity === 'warning')
        .map((cause) => [code, cause]),
    );
    expect(worse).toEqual([]);
  });

  it('takes a code that is not expected to stand for critical, and shows it at once', () => {
    expect(conditionOf('EDGE_STATE_CORRUPT')).toEqual({
      title: 'State corrupt',
      severity: 'critical',
      dependsOn: [],
      visibleAfterSeconds: 0,
    });
  });
});
