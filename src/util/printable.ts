const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
/** Control characters, other line ends, and marks that turn the direction of what follows. */
const STEERING = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/** One line in which nothing steers a terminal, whoever wrote it. JSON stays the JSON it was. */
export function printable(text: string): string {
  return text.replace(STEERING, (char) => SHORT[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A word of a command line that people are told to type: what others chose must not be a command of its own. */
export function shellWord(word: string): string {
  return /^[\w:.+@-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
