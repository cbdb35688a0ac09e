import type { Span } from '../util/TextPattern.ts';

export interface LabelledSpan extends Span {
  /** What was found there. */
  readonly label: string;
}

/** Replaces each span by `[redacted:<label>]`, those that overlap together, by the label of the one that begins first. */
export function replaceSpans(text: string, spans: readonly LabelledSpan[]): string {
  const sorted = spans.toSorted((a, b) => a.start - b.start || b.end - a.end);
  let out = '';
  let end = 0;
  for (let first = 0; first < sorted.length; ) {
    const { start, label } = sorted[first]!;
    out += `${text.slice(end, start)}[redacted:${label}]`;
    end = sorted[first]!.end;
    for (first++; first < sorted.length && joins(sorted[first]!, end, label); first++) {
      end = Math.max(end, sorted[first]!.end);
    }
  }
  return out + text.slice(end);
}

/** Neighbours of one kind are one, so that a pattern of one character does not blow up the text. */
function joins(next: LabelledSpan, end: number, label: string): boolean {
  return next.start < end || (next.start === end && next.label === label);
}
