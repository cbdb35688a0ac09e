import bplist, { Real } from 'bplist-creator';
import { APPLE_EPOCH_MS } from './appleTime.ts';

/** One version of a part: its typedstream, and when it was written, ms since 1970. */
export interface WrittenVersion {
  readonly body: Uint8Array;
  readonly at: number;
}

/** What message_summary_info says of one message. */
export interface WrittenSummary {
  /** Versions of each edited part, the original first. */
  readonly edits?: ReadonlyMap<number, readonly WrittenVersion[]>;
  readonly unsentParts?: readonly number[];
  /** Where each part stood in the original text, UTF-16 code units. */
  readonly originalRanges?: ReadonlyMap<number, { readonly start: number; readonly length: number }>;
  /** The words of the message a tapback belongs to. */
  readonly associatedText?: string;
}

/** The bytes of message_summary_info, with the keys Messages uses: ec, ep, rp, otr, ams. */
export function encodeSummary({ edits, unsentParts, originalRanges, associatedText }: WrittenSummary): Buffer {
  return bplist({
    // Beside every text, for what is not known.
    ust: true,
    ...(originalRanges && {
      otr: keyedByPart(originalRanges, ({ start, length }) => ({ lo: start, le: length })),
    }),
    ...(edits &&
      edits.size > 0 && {
        ec: keyedByPart(edits, (versions) =>
          versions.map(({ body, at }) => ({ t: Buffer.from(body), d: new Real((at - APPLE_EPOCH_MS) / 1000) })),
        ),
        ep: [...edits.keys()],
      }),
    ...(unsentParts && unsentParts.length > 0 && { rp: [...unsentParts] }),
    ...(associatedText !== undefined && { amc: 1, ams: associatedText }),
  });
}

function keyedByPart<T>(parts: ReadonlyMap<number, T>, write: (value: T) => unknown): Record<string, unknown> {
  return Object.fromEntries([...parts].map(([part, value]) => [String(part), write(value)]));
}
