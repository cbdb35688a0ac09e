import type { DecodedBody, TextStyle } from '../DecodedBody.ts';
import { MAX_COMPARED_LENGTH } from './limits.ts';
import type { Meaning } from './meaning.ts';

interface Stretch {
  readonly start: number;
  length: number;
}
type Growing<List extends readonly object[]> = (Omit<List[number], 'length'> & Stretch)[];

const REPLACEMENT = '\ufffd';
/** Nobody asks for more of them, and a text may be nothing else. */
const MAX_REPLACEMENTS = 1000;

/** What the attributes of the runs say. Neighbouring runs that say the same are one part, mention, link or style. */
export class Readings {
  readonly #text: string;
  readonly #parts: Growing<DecodedBody['parts']> = [];
  readonly #mentions: (Stretch & { readonly handle: string })[] = [];
  readonly #links: Growing<DecodedBody['links']> = [];
  readonly #attachments: DecodedBody['attachments'][number][] = [];
  readonly #codes: Growing<DecodedBody['codes']> = [];
  readonly #styles: Growing<DecodedBody['styles']> = [];
  readonly #effects: Growing<DecodedBody['effects']> = [];
  readonly #transcripts: DecodedBody['transcripts'][number][] = [];
  readonly #detections: DecodedBody['detections'][number][] = [];
  /** The last stretch of each style: several may run side by side. */
  readonly #lastOfStyle: Partial<Record<TextStyle, Stretch>> = {};

  constructor(options: { text: string }) {
    this.#text = options.text;
  }

  /** A run, in order of the text. */
  add(start: number, length: number, meaning: Meaning): void {
    const { part } = meaning;
    if (part !== undefined) {
      const last = this.#parts.at(-1);
      if (last?.index !== part || !extended(last, start, length)) this.#parts.push({ index: part, start, length });
    }
    if (meaning.others > 0) this.#addOthers(start, length, meaning);
  }

  #addOthers(start: number, length: number, meaning: Meaning): void {
    const { attachment, mention, link, code, effect, transcript } = meaning;
    if (attachment !== undefined) this.#attachments.push({ guid: attachment, start });
    if (transcript !== undefined) this.#transcripts.push({ text: transcript, start });
    if (mention !== undefined) {
      const last = this.#mentions.at(-1);
      if (!last || !isSame(last.handle, mention) || !extended(last, start, length)) {
        this.#mentions.push({ handle: mention, start, length });
      }
    }
    if (link !== undefined) {
      const last = this.#links.at(-1);
      if (!last || !isSame(last.url, link) || !extended(last, start, length)) {
        this.#links.push({ url: link, start, length, ...(meaning.isRichLink && { isRich: true }) });
      }
    }
    if (code) {
      const last = this.#codes.at(-1);
      if (!last || !isSame(last.code, code.code) || !extended(last, start, length)) {
        this.#codes.push({ ...code, start, length });
      }
    }
    if (effect !== undefined) {
      const last = this.#effects.at(-1);
      if (last?.effect !== effect || !extended(last, start, length)) this.#effects.push({ effect, start, length });
    }
    for (const style of meaning.styles) {
      if (extended(this.#lastOfStyle[style], start, length)) continue;
      const stretch = { style, start, length };
      this.#lastOfStyle[style] = stretch;
      this.#styles.push(stretch);
    }
    for (const { kind, archive } of meaning.detections) this.#detections.push({ kind, start, length, archive });
  }

  /** The body with everything that was added. */
  body(runs: DecodedBody['runs']): DecodedBody {
    const text = this.#text;
    return {
      text,
      runs,
      parts: this.#parts,
      mentions: this.#mentions.map(({ handle, start, length }) => ({
        handle,
        text: text.slice(start, start + length),
        start,
      })),
      links: this.#links,
      attachments: this.#attachments,
      codes: this.#codes,
      styles: this.#styles,
      effects: this.#effects,
      transcripts: this.#transcripts,
      detections: this.#detections,
      replacements: replacementsIn(text),
    };
  }
}

/** True where the stretch ended at the start and now goes on. */
function extended(last: Stretch | undefined, start: number, length: number): boolean {
  if (!last || last.start + last.length !== start) return false;
  last.length += length;
  return true;
}

function isSame(a: string, b: string): boolean {
  return a.length <= MAX_COMPARED_LENGTH && a === b;
}

function replacementsIn(text: string): number[] {
  const places: number[] = [];
  let at = text.indexOf(REPLACEMENT);
  for (; at !== -1 && places.length < MAX_REPLACEMENTS; at = text.indexOf(REPLACEMENT, at + 1)) places.push(at);
  return places;
}
