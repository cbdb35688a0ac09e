import { DETECTORS, type DetectorName } from './detectors.ts';

/** What the privacy settings keep on this Mac. */
export interface PrivacyFilter {
  /** Why a message is not handed over; undefined when it may be. */
  refuses(about: { threadId: string; sender: string | undefined; service: string; text: string }): string | undefined;
  /** The text with what was found replaced by `[redacted:<name>]`, and the names found, in the order of the settings. */
  redact(text: string): { text: string; redacted: string[] };
}

export function createPrivacyFilter(o: {
  redact: readonly DetectorName[];
  denyThreads: readonly string[];
}): PrivacyFilter {
  const denied = new Set(o.denyThreads);
  return {
    refuses: ({ threadId }) => (denied.has(threadId) ? 'thread_denied' : undefined),
    redact(text) {
      const redacted: string[] = [];
      let left = text;
      for (const name of o.redact) {
        const clean = DETECTORS[name](left, `[redacted:${name}]`);
        if (clean !== left) redacted.push(name);
        left = clean;
      }
      return { text: left, redacted };
    },
  };
}
