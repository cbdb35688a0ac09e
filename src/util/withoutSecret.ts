const BLOT = '[secret]';
/** Less of a secret, or of its base64, may be part of any word, characters. */
const LEAST = 8;
const NAMED_ENTITIES: Readonly<Record<string, string>> = { '"': 'quot', "'": 'apos', '&': 'amp', '<': 'lt', '>': 'gt' };

let last: { secret: string; pattern: RegExp } | undefined;

/**
 * `text` with the secret blotted out: error pages and close reasons may echo what was sent, as it is, escaped for JSON,
 * URLs or HTML, or in base64. Cut a text only afterwards, because half a secret is found by nobody.
 */
export function withoutSecret(text: string, secret: string | undefined): string {
  if (!secret) return text;
  if (last?.secret !== secret) last = { secret, pattern: patternOf(secret) };
  return withoutBeginning(text.replace(last.pattern, BLOT), secret);
}

/** The beginning of a secret at the end of a text: a close reason ends after 123 bytes, in the middle of whatever. */
function withoutBeginning(text: string, secret: string): string {
  const at = text.lastIndexOf(secret.slice(0, LEAST));
  return at >= 0 && secret.length > LEAST && secret.startsWith(text.slice(at)) ? text.slice(0, at) + BLOT : text;
}

function patternOf(secret: string): RegExp {
  const escaped = [...secret].map((char) => `(?:${formsOf(char).join('|')})`).join('');
  const encoded = [secret, JSON.stringify(secret).slice(1, -1)].flatMap(inBase64); // of a header, and of all as JSON
  return new RegExp([escaped, ...encoded].join('|'), 'g');
}

/** Of one character: its escapes, and itself. */
function formsOf(char: string): string[] {
  const code = char.charCodeAt(0);
  const hex = code
    .toString(16)
    .padStart(2, '0')
    .replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
  const named = NAMED_ENTITIES[char];
  return [
    `%${hex}`,
    `\\\\u00${hex}`,
    `&#0*${code};`,
    `&#[xX]0*${hex};`,
    ...(named ? [`&${named};`] : []),
    ...('"\\/'.includes(char) ? [`\\\\${literal(char)}`] : []),
    ...(char === ' ' ? ['\\+'] : []),
    literal(char), // last: its escape may begin with it
  ];
}

/** What stands in base64 wherever in the encoded text the secret begins, but for the characters it shares at its ends. */
function inBase64(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].flatMap((shift) => {
    const shared = Math.ceil((shift * 8) / 6);
    const whole = Math.floor(((shift + bytes.length) * 8) / 6);
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .slice(shared, whole);
    if (text.length < LEAST) return [];
    return [[...text].map((char) => (char === '+' ? '[+-]' : char === '/' ? '[/_]' : char)).join('')];
  });
}

function literal(char: string): string {
  return char.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
