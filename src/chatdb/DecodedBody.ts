/** One run of an attributed string: a stretch of text with its attributes. */
export interface BodyRun {
  /** Offset and length in UTF-16 code units. */
  readonly start: number;
  readonly length: number;
  /**
   * Attribute name to value: string (also URLs), number (dates: ms since 1970), bigint, boolean, bytes (a view into the
   * body), or Arrays and Maps of those.
   */
  readonly attributes: ReadonlyMap<string, unknown>;
}

export type TextStyle = 'bold' | 'italic' | 'underline' | 'strikethrough';

/** What Messages recognised in the text; `data` are dates, money, flights and parcels, one-time codes too. */
export type DetectionKind = 'data' | 'phone_number' | 'address' | 'calendar_event';

/** An attributedBody, read. All offsets and lengths are UTF-16 code units. */
export interface DecodedBody {
  /** The whole text, attachment placeholders (U+FFFC) included. */
  readonly text: string;
  readonly runs: readonly BodyRun[];
  /** One entry for each message part (`__kIMMessagePartAttributeName`). */
  readonly parts: readonly { readonly index: number; readonly start: number; readonly length: number }[];
  readonly mentions: readonly { readonly handle: string; readonly text: string; readonly start: number }[];
  /** `isRich` where Messages draws a preview in place of the words. */
  readonly links: readonly {
    readonly url: string;
    readonly start: number;
    readonly length: number;
    readonly isRich?: true;
  }[];
  /** Attachment guids in order of their placeholders. */
  readonly attachments: readonly { readonly guid: string; readonly start: number }[];
  /** One-time codes that Messages offers to fill in; `displayCode` as the text writes it. */
  readonly codes: readonly {
    readonly code: string;
    readonly displayCode: string;
    readonly start: number;
    readonly length: number;
  }[];
  readonly styles: readonly { readonly style: TextStyle; readonly start: number; readonly length: number }[];
  /** Animated text; the effect by the name in Messages' menu, or `effect_N` where it has none that is known. */
  readonly effects: readonly { readonly effect: string; readonly start: number; readonly length: number }[];
  /** What was said in an audio message, on the placeholder of its attachment. */
  readonly transcripts: readonly { readonly text: string; readonly start: number }[];
  /** `archive` is what the data detector wrote: see `detectedType`. */
  readonly detections: readonly {
    readonly kind: DetectionKind;
    readonly start: number;
    readonly length: number;
    readonly archive: Uint8Array;
  }[];
  /** Where U+FFFD stands: in a message that an app draws (message.balloon_bundle_id) the placeholder of its balloon. */
  readonly replacements: readonly number[];
  /** Set where the stream is damaged behind the text: why. The runs are then those before the damage. */
  readonly damage?: string;
}
