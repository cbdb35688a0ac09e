/** What an app's balloon is, by its bundle id. */
export type BalloonKind =
  | 'link'
  | 'handwriting'
  | 'digital_touch'
  | 'apple_cash'
  | 'poll'
  | 'check_in'
  | 'find_my'
  | 'fitness'
  | 'photos'
  | 'business'
  | 'app';

/** A message that an app draws (message.balloon_bundle_id), with what its payload_data says. */
export interface Balloon {
  readonly kind: BalloonKind;
  readonly bundleId: string;
  /** The app's name, where the payload has it. */
  readonly app: string | undefined;
  /** What the balloon reads, where the payload has words: a poll's question, an amount, a preview's title. */
  readonly caption: string | undefined;
  /** The smaller line below it, where there is one: for links the page's description. */
  readonly subcaption?: string;
  /** A poll's options, in order. */
  readonly options?: readonly string[];
  /** Where it leads: the address as it was written, for links; for other apps only web addresses. */
  readonly url: string | undefined;
}
