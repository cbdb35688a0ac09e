import type { Span } from '../../util/TextPattern.ts';

/** Keys by the form that their issuers give them, so that they can be found when they leak. */
const FORMS = [
  'sk-[A-Za-z0-9_-]{20,}',
  '[sr]k_(?:live|test)_[A-Za-z0-9]{16,}',
  'whsec_[A-Za-z0-9+/=]{24,}',
  'gh[pousr]_[A-Za-z0-9]{36,}',
  'github_pat_[A-Za-z0-9_]{22,}',
  'gl(?:pat|rt|dt)-[A-Za-z0-9_-]{20,}',
  'npm_[A-Za-z0-9]{36,}',
  'pypi-[A-Za-z0-9_-]{50,}',
  'hf_[A-Za-z0-9]{30,}',
  '(?:AKIA|ASIA)[A-Z0-9]{16}',
  'AIza[A-Za-z0-9_-]{35}',
  'ya29\\.[A-Za-z0-9_-]{20,}',
  'SG\\.[A-Za-z0-9_-]{20,}\\.[A-Za-z0-9_-]{40,}',
  'SK[0-9a-f]{32}(?![0-9a-f])',
  'xox[abeoprs]-[A-Za-z0-9-]{10,}',
  'xapp-[A-Za-z0-9-]{20,}',
  '\\d{8,10}:[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])',
  'eyJ[A-Za-z0-9_-]{10,}\\.eyJ[A-Za-z0-9_-]{10,}\\.[A-Za-z0-9_-]+',
];
// A form begins where no character of one stands before it: each place of the text is read by few of them.
const KEY = new RegExp(FORMS.map((form) => `(?<![A-Za-z0-9_-])${form}`).join('|'), 'g');
/** Keys of no known form behind a name that says what they are. */
const NAMED =
  /(?:api[ _-]?key|secret(?:[ _-]?key)?|(?:access|auth|bearer)[ _-]?token|bearer)\s{0,3}(?:is|[:=])?\s{0,3}["']?([A-Za-z0-9_./+=-]{20,})/gi;

/** Keys and tokens of programming interfaces. */
export function findApiKeys(text: string): Span[] {
  const known = [...text.matchAll(KEY)].map((match) => ({ start: match.index, end: match.index + match[0].length }));
  const named = [...text.matchAll(NAMED)]
    .filter((match) => /\d/.test(match[1]!))
    .map((match) => {
      const end = match.index + match[0].length;
      return { start: end - match[1]!.length, end };
    });
  return [...known, ...named];
}
