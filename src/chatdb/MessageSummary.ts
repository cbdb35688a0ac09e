/** One version of a part of a message. */
export interface PartVersion {
  /** Empty where the version cannot be read. */
  readonly text: string;
  /** ms since 1970; undefined where it is not said. */
  readonly writtenAt: number | undefined;
}

/** message.message_summary_info, read: what became of a message after it was written. */
export interface MessageSummary {
  /** `ec`: the versions of each edited part, oldest first; the last is the text as it is now. */
  readonly edits: ReadonlyMap<number, readonly PartVersion[]>;
  /** `ep`: the parts that were edited, also where their versions are not kept. */
  readonly editedParts?: readonly number[];
  /** `rp`: the parts that were unsent. */
  readonly unsentParts: readonly number[];
  /** `otr`: where each part stood in the original text, UTF-16 code units. */
  readonly originalRanges: ReadonlyMap<number, { readonly start: number; readonly length: number }>;
  /** `ams`: the words of the message a tapback belongs to. */
  readonly associatedText: string | undefined;
}
