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

/** An attributedBody, read. */
export interface DecodedBody {
  /** The whole text, attachment placeholders (U+FFFC) included. */
  readonly text: string;
  readonly runs: readonly BodyRun[];
  /** One entry for each message part (`__kIMMessagePartAttributeName`). */
  readonly parts: readonly { readonly index: number; readonly start: number; readonly length: number }[];
  readonly mentions: readonly { readonly handle: string; readonly text: string; readonly start: number }[];
  readonly links: readonly { readonly url: string; readonly start: number; readonly length: number }[];
  /** Attachment guids in order of their placeholders. */
  readonly attachments: readonly { readonly guid: string; readonly start: number }[];
  /** Set where the stream is damaged behind the text: why. The runs are then those before the damage. */
  readonly damage?: string;
}
