import type { Span } from '../../util/TextPattern.ts';

/** Words that make a number beside them a code: English, German, French, Spanish, Italian, Portuguese, Dutch and others. */
const WORDS = [
  '(?:(?:best[äa]tigungs|sicherheits|verifizierungs|verifikations|freigabe|einmal|zugangs|anmelde|aktivierungs|login)-?)?codes?',
  '(?:pass|pin|sms|login|security|auth|verificatie|beveiligings|toegangs|inlog)-?codes?',
  'otp|2fa|mfa|m?-?tan|pin|passwor[dt]|einmalpasswort|kennwort|verification|verify',
  'mot de passe|v[ée]rification|c[óo]digos?|clave|contrase[ñn]a|verificaci[óo]n|codice|senha|wachtwoord',
  'код|пароль|kod|kode',
].join('|');
const WORD = new RegExp(
  `(?<![\\p{L}\\p{N}_])(?:${WORDS})(?![\\p{L}\\p{N}_])|验证码|驗證碼|認証|コード|인증|رمز`,
  'giu',
);
/** `G-123456`, `123456`, `123 456`, `1234-5678`; no price, no part of a longer number. */
const DIGITS = String.raw`(?:\d{4,8}|\d{3,4}[ .-]\d{3,4})`;
/** What some senders use: capitals and digits mixed, such as 7KQ2XM; but not SAVE10. */
const MIXED = String.raw`(?=[A-Z0-9]{0,7}\d)(?=[A-Z0-9]{0,7}[A-Z])(?![A-Z]{3,}\d{1,3}(?![A-Z0-9]))[A-Z0-9]{5,8}`;
const CODE = new RegExp(
  String.raw`(?<![\w-])(?<![$€£¥]\s?)(?<!\d[.,])(?:[A-Z]{1,3}-)?(?:${DIGITS}|${MIXED})(?![\w-])(?![.,]\d)`,
  'g',
);
/** How far a code stands from the word that makes it one, characters. */
const DISTANCE = 60;
/** Codes looked for that the body marks, and their longest: Messages marks one or two short ones. */
const MAX_MARKED = 20;
const MAX_MARKED_LENGTH = 64;

/** Codes to sign in with: those near a word that says so, and those that Messages has marked in the body (`marked`). */
export function findOneTimeCodes(text: string, marked: readonly string[]): Span[] {
  const words = [...text.matchAll(WORD)].map((match) => ({ start: match.index, end: match.index + match[0].length }));
  let next = 0;
  const near = [...text.matchAll(CODE)].flatMap((code) => {
    const span = { start: code.index, end: code.index + code[0].length };
    while (next < words.length && words[next]!.end < span.start - DISTANCE) next++;
    const word = words[next];
    return word !== undefined && word.start <= span.end + DISTANCE ? [span] : [];
  });
  return [...near, ...marked.slice(0, MAX_MARKED).flatMap((code) => occurrences(text, code))];
}

/** Where the text shows the code, however its characters are set apart there. */
function occurrences(text: string, code: string): Span[] {
  const characters = [...code.replaceAll(/[^\p{L}\p{N}]/gu, '')].slice(0, MAX_MARKED_LENGTH);
  if (characters.length === 0) return [];
  const shown = new RegExp(`(?<![\\p{L}\\p{N}])${characters.join('[ .-]?')}(?![\\p{L}\\p{N}])`, 'giu');
  return [...text.matchAll(shown)].map((match) => ({ start: match.index, end: match.index + match[0].length }));
}
