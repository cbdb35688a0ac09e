import { MAX_DEPTH, MAX_ENCODING_LENGTH } from './limits.ts';
import { StreamDamage } from './StreamDamage.ts';

/** One type of a group: a scalar or object by its letter, N raw bytes, an array or a struct. */
export type TypeEncoding =
  | { readonly kind: 'value'; readonly letter: string }
  | { readonly kind: 'bytes'; readonly count: number }
  | { readonly kind: 'array'; readonly count: number; readonly item: TypeEncoding }
  | { readonly kind: 'struct'; readonly fields: readonly TypeEncoding[] };

const LETTERS = 'cCBsSiIlLqQfd@#*%:+';

/** Reads an Objective-C type encoding as `NSArchiver` writes them: `iI`, `[12c]`, `{_NSRange=QQ}`. */
export function parseTypeEncoding(text: string): TypeEncoding[] {
  if (text.length > MAX_ENCODING_LENGTH) throw new StreamDamage(`a type encoding of ${text.length} bytes`);
  const types: TypeEncoding[] = [];
  let at = 0;
  while (at < text.length) types.push(parseOne(0));
  return types;

  function parseOne(depth: number): TypeEncoding {
    if (depth > MAX_DEPTH) throw new StreamDamage('a type encoding nested too deep');
    const letter = text[at++];
    if (letter === '[') return parseArray(depth);
    if (letter === '{') return parseStruct(depth);
    if (letter === undefined || !LETTERS.includes(letter)) throw new StreamDamage('an unknown type encoding');
    return { kind: 'value', letter };
  }

  function parseArray(depth: number): TypeEncoding {
    const digits = /^\d{1,9}/.exec(text.slice(at, at + 9))?.[0];
    if (digits === undefined) throw new StreamDamage('an array encoding without a count');
    at += digits.length;
    const item = parseOne(depth + 1);
    if (text[at++] !== ']') throw new StreamDamage('an array encoding without an end');
    const count = Number(digits);
    const isBytes = item.kind === 'value' && (item.letter === 'c' || item.letter === 'C');
    return isBytes ? { kind: 'bytes', count } : { kind: 'array', count, item };
  }

  function parseStruct(depth: number): TypeEncoding {
    const equals = text.indexOf('=', at);
    if (equals === -1) throw new StreamDamage('a struct encoding without fields');
    at = equals + 1;
    const fields: TypeEncoding[] = [];
    while (text[at] !== '}') fields.push(parseOne(depth + 1));
    at++;
    return { kind: 'struct', fields };
  }
}
