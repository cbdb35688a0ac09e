/** A message of the plan, as it stands on the Mac. */
export interface Written {
  readonly guid: string;
  readonly thread: string;
  /** As it was first written. */
  readonly text: string;
  readonly isRefused: boolean;
  readonly isKnown: boolean;
  readonly isSms: boolean;
  edits: number;
  now: string;
  isUnsent: boolean;
}

/** A tapback, the last of its person on its message. */
export interface Reacted {
  readonly guid: string;
  readonly target: string;
  readonly kind: string;
}
