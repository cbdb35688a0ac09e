import { describe, expect, it } from 'vitest';
import { createPrivacyFilter, longestText } from '../../src/relay/privacy.ts';
import { MAX_COST, TextPattern } from '../../src/util/TextPattern.ts';

const filterOf = (...patterns: string[]) =>
  createPrivacyFilter({ redact: patterns.map((pattern, at) => ({ name: `p${at}`, pattern })), denyThreads: [] });

function compiled(source: string): TextPattern {
  const pattern = TextPattern.compile(source);
  if ('flaw' in pattern) throw new Error(pattern.flaw);
  return pattern;
}

describe('patterns of the user', () => {
  it.each([
    ['every match', ['E-\\d+'], 'E-1 and E-22', '[redacted:p0] and [redacted:p0]', ['p0']],
    ['no match', ['E-\\d+'], 'none', 'none', []],
    ['letters of any script', ['(?i)ÄRGER\\pN'], 'x ärger٤ x', 'x [redacted:p0] x', ['p0']],
    ['characters beyond 16 bits', ['💥.'], 'a💥👍b', 'a[redacted:p0]b', ['p0']],
    ['lines', ['(?s)BEGIN.*END'], 'a BEGIN\n1\nEND b', 'a [redacted:p0] b', ['p0']],
    ['the end of a line alone', ['\\n+'], 'a\n\nb', 'a[redacted:p0]b', ['p0']],
    ['the start of a line', ['(?m)^PIN .*$'], 'x\nPIN 1\ny', 'x\n[redacted:p0]\ny', ['p0']],
    ['overlaps, as one', ['abcd', 'cdef'], 'abcdef', '[redacted:p0]', ['p0', 'p1']],
    ['what contains another, as one', ['b', 'abc'], 'abc', '[redacted:p1]', ['p0', 'p1']],
    ['neighbours of one name, as one', ['\\d'], 'a1234b', 'a[redacted:p0]b', ['p0']],
    ['neighbours of two names, as two', ['a', 'b'], 'ab', '[redacted:p0][redacted:p1]', ['p0', 'p1']],
    ['nothing in what stands for another', ['\\w+', 'redacted'], 'ab', '[redacted:p0]', ['p0']],
    ['nothing where a match has no length', ['\\b', '$', 'x*$'], 'ab cd', 'ab cd', []],
  ])('replace %s', (_what, patterns, text, wanted, redacted) => {
    const flawless = patterns.filter((source) => !('flaw' in TextPattern.compile(source)));
    expect(flawless.length).toBeGreaterThan(0);
    expect(filterOf(...flawless).redact(text)).toEqual({ text: wanted, redacted });
  });

  it('see the whole text: what a detector finds hides nothing from them, nor they from it', () => {
    const filter = createPrivacyFilter({
      redact: [{ name: 'four', pattern: '\\b4242\\b' }, 'payment_card'],
      denyThreads: [],
    });
    expect(filter.redact('4242 4242 4242 4242 ok 4242')).toEqual({
      text: '[redacted:payment_card] ok [redacted:four]',
      redacted: ['four', 'payment_card'],
    });
  });

  it.each([
    ['that cannot be read', '(', 'a pattern in RE2 syntax (missing closing ))'],
    ['that match the empty text', 'a*', 'a pattern that does not match the empty text'],
    ['that are long', 'a'.repeat(501), 'at most 500 characters'],
    ['that look around', '(?=a)a', 'a pattern in RE2 syntax, which has no look-around: (?= (?! (?<= (?<!'],
    ['that refer back', '(a)\\1', 'a pattern in RE2 syntax, which has no back-references: \\1 to \\9'],
  ])('%s are refused', (_which, source, flaw) => {
    expect(TextPattern.compile(source)).toEqual({ flaw });
  });
});

describe('the work that patterns may cause', () => {
  it('is known before a search by the size of the pattern', () => {
    expect(compiled('abc').cost).toBeLessThan(20);
    expect(compiled('(x{1,30}){1,30}y').cost).toBeGreaterThan(MAX_COST);
    expect(longestText([compiled('.{390}'), compiled('.{390}')])).toBeGreaterThanOrEqual(1_000);
    expect(longestText([])).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([
    ['nested repeats', '(x{1,19}){1,19}y', 'x'],
    ['repeats of everything', '(.*)(.*)(.*)x', 'ab'],
    ['a big union', `(?i)(?:${Array.from({ length: 80 }, (_, at) => `${at * 37}q`).join('|')})`, '1q'],
    ['a search to the end for each match', 'a.*z|a', 'a'],
  ])('ends with the steps there are for %s: what was not looked through is left out', (_which, pattern, piece) => {
    const text = piece.repeat(512_000 / piece.length);
    const limit = longestText([compiled(pattern)]);
    const { text: left, redacted } = filterOf(pattern).redact(text);
    expect(limit * compiled(pattern).cost).toBeLessThanOrEqual(1_000 * MAX_COST);
    expect(redacted).toContain('unscanned');
    expect(left.endsWith('[redacted:unscanned]') || left.endsWith('[redacted:p0]')).toBe(true);
    expect(left.length).toBeLessThanOrEqual(limit + 40);
  });

  it('takes the steps of every search from those that are left', () => {
    const pattern = compiled('\\d');
    const enough = { left: 1_000_000 };
    expect(pattern.findAll('1a2a3', enough)).toEqual({
      found: [
        { start: 0, end: 1 },
        { start: 2, end: 3 },
        { start: 4, end: 5 },
      ],
      lookedTo: 5,
    });
    expect(1_000_000 - enough.left).toBe((24 + 22 + 20) * pattern.cost);
    expect(pattern.findAll('1a2a3', { left: (24 + 21) * pattern.cost })).toEqual({
      found: [
        { start: 0, end: 1 },
        { start: 2, end: 3 },
      ],
      lookedTo: 3,
    });
  });

  it('leaves out what a match too many has left unread, and hands over nothing of it', () => {
    const text = 'a'.repeat(5_000);
    const { text: left, redacted } = filterOf('a.*z|a', 'secret$').redact(`${text} secret`);
    expect(redacted).toEqual(['p0', 'p1', 'unscanned']);
    expect(left).not.toContain('secret');
    expect(left).toMatch(/^\[redacted:p0\]\[redacted:\w+\]$/);
  });

  it('does not cut messages as people write them', () => {
    const text = `${'Nice to hear from @anna, the number is 12. '.repeat(25)}bye`;
    expect(filterOf('@\\w+', '\\bproject\\s+falcon\\b', 'ACME-\\d{6}').redact(text).redacted).toEqual(['p0']);
  });
});
