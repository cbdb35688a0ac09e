import { createRequire } from 'node:module';
import type { RE2JS } from 're2js';

const require = createRequire(import.meta.url);
/** Loaded with the first pattern: most settings have none, and it takes 6 MB of memory. */
const engine = () => (require('re2js') as typeof import('re2js')).RE2JS;

/** Longest pattern taken, characters: it also bounds the work of compiling one. */
const MAX_LENGTH = 500;
/** What a character costs beside the instructions it is tried on, in steps. */
const PER_CHARACTER = 8;
/** What a search costs that ends at once, in characters. */
const PER_SEARCH = 20;

/**
 * What patterns that are used together may cost at most for one character, in steps: with it, 800,000 steps look through
 * a text of 1,000 characters, so that messages of usual length are never cut short.
 */
export const MAX_COST = 800;

/** Part of a text, in UTF-16 code units: from `start` up to, and without, `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Steps that may still be taken; a search takes its own off before it begins. */
export interface Steps {
  left: number;
}

/**
 * A pattern that a user wrote, in RE2 syntax. RE2 never back-tracks, so that a search takes at most one step an
 * instruction and character: what it may cost is known before it begins. Finding all is a search for each match, and
 * each may look to the end of the text (`a.*z|a`), so that every one of them is paid for in full.
 */
export class TextPattern {
  /** Steps that one character of a text may take. */
  readonly cost: number;
  readonly #re: RE2JS;

  private constructor(re: RE2JS) {
    this.#re = re;
    this.cost = re.programSize() + PER_CHARACTER;
  }

  /** Returns what is wrong with a pattern that cannot be used, for people. */
  static compile(source: string): TextPattern | { readonly flaw: string } {
    if (source.length > MAX_LENGTH) return { flaw: `at most ${MAX_LENGTH} characters` };
    try {
      const re = engine().compile(source);
      return re.test('') ? { flaw: 'a pattern that does not match the empty text' } : new TextPattern(re);
    } catch (error) {
      const why = (error instanceof Error ? error.message : '').replace(/^error parsing regexp: |: `.*$/gs, '');
      if (/\(\?<?[=!]/.test(source))
        return { flaw: 'a pattern in RE2 syntax, which has no look-around: (?= (?! (?<= (?<!' };
      if (/\\[1-9]/.test(source)) return { flaw: 'a pattern in RE2 syntax, which has no back-references: \\1 to \\9' };
      return { flaw: `a pattern in RE2 syntax (${why || 'it cannot be read'})` };
    }
  }

  test(text: string): boolean {
    return this.#re.test(text);
  }

  /**
   * All matches of some length, and how far the text was looked through: to its end, or less when `steps` ran out. The
   * first search is not taken off `steps`: the caller bounds it by the length of the text.
   */
  findAll(text: string, steps: Steps): { found: Span[]; lookedTo: number } {
    const found: Span[] = [];
    const matcher = this.#re.matcher(text);
    while (matcher.find()) {
      const [start, end] = [matcher.start(), matcher.end()];
      if (end > start) found.push({ start, end });
      const price = (text.length - end + PER_SEARCH) * this.cost;
      if (price > steps.left) return { found, lookedTo: end };
      steps.left -= price;
    }
    return { found, lookedTo: text.length };
  }
}
