/** What a window shows past its end, so that a boundary there is seen with what follows: more than any emoji has. */
const LOOK_AHEAD = 64;
/** A text of up to so many bubbles' length, in bubbles, is halved about evenly instead of leaving a few words over. */
const HALVED = 1.5;
/** What the word breaker looks at before a cut: dictionaries of Chinese or Thai know no longer words. */
const WORD_CONTEXT = 100;
/** A sentence shorter than this, such as `1.`, belongs to what follows. */
const MIN_SENTENCE = 4;

const SPACE = /\s/;
/** What forms one grapheme with the character before it, be that white space. */
const JOINED = /\u200d|[\p{M}\p{Grapheme_Extend}\p{Emoji_Modifier}\u0e33\u0eb3]/u;
const SPACES = new RegExp(`\\s*(?!${JOINED.source})`, 'uy');
/** Full stops and closing brackets of Chinese and Japanese: no space follows, and no URL has them. */
const WIDE = /[\u3000-\u303f\uff00-\uffef]/;
/** Scripts that write without spaces. */
const SPACELESS =
  /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}\u3000-\u303f\uff00-\uffef]/u;
const URLS = /(?:[a-z][a-z0-9+.-]{1,30}:\/\/|www\.)[^\s<>"\u3000-\u303f\uff00-\uffef]+/gi;

/** Made when first needed: each takes megabytes, and most agents never split a text. */
const segmenters = new Map<string, Intl.Segmenter>();

function segmentsOf(text: string, granularity: 'sentence' | 'word' | 'grapheme'): Intl.Segments {
  const segmenter = segmenters.get(granularity) ?? new Intl.Segmenter('und', { granularity });
  segmenters.set(granularity, segmenter);
  return segmenter.segment(text);
}

/**
 * A text in parts of at most `maxChars` UTF-16 code units: cut where a sentence or a line ends, else where a word ends,
 * else between graphemes. A grapheme longer than `maxChars` is nothing that people write, and is cut between code points.
 * White space at a cut is dropped and everything else is kept; no part is blank. A URL that fits into one part is whole.
 *
 * Linear: each cut looks at one window of the text, and two parts together are at least half as long as one may be.
 */
export function splitText(text: string, maxChars: number): string[] {
  if (text.length <= maxChars) return isBlank(text) ? [] : [text];
  const parts: string[] = [];
  const end = text.trimEnd().length;
  let at = pastSpace(text, 0);
  while (at < end) {
    const window = text.slice(at, Math.min(end, at + maxChars + LOOK_AHEAD));
    const cut = end - at <= maxChars ? end - at : cutOf(window, maxChars, end - at);
    const part = window.slice(0, cut).trimEnd();
    if (!isBlank(part)) parts.push(part);
    at = pastSpace(text, at + cut);
  }
  return parts;
}

/** AppleScript cannot be handed NUL. */
function isBlank(part: string): boolean {
  return part.replaceAll('\0', '').trim() === '';
}

function pastSpace(text: string, at: number): number {
  SPACES.lastIndex = at;
  return SPACES.test(text) ? SPACES.lastIndex : at;
}

/** Length of the next part of what is left, `left` code units that begin with `window`. */
function cutOf(window: string, max: number, left: number): number {
  const wanted = left <= max * HALVED ? Math.ceil((left * 2) / 3) : max;
  return (
    sentenceEnd(window, wanted) ??
    sentenceEnd(window, max) ??
    spaceIn(window, wanted / 2, wanted) ??
    spaceIn(window, max / 2, max) ??
    wordEnd(window, max) ??
    graphemeEnd(window, max)
  );
}

/**
 * The last end of a sentence or line in the second half of `max`. Unicode ends a sentence after `?` also where no space
 * follows, as in a URL: only after white space or a full stop of the scripts that need none may be cut.
 */
function sentenceEnd(window: string, max: number): number | undefined {
  let best: number | undefined;
  for (const { index, segment } of segmentsOf(window, 'sentence')) {
    const said = segment.trimEnd().length;
    const end = index + said;
    if (end > max) break;
    if (end < max / 2 || said < MIN_SENTENCE || index + segment.length === window.length) continue;
    if (said < segment.length || WIDE.test(window[end - 1]!)) best = end;
  }
  return best;
}

/** The last white space from `min` to `max`, both included. */
function spaceIn(window: string, min: number, max: number): number | undefined {
  for (let at = Math.floor(max); at >= min && at > 0; at--) if (SPACE.test(window[at]!)) return at;
  return undefined;
}

/** Where the last word ends that is whole within `max`, in scripts with spaces and without, or a URL begins. */
function wordEnd(window: string, max: number): number | undefined {
  const from = Math.max(0, max - WORD_CONTEXT);
  const at = from + (segmentsOf(window.slice(from), 'word').containing(max - from)?.index ?? 0);
  // Where the slice begins, no word needs to.
  const isWord = at > Math.max(from, max / 2) && (SPACELESS.test(window[at - 1]!) || SPACELESS.test(window[at]!));
  const url = urlAt(window, isWord ? at : max);
  if (url !== undefined) return url > 0 ? url : undefined;
  return isWord ? at : spaceIn(window, 0, max);
}

function graphemeEnd(window: string, max: number): number {
  const at = segmentsOf(window, 'grapheme').containing(max)?.index ?? max;
  if (at > 0) return at;
  const isPairCut = (window.codePointAt(max - 1) ?? 0) > 0xffff;
  return isPairCut && max > 1 ? max - 1 : max;
}

/** Where the URL begins that a cut at `at` would be within. */
function urlAt(window: string, at: number): number | undefined {
  for (const { index, 0: url } of window.matchAll(URLS)) {
    if (index >= at) return undefined;
    if (index + url.length > at) return index;
  }
  return undefined;
}
