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
  /** Where it leads, for links. */
  readonly url: string | undefined;
  /** What a poll lets one choose from, where the payload has it. */
  readonly options?: readonly string[];
}
